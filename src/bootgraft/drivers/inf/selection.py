"""The driver package that a source has for one controller in one Windows, with the reasons for the choice.

Packages are made of the INFs that fit (``choice``), and tried for the Windows (``trial``). Of those whose signature it
takes best, the one that serves the device best is taken; what it would refuse, or not be able to load, never is.
"""

import shlex

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.drivers.inf.choice import Candidate, Rejected, Standing, candidates, why_not
from bootgraft.drivers.inf.models import SUFFIXES
from bootgraft.drivers.inf.package import make_package, package_paths
from bootgraft.drivers.inf.service import NoBootDriverError
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.inf.trial import NOT_TRIED, Trial, covers
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import DriverSourceError
from bootgraft.targets.controllers import Controller
from bootgraft.windows.signatures.acceptance import Judgement
from bootgraft.windows.versions import UNKNOWN, WINDOWS_2000

_OLDEST = WINDOWS_2000
_TOLD = 4  # INFs that a note names
MAX_TRIED = 64
"""Packages that are made and compared, of a source that has more for one device: the further ones match no better."""


class PackageChoice(Struct, frozen=True):
    """The package that was chosen, if any, by which INF and why, and the other INFs, the nearest first.

    ``signature`` says how the Windows takes that of its driver; empty where it does not look at any.
    """

    package: DriverPackage | None
    chosen: Candidate | None
    rejected: tuple[Rejected, ...]
    signature: str = ""

    def passed_over(self, *standings: Standing) -> tuple[str, ...]:
        """The others of these standings, each with its reason, for people."""
        return tuple(f"{each.path}: {each.reason}" for each in self.rejected if each.standing in standings)


class _Tried(Struct, frozen=True):
    """A package that was made of an INF, and how the Windows that it is for takes it."""

    candidate: Candidate
    package: DriverPackage
    judgement: Judgement
    covered: bool  # by its catalog's own word


def choose_package(
    source: PackageTree, controller: Controller, target_windows: TargetWindows, trial: Trial | None = None
) -> PackageChoice:
    """Choose the INF of the source for this controller and Windows, and make a package of it.

    Without a ``trial`` it is not asked whether that Windows would load the driver.

    Raises:
        DriverSourceError: nothing can be chosen for a Windows of which so little is known, or the source is damaged.
    """
    _require_known(target_windows, source.origin)
    fitting, others = candidates(source.infs(), controller, target_windows)
    rejected: list[Rejected] = []
    tried: list[_Tried] = []
    likely = fitting[: 1 if trial is None else MAX_TRIED]
    source.fetch(path for each in likely for path in package_paths(source, each, target_windows))
    for each in fitting:
        if tried and (trial is None or len(tried) == MAX_TRIED):
            rejected.append(Rejected(each.path, Standing.OUTRANKED, why_not(each, tried[0].candidate, target_windows)))
            continue
        made = _try(source, each, target_windows, trial)
        if isinstance(made, _Tried):
            tried.append(made)
        else:
            rejected.append(made)
    tried.sort(key=lambda each: (each.judgement.acceptance, each.candidate.rank, not each.covered))
    losers = (
        Rejected(each.candidate.path, Standing.OUTRANKED, _why_behind(each, tried[0], target_windows))
        for each in tried[1:]
    )
    order = list(Standing)
    passed = sorted((*losers, *rejected, *others), key=lambda each: order.index(each.standing))
    if not tried:
        return PackageChoice(None, None, tuple(passed))
    best = tried[0]
    choice = PackageChoice(best.package, best.candidate, tuple(passed), best.judgement.reason)
    return replace(choice, package=replace(best.package, notes=_notes(choice, best)))


def _try(
    source: PackageTree, candidate: Candidate, target_windows: TargetWindows, trial: Trial | None
) -> _Tried | Rejected:
    try:
        package = make_package(source, candidate, target_windows)
    except NoBootDriverError as error:
        return Rejected(candidate.path, Standing.UNUSABLE, str(error))
    except DriverSourceError as error:
        return Rejected(candidate.path, Standing.UNUSABLE, f"{error.what} ({error.where})")
    if trial is None:
        return _Tried(candidate, package, NOT_TRIED, covered=True)
    judgement = trial.judge(package)
    fault = trial.fault(package, judgement)
    if fault is not None:
        return Rejected(candidate.path, Standing.UNUSABLE, fault)
    return _Tried(candidate, package, judgement, covers(package, target_windows.version))


def _why_behind(loser: _Tried, winner: _Tried, target_windows: TargetWindows) -> str:
    """Why one package ranks behind another, for people."""
    if loser.judgement.acceptance != winner.judgement.acceptance:
        return loser.judgement.reason
    if loser.candidate.rank == winner.candidate.rank and loser.covered != winner.covered:
        return f"its catalog is for other Windows than NT {target_windows.version[0]}.{target_windows.version[1]}"
    return why_not(loser.candidate, winner.candidate, target_windows)


def require_package(
    source: PackageTree, controller: Controller, target_windows: TargetWindows, trial: Trial | None = None
) -> DriverPackage:
    """The package that the source has for this controller and Windows.

    Raises:
        DriverSourceError: it has none; the nearest INFs are named with their reasons.
    """
    choice = choose_package(source, controller, target_windows, trial)
    if choice.package is not None:
        return choice.package
    raise DriverSourceError(
        f"it has no driver for {controller.main_id} in {target_windows}: {_reasons(choice)}",
        where=source.origin,
        advice=f"Give a package that serves {controller.target}.\nTo list what it has, run:\n"
        f"    {shlex.join(['bootgraft', 'drivers', 'list', source.origin])}",
        id="driver-not-found",
    )


def _require_known(target_windows: TargetWindows, origin: str) -> None:
    if target_windows.version == UNKNOWN or target_windows.arch not in SUFFIXES:
        raise DriverSourceError(
            f"no INF can be chosen for {target_windows}: its version or architecture could not be read",
            where=origin,
            advice="Give --reg and --file with an exported driver",
        )
    if target_windows.version < _OLDEST:
        raise DriverSourceError(
            f"{target_windows} installs no drivers by INF files of this kind",
            where=origin,
            advice="Give --reg and --file with a driver exported from another machine with this Windows",
        )


def _reasons(choice: PackageChoice) -> str:
    nearest = choice.passed_over(Standing.UNUSABLE, Standing.OTHER_WINDOWS, Standing.UNREADABLE)
    if nearest:
        return _some(nearest)
    count = len(choice.rejected)
    return _none_of(count) if count else "there is no INF in it"


def _none_of(count: int) -> str:
    return "its one INF does not serve that device" if count == 1 else f"none of its {count} INFs serves that device"


def _notes(choice: PackageChoice, best: _Tried) -> tuple[str, ...]:
    package, chosen, judged = best.package, best.candidate, best.judgement
    total = 1 + len(choice.rejected)
    among = "the only INF there" if total == 1 else f"chosen of {total} INFs"
    head = (
        f"{package.origin} ({among}) serves {chosen.id}, a {chosen.match} of the controller, "
        f"in {chosen.model.decoration}; {chosen.release}{f'; {judged.reason}' if judged.reason else ''}."
    )
    others = choice.passed_over(Standing.UNUSABLE, Standing.OUTRANKED)
    passed = (f"Passed over: {_some(others)}.",) if others else ()
    return (head, *passed, *package.notes)


def _some(reasons: tuple[str, ...]) -> str:
    more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    return "; ".join(reasons[:_TOLD]) + more
