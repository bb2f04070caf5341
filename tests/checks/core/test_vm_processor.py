"""The processor of a description against what each Windows needs."""

import pytest
from msgspec.structs import replace
from tests.checks.subjects import installation

from bootgraft.checks.core.vm_processor import check
from bootgraft.checks.finding import FaultPlace, Finding
from bootgraft.checks.guest import DescribedVm
from bootgraft.targets.descriptions.hardware import Processor
from bootgraft.windows.installation import Architecture

X86, X64 = Architecture.X86, Architecture.X64


def found(
    model: str | None,
    version: tuple[int, int] = (10, 0),
    build: str = "26100",
    arch: Architecture = X64,
    removed: tuple[str, ...] = (),
) -> tuple[Finding, ...]:
    processor = None if model is None else Processor(model, f"cpu: {model}", 4, "cpu: host", removed=removed)
    windows = replace(installation(version=version), build=build, arch=arch)
    return check(windows, DescribedVm("100.conf", processor=processor))


@pytest.mark.parametrize(
    ("model", "version", "build", "arch", "lacks"),
    [
        ("kvm64", (10, 0), "26100", X64, "SSE4.2 and POPCNT"),
        ("kvm64", (10, 0), "26100.1742", X64, ""),  # no number of a build: not judged
        ("kvm64", (10, 0), "", X64, ""),
        ("kvm64", (10, 0), "22631", X64, ""),
        ("phenom", (10, 0), "26100", X64, "SSE4.2"),
        ("Conroe", (10, 0), "19045", X64, "CMPXCHG16B"),
        ("Conroe", (10, 0), "19045", X86, ""),
        ("Conroe", (6, 3), "9600", X64, "CMPXCHG16B"),
        ("Conroe", (6, 2), "9200", X64, ""),
        ("kvm32", (6, 2), "9200", X86, "NX"),
        ("kvm32", (6, 1), "7601", X86, ""),
        ("kvm32", (6, 1), "7601", X64, "64-bit mode"),
        ("pentium", (6, 2), "9200", X86, "PAE and NX and SSE2"),
        ("pentium", (5, 1), "2600", X86, ""),
        ("Skylake-Server", (10, 0), "26100", X64, ""),
        ("", (10, 0), "26100", X64, ""),
    ],
)
def test_what_each_windows_needs(
    model: str, version: tuple[int, int], build: str, arch: Architecture, lacks: str
) -> None:
    findings = found(model, version, build, arch)
    titles = [f"the machine's processor lacks {lacks}, which this Windows needs"] if lacks else []
    assert [each.title for each in findings] == titles
    assert all(each.fault_in is FaultPlace.OUTSIDE for each in findings)


def test_what_happens_then() -> None:
    (restarts,) = found("kvm64")
    assert (restarts.explanation.partition(".")[0], restarts.stop_code) == (
        "Windows restarts at the logo, again and again, without a STOP",
        None,
    )
    assert restarts.evidence[0] == "100.conf, line 4: cpu: kvm64"
    (stops,) = found("", (6, 2), "9200", removed=("nx",))
    assert stops.stop_code == "0x5d"
    (either,) = found("Conroe", (6, 3), "9600")
    assert ("0xC4 or 0x5D" in either.explanation, either.stop_code) == (True, None)
    (narrow,) = found("kvm32")
    assert (narrow.explanation.startswith("The loader of a 64-bit Windows stops"), narrow.stop_code) == (True, None)


def test_without_a_description_nothing_is_said() -> None:
    assert check(installation(version=(10, 0)), None) == ()
