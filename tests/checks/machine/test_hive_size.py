"""SYSTEM hives near what the loader of an old Windows can take."""

import pytest
from msgspec.structs import replace
from tests.checks.subjects import installation

from bootgraft.checks.finding import Severity
from bootgraft.checks.machine.hive_size import check
from bootgraft.windows.installation import Architecture

MIB = 1 << 20


@pytest.mark.parametrize(
    ("version", "arch", "size", "is_told"),
    [
        ((4, 0), Architecture.X86, 11, True),
        ((5, 0), Architecture.X86, 11, True),
        ((5, 0), Architecture.X86, 10, False),
        ((5, 1), Architecture.X86, 40, False),
        ((5, 2), Architecture.X86, 40, False),
        ((5, 2), Architecture.X64, 31, True),
        ((5, 2), Architecture.X64, 30, False),
        ((6, 1), Architecture.X64, 90, False),
        ((0, 0), Architecture.UNKNOWN, 90, False),
    ],
)
def test_only_loaders_with_little_room(
    version: tuple[int, int], arch: Architecture, size: int, *, is_told: bool
) -> None:
    found = check(replace(installation(version=version), arch=arch), size * MIB)
    assert [each.severity for each in found] == ([Severity.WARNING] if is_told else [])


def test_the_size_is_said() -> None:
    (found,) = check(installation(version=(5, 0)), 11 * MIB + 4096)
    assert found.title == "the SYSTEM hive has 11.0 MB, near what the loader of this Windows can take"
