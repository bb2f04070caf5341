"""The three machines of each finding of ``hibernation``."""

from tests.checks.case import Case
from tests.checks.subjects import installation, volume
from tests.windows.hives import hive_of

from bootgraft.changes import WriteSectors
from bootgraft.checks.finding import Finding
from bootgraft.checks.machine import hibernation
from bootgraft.checks.machine.saved_session import SavedSession


def session() -> SavedSession:
    """A hibernated Windows on disk 0 partition 1."""
    cleared = WriteSectors(0, 1 << 20, bytes(4096), b"HIBR".ljust(4096, b"x"), "the first page of hiberfil.sys")
    return SavedSession(volume(), "HIBR", (cleared,))


def _fast_start_up(value: int, sessions: tuple[SavedSession, ...]) -> tuple[Finding, ...]:
    """What is found of fast start-up on Windows 8 that has this value in both control sets."""
    text = "".join(
        f'[\\ControlSet{number:03d}\\Control\\Session Manager\\Power]\n"HiberbootEnabled"=dword:{value:08x}\n\n'
        for number in (1, 2)
    )
    found = hibernation.check(sessions, installation(version=(6, 2)), hive_of(text))
    return tuple(finding for finding in found if finding.id == hibernation.FAST_START_UP)


CASES = {
    hibernation.HIBERNATED: Case(hibernation.check((session(),), None, None), (), hibernation.check((), None, None)),
    hibernation.FAST_START_UP: Case(
        _fast_start_up(1, (session(),)), _fast_start_up(0, (session(),)), _fast_start_up(1, ())
    ),
}
