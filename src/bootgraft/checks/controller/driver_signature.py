"""Gate 3 of 64-bit Windows from Vista on: does a driver that Windows did not ship carry a signature in its own file?

The loader reads boot drivers before the catalogs can be asked, so a vendor's must be signed in the file itself; what
Windows ships is in the catalogs that the loader has. Whose signature it is, and whether this Windows trusts it, is not
looked at.
"""

from bootgraft.checks.check import Check
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.controller.wording import severity_in
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.windows.bindings import CriticalDevice
from bootgraft.windows.driver_database import OWN_PREFIX, DatabaseBinding
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import VISTA

ID = "driver-signature-missing"
DOC = FindingDoc(
    id=ID,
    applies_to="64-bit Windows Vista, Server 2008 and later",
    cause="The driver was not shipped with Windows, and its file carries no signature (an empty certificate table), "
    "so that the loader stops with 0xC0000428 before any STOP screen. A catalog beside it does not count there.",
    evidence="The file and its empty certificate table.",
    fix="The file is replaced by a signed one from the driver source. With an unsigned one the repair is not proven, "
    "and nothing is written.",
    limits="Whose signature it is, and whether this Windows and Secure Boot accept it, is not looked at. A driver that "
    "Windows itself installed as oemN.inf may be in a catalog that its loader has read: that leaves the verdict open.",
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/install/kernel-mode-code-signing-requirements--windows-vista-and-later-",
    ),
)


def check(facts: ControllerFacts) -> tuple[Finding, ...]:
    """One finding for each control set and driver of the chain that must be signed and is not."""
    if facts.architecture is not Architecture.X64 or facts.version < VISTA:
        return ()
    found = (_check_link(facts, link) for link in facts.links)
    return tuple(finding for finding in found if finding)


def _check_link(facts: ControllerFacts, link: LinkFacts) -> Finding | None:
    driver = link.driver
    if driver is None or driver.pe is None or driver.signed or not _is_foreign(link):
        return None
    by_windows = isinstance(link.binding, DatabaseBinding) and not _is_own(link.binding)
    return Finding(
        ID,
        Severity.WARNING if by_windows else severity_in(link),
        f"the driver file {driver.path} is not signed ({link.control_set})",
        "Windows installed it as another vendor's; whether its loader takes it by a catalog, nothing here tells."
        if by_windows
        else f"The loader of a 64-bit {facts.product} takes no boot driver of another vendor without a signature.",
        (f"{facts.place}: {driver.path}: its certificate table is empty",),
        Remedy.DRIVER,
        leaves_open=by_windows and link.is_default,
        device=link.main_id,
    )


def _is_foreign(link: LinkFacts) -> bool:
    """Whether the driver is known not to be one that Windows ships."""
    match link.binding:
        case DatabaseBinding(version=version) as binding:
            return _is_own(binding) or (version is not None and not version.is_inbox)
        case CriticalDevice(service=service, package_id=None):
            return service is not None and service.casefold() not in {each.casefold() for each in link.link.services}
    return False


def _is_own(binding: DatabaseBinding) -> bool:
    return binding.inf.casefold().startswith(OWN_PREFIX)


CHECK = Check(Stage.CONTROLLER, 70, (DOC,), lambda guest: check(guest.facts) if guest.facts else ())
