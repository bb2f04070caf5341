"""The fallback loader of UEFI firmware: what is said of another one than Windows' own."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.boot.bootmgr.test_chain import ESP_FILE, FALLBACK, MANAGER, efi_loader, started_by_uefi, store
from tests.checks.guests import followed
from tests.machines.build import content
from tests.machines.spec import File, Hive

from bootgraft.checks.chain.bootmgr.uefi_fallback import OLDER, OTHER, find
from bootgraft.checks.finding import Finding, Severity

Make = Callable[[Hive], bytes]


@pytest.fixture
def hive(machine_cache: Path) -> bytes:
    """The store of a UEFI machine."""
    return content(File("\\BCD", store(efi_loader())), machine_cache)


def findings(hive: bytes, files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    return find(followed(started_by_uefi(hive, files)))


def test_another_version_without_a_number_is_no_fault(hive: bytes) -> None:
    assert findings(hive, {ESP_FILE: MANAGER, FALLBACK: MANAGER + b"older"}) == ()
    assert findings(hive, {FALLBACK: MANAGER}) == ()


def test_another_systems_loader(hive: bytes) -> None:
    (found,) = findings(hive, {ESP_FILE: MANAGER, FALLBACK: b"MZ GRUB"})
    assert (found.id, found.severity, found.explains) == (OTHER, Severity.WARNING, True)


def test_an_older_fallback_loader(hive: bytes) -> None:
    def manager(*version: int) -> bytes:
        major, minor, build, revision = version
        return MANAGER + struct.pack("<IIII", 0xFEEF04BD, 0x10000, major << 16 | minor, build << 16 | revision)

    new, old = manager(10, 0, 26100, 1), manager(10, 0, 19041, 5000)
    (found,) = findings(hive, {ESP_FILE: new, FALLBACK: old})
    assert (found.id, found.severity) == (OLDER, Severity.INFO)
    assert "has version 10.0.19041.5000" in found.evidence[0]
    assert findings(hive, {ESP_FILE: old, FALLBACK: new}) == ()
