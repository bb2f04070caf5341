"""What is harmful in a hive: read once for each state that it is in, and after an edit only where that changed it.

Most hives are sound, and :mod:`screening` says so in half of a survey's time. A survey follows where it does not. What
is known of a sound hive can be kept (:func:`remember`) until the edited one is opened again (:func:`recall`), which is
then read only where it differs. What no Windows ever notices is not reported here.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from bootgraft.registry.hive import Hive
from bootgraft.registry.integrity.defects import Defect, DefectSeverity, Generation
from bootgraft.registry.integrity.screening import Screened, screen

if TYPE_CHECKING:  # a check remembers nothing, and hashing loads OpenSSL
    from bootgraft.registry.integrity.pagehashes import SoundHive


class _Known(Struct, frozen=True):
    """What was found when the hive had seen so many edits; ``screened`` is None where a survey has to tell."""

    edits: int
    screened: Screened | None


def harmful(hive: Hive, generation: Generation | None = None) -> tuple[Defect, ...]:
    """All that is harmful in a hive as it stands, edits included: as :func:`survey.verify`, without what is harmless.

    Raises HiveError where its bytes cannot be read.
    """
    if _screened(hive) is not None:
        return ()
    from bootgraft.registry.integrity.survey import verify  # few hives have defects

    return tuple(each for each in verify(hive, generation) if each.severity is not DefectSeverity.HARMLESS)


def remember(hive: Hive) -> "SoundHive | None":
    """What a later :func:`recall` needs, where the hive was found sound as it now stands; else None.

    Raises HiveError where its bytes cannot be read.
    """
    known = hive.cells.known
    if not isinstance(known, _Known) or known.edits != hive.cells.store.edits or known.screened is None:
        return None
    from bootgraft.registry.integrity.pagehashes import SoundHive, hashes_of

    return SoundHive(known.screened, hashes_of(hive.cells), hive.cells.store.originals)


def recall(before: "SoundHive", hive: Hive) -> bool:
    """Read a hive that was opened again where it is not as it was; whether it is known to be sound now.

    Raises HiveError where its bytes cannot be read.
    """
    from bootgraft.registry.integrity.recheck import recheck  # only repairs and edits come here

    screened = recheck(before, hive.cells)
    if screened is not None:
        hive.cells.known = _Known(hive.cells.store.edits, screened)
    return screened is not None


def _screened(hive: Hive) -> Screened | None:
    known = hive.cells.known
    if not isinstance(known, _Known) or known.edits != hive.cells.store.edits:
        known = hive.cells.known = _Known(hive.cells.store.edits, screen(hive.cells))
    return known.screened
