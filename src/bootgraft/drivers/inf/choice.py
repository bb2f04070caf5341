"""Which of many INFs serves a controller best in one Windows, and why the others do not.

Ranked as Windows ranks drivers (Microsoft, "Identifier Score", "How Windows Ranks Drivers"): the better match of ids
first, then the newer DriverVer. What the package itself has to say comes in between (:mod:`.selection`): whether this
Windows takes its signature before all, and whether its catalog is for this Windows. Where all are equal, the folder and
then the models section that are closer to this Windows, and at last the path, so that the same source always gives the
same driver.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum

from msgspec import Struct

from bootgraft.drivers.inf.folders import distance
from bootgraft.drivers.inf.mentions import SIGNATURES
from bootgraft.drivers.inf.models import Model, all_models, models_for
from bootgraft.drivers.inf.sourceinf import SourceInf
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.inf.text import InfFile
from bootgraft.targets.controllers import Controller

_OTHER_DEVICES = "it serves other devices"
_DATE = re.compile(r"\s*(\d{1,2})[/-](\d{1,2})[/-](\d{4})\s*", re.ASCII)
_MATCHES = (
    "hardware id",
    "hardware id, by a compatible id of the INF",
    "compatible id",
    "compatible id, by a compatible id of the INF",
)

_Places = Mapping[str, tuple[int, int]]
"""The device's ids, case-folded, with the kind of match (a hardware id's is 0) and the position in its list."""


class Candidate(Struct, frozen=True):
    """An INF that serves the controller in this Windows, by its best line. ``rank`` is lower for the better match."""

    path: str
    inf: InfFile
    model: Model
    id: str
    rank: tuple[int, int, int]  # kind of match, position in the device's list, position in the line's list
    driver_date: date | None
    driver_version: tuple[int, int, int, int]

    @property
    def match(self) -> str:
        """What kind of match it is, for people."""
        return _MATCHES[self.rank[0]]

    @property
    def release_key(self) -> tuple[date, tuple[int, int, int, int]]:
        """Of two releases the newer one's is the greater."""
        return self.driver_date or date.min, self.driver_version

    @property
    def release(self) -> str:
        """``11/27/2012 51.64.104.4800``, as the INF has it; for people."""
        text = " ".join(self.inf.value("Version", "DriverVer", index).strip() for index in (0, 1)).strip()
        return f"DriverVer {text}" if text else "no DriverVer"


class Standing(StrEnum):
    """Why an INF was passed over; the nearest first."""

    UNUSABLE = "unusable"  # it serves the controller in this Windows, but that could not make a boot driver of it
    OUTRANKED = "outranked"  # it would do, but another one is better
    OTHER_WINDOWS = "other-windows"  # it serves the controller, in other Windows only
    UNREADABLE = "unreadable"
    OTHER_DEVICES = "other-devices"


class Rejected(Struct, frozen=True):
    """An INF that was passed over, with the reason for people."""

    path: str
    standing: Standing
    reason: str


def candidates(
    infs: Iterable[SourceInf], controller: Controller, target_windows: TargetWindows
) -> tuple[tuple[Candidate, ...], tuple[Rejected, ...]]:
    """The INFs that serve the controller in this Windows, best first, and the others, each with its reason."""
    found: list[Candidate] = []
    rejected: list[Rejected] = []
    places = _places(*device_ids(controller))
    for each in infs:
        if each.may_name(places):
            judged = _judge(each, places, controller, target_windows)
        else:
            judged = Rejected(each.path, Standing.OTHER_DEVICES, _OTHER_DEVICES)
        if isinstance(judged, Candidate):
            found.append(judged)
        else:
            rejected.append(judged)
    found.sort(key=lambda each: each.path.casefold())
    found.sort(key=lambda each: each.model.decoration.closeness, reverse=True)
    found.sort(key=lambda each: distance(each.path, target_windows))
    found.sort(key=lambda each: each.release_key, reverse=True)
    found.sort(key=lambda each: each.rank)
    return tuple(found), tuple(rejected)


def why_not(loser: Candidate, winner: Candidate, target_windows: TargetWindows) -> str:
    """Why one candidate ranks behind another by what their INFs say, for people."""
    if loser.rank != winner.rank:
        return f"a less exact match: {loser.id} ({loser.match})"
    if loser.release_key != winner.release_key:
        return f"older: {loser.release}"
    if distance(loser.path, target_windows) != distance(winner.path, target_windows):
        return "the same release, in a folder for another Windows"
    if loser.model.decoration.closeness != winner.model.decoration.closeness:
        return f"made for Windows in general: {loser.model.decoration}"
    return "the same release; the first by its path is taken"


def driver_date(inf: InfFile) -> date | None:
    """The date of DriverVer (month, day, year); None where it has none that exists."""
    match = _DATE.fullmatch(inf.value("Version", "DriverVer"))
    if match is None:
        return None
    try:
        return date(int(match[3]), int(match[1]), int(match[2]))
    except ValueError:
        return None


def driver_version(inf: InfFile) -> tuple[int, int, int, int]:
    """The version of DriverVer; parts that are missing or no numbers of 16 bits are 0."""
    parts = [part.strip() for part in inf.value("Version", "DriverVer", 1).split(".")]
    numbers = [int(part) if part.isascii() and part.isdecimal() and len(part) < 6 else 0 for part in parts]
    w, x, y, z = (number if number < 2**16 else 0 for number in (*numbers, 0, 0, 0, 0)[:4])
    return w, x, y, z


def _judge(
    each: SourceInf, places: _Places, controller: Controller, target_windows: TargetWindows
) -> Candidate | Rejected:
    inf = each.inf
    if inf is None:
        return Rejected(each.path, Standing.UNREADABLE, each.fault)
    signature = inf.value("Version", "Signature").strip().casefold()
    if signature not in SIGNATURES:
        return Rejected(each.path, Standing.UNREADABLE, f"Windows NT does not take its signature {signature!r}")
    best = _best(models_for(inf, target_windows), places)
    if best is not None:
        rank, model, matched = best
        return Candidate(each.path, inf, model, matched, rank, driver_date(inf), driver_version(inf))
    elsewhere = [model for model in all_models(inf) if _best((model,), places) is not None]
    if elsewhere:
        named = ", ".join(dict.fromkeys(str(model.decoration) for model in elsewhere[:4]))
        return Rejected(each.path, Standing.OTHER_WINDOWS, f"it serves {controller.main_id} only in {named}")
    return Rejected(each.path, Standing.OTHER_DEVICES, _OTHER_DEVICES)


def device_ids(controller: Controller) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The controller's hardware ids and its compatible ids, best first, as its bus reports them.

    pci.sys puts what names subsystem or class beside the device among the hardware ids, and the bare device too where
    there is no subsystem.
    """
    if controller.pci is None:
        return controller.other_ids, ()
    bare = not controller.pci.subsystem
    reported = controller.pci.device_ids()
    hardware = [each for each in reported if "&DEV_" in each and (bare or "&SUBSYS_" in each or "&CC_" in each)]
    return (*hardware, *controller.other_ids), tuple(each for each in reported if each not in hardware)


def _places(hardware: Sequence[str], compatible: Sequence[str]) -> _Places:
    places = {each.casefold(): (2, position) for position, each in reversed(list(enumerate(compatible)))}
    return places | {each.casefold(): (0, position) for position, each in reversed(list(enumerate(hardware)))}


def _best(models: Sequence[Model], places: _Places) -> tuple[tuple[int, int, int], Model, str] | None:
    """The best match of a line's ids with the device's; of equal ones the first line's."""
    matches = list(_matches(models, places))
    return min(matches, key=lambda match: match[0]) if matches else None


def _matches(models: Sequence[Model], places: _Places) -> Iterator[tuple[tuple[int, int, int], Model, str]]:
    for model in models:
        for index, each in enumerate(model.ids):
            place = places.get(each.casefold())
            if place is not None:
                by_compatible = index > 0
                yield (place[0] + by_compatible, place[1], index if by_compatible else 0), model, each
