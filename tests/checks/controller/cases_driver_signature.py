"""The three machines of each finding of ``driver_signature``."""

from collections.abc import Callable
from datetime import date

from msgspec.structs import replace
from tests.checks.case import Case
from tests.checks.controller.control_sets import DRIVER, facts, good_set
from tests.checks.subjects import LSI_LOGIC

from bootgraft.checks.controller import driver_signature
from bootgraft.checks.controller.facts import ControllerFacts, LinkFacts
from bootgraft.checks.driverjudge import JudgedDriver
from bootgraft.checks.finding import Finding
from bootgraft.targets.driverchains import driver_chain
from bootgraft.windows.installation import Architecture
from bootgraft.windows.pe import PeFacts
from bootgraft.windows.signatures.acceptance import Rules, judge_file
from bootgraft.windows.signatures.signature import FileSignature, SignatureClass

X64_DRIVER = replace(DRIVER, pe=PeFacts(Architecture.X64, ("SCSIPORT.SYS",), (1, 9, 0, 0)))
CROSS_SIGNED = FileSignature(SignatureClass.CROSS_SIGNED, "A Vendor", "sha1", ("sha1",))
SELF_SIGNED = FileSignature(SignatureClass.SELF_SIGNED, "A Vendor", "sha256", ("sha256",))
UNREADABLE = FileSignature(SignatureClass.UNREADABLE, detail="it ends within an element")


def judged(
    *signatures: FileSignature, arch: Architecture = Architecture.X64, catalog: str | None = None
) -> JudgedDriver:
    """A driver with these signatures, as Windows 7 takes it."""
    rules = Rules(product="Windows 7", version=(6, 1), build=7601, arch=arch, secure_boot=False)
    return JudgedDriver(DRIVER.path, judge_file(signatures, rules), bool(signatures), catalog)


def _found(found: JudgedDriver) -> tuple[Finding, ...]:
    """What is said of it, where it serves a controller that this Windows 7 ships another driver for."""
    return driver_signature.check(_x64_facts(lambda n: replace(good_set(n), driver=X64_DRIVER)), lambda _: found)


def _x64_facts(make: Callable[[int], LinkFacts]) -> ControllerFacts:
    """A 64-bit Windows 7."""
    found = replace(facts(make), version=(6, 1), architecture=Architecture.X64)
    link = driver_chain(LSI_LOGIC, (6, 1)).links[0]
    return replace(found, links=tuple(replace(each, link=link) for each in found.links))


def _on_windows_10(*, secure_boot: bool) -> tuple[Finding, ...]:
    """A driver that its vendor signed by a certificate of 2019."""
    rules = Rules(product="Windows 10", version=(10, 0), build=19045, arch=Architecture.X64, secure_boot=secure_boot)
    signature = replace(CROSS_SIGNED, issued=date(2019, 2, 15))
    return _found(JudgedDriver(DRIVER.path, judge_file((signature,), rules), is_signed=True))


_ON_X86 = _found(judged(arch=Architecture.X86))
CASES = {
    driver_signature.MISSING: Case(_found(judged()), _found(judged(CROSS_SIGNED)), _ON_X86),
    driver_signature.REFUSED: Case(_found(judged(SELF_SIGNED)), _found(judged(CROSS_SIGNED)), _ON_X86),
    driver_signature.SECURE_BOOT: Case(_on_windows_10(secure_boot=True), _on_windows_10(secure_boot=False), _ON_X86),
    driver_signature.UNCERTAIN: Case(_found(judged(UNREADABLE)), _found(judged(CROSS_SIGNED)), _ON_X86),
    driver_signature.CATALOG: Case(
        _found(judged(catalog="oem3.cat")), _found(judged(CROSS_SIGNED, catalog="oem3.cat")), _ON_X86
    ),
}
