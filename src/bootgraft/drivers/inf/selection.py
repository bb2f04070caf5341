"""The driver package that a source has for one controller in one Windows, with the reasons for the choice.

The best INF (``choice``) is taken of which a boot driver can be made (``package``).
"""

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.drivers.inf.choice import Candidate, Rejected, Standing, candidates, why_not
from bootgraft.drivers.inf.models import SUFFIXES
from bootgraft.drivers.inf.package import make_package
from bootgraft.drivers.inf.recipient import Recipient
from bootgraft.drivers.inf.service import NoBootDriverError
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.package import DriverPackage
from bootgraft.errors import DriverSourceError
from bootgraft.targets.controllers import Controller
from bootgraft.windows.versions import UNKNOWN, WINDOWS_2000

_OLDEST = WINDOWS_2000
_TOLD = 4  # INFs that a note names


class PackageChoice(Struct, frozen=True):
    """The package that was chosen, if any, by which INF and why, and the other INFs, the nearest first."""

    package: DriverPackage | None
    chosen: Candidate | None
    rejected: tuple[Rejected, ...]

    def passed_over(self, *standings: Standing) -> tuple[str, ...]:
        """The others of these standings, each with its reason, for people."""
        return tuple(f"{each.path}: {each.reason}" for each in self.rejected if each.standing in standings)


def choose_package(source: PackageTree, controller: Controller, recipient: Recipient) -> PackageChoice:
    """Choose the INF of the source for this controller and Windows, and make a package of it.

    Raises:
        DriverSourceError: nothing can be chosen for a Windows of which so little is known, or the source is damaged.
    """
    _require_known(recipient, source.origin)
    fitting, others = candidates(source.infs(), controller, recipient)
    rejected: list[Rejected] = []
    package, chosen = None, None
    for each in fitting:
        if package is not None and chosen is not None:
            rejected.append(Rejected(each.path, Standing.OUTRANKED, why_not(each, chosen)))
            continue
        try:
            package, chosen = make_package(source, each, recipient), each
        except NoBootDriverError as error:
            rejected.append(Rejected(each.path, Standing.UNUSABLE, str(error)))
        except DriverSourceError as error:
            rejected.append(Rejected(each.path, Standing.UNUSABLE, f"{error.what} ({error.where})"))
    order = list(Standing)
    passed = sorted((*rejected, *others), key=lambda each: order.index(each.standing))
    choice = PackageChoice(package, chosen, tuple(passed))
    return choice if package is None else replace(choice, package=replace(package, notes=_notes(choice, package)))


def require_package(source: PackageTree, controller: Controller, recipient: Recipient) -> DriverPackage:
    """The package that the source has for this controller and Windows.

    Raises:
        DriverSourceError: it has none; the nearest INFs are named with their reasons.
    """
    choice = choose_package(source, controller, recipient)
    if choice.package is not None:
        return choice.package
    raise DriverSourceError(
        f"it has no driver for {controller.main_id} in {recipient}: {_reasons(choice)}",
        where=source.origin,
        advice=f"`bootgraft drivers list` shows what it has; give a package that serves {controller.target}",
    )


def _require_known(recipient: Recipient, origin: str) -> None:
    if recipient.version == UNKNOWN or recipient.arch not in SUFFIXES:
        raise DriverSourceError(
            f"no INF can be chosen for {recipient}: its version or architecture could not be read",
            where=origin,
            advice="Give --reg and --file with an exported driver",
        )
    if recipient.version < _OLDEST:
        raise DriverSourceError(
            f"{recipient} installs no drivers by INF files of this kind",
            where=origin,
            advice="Give --reg and --file with a driver exported from another machine with this Windows",
        )


def _reasons(choice: PackageChoice) -> str:
    nearest = choice.passed_over(Standing.UNUSABLE, Standing.OTHER_WINDOWS, Standing.UNREADABLE)
    if nearest:
        return _some(nearest)
    count = len(choice.rejected)
    return f"none of its {count} INFs serves that device" if count else "there is no INF in it"


def _notes(choice: PackageChoice, package: DriverPackage) -> tuple[str, ...]:
    chosen = choice.chosen
    if chosen is None:
        return package.notes
    total = 1 + len(choice.rejected)
    among = "the only INF there" if total == 1 else f"chosen of {total} INFs"
    head = (
        f"{package.origin} ({among}) serves {chosen.id}, a {chosen.match} of the controller, "
        f"in {chosen.model.decoration}; {chosen.release}."
    )
    others = choice.passed_over(Standing.OUTRANKED, Standing.UNUSABLE)
    passed = (f"Passed over: {_some(others)}.",) if others else ()
    return (head, *passed, *package.notes)


def _some(reasons: tuple[str, ...]) -> str:
    more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    return "; ".join(reasons[:_TOLD]) + more
