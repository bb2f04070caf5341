"""What the registry tests share: hives in memory, real ones from the test data, and other people's readers."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.machines.hives import make_hive
from tests.machines.spec import Hive as HiveSpec

from bootgraft.registry.hive import Hive
from bootgraft.registry.regfile import RegKey

REPOSITORY = Path(__file__).parents[2]
TESTDATA = REPOSITORY.parent / "shared" / "testdata"
FILETIME = 0x01DA_0000_0000_0000

Values = dict[str, tuple[int, bytes]]
Tree = dict[str, Values]
"""Every key by path (``\\``-separated, empty for the root) with its values by name."""

REAL_HIVES = (
    "hives-system/nt4-sp3-server-dc-vmware-buslogic/SYSTEM",
    "hives-system/xp-sp3-x86-virtualpc-iecompat/SYSTEM",
    "hives-system/xp-sp3-x86-vmware-buslogic-vmscsi/SYSTEM",
    "hives-system/win7-sp1-x86-vmware-lsisas/SYSTEM",
    "hives-system/win10-21h2-x64-vmware-nvme-clean/SYSTEM",
    "hives-software/nt4-sp3-server-dc-vmware-buslogic/SOFTWARE",
    "hives-software/xp-sp3-x86-vmware-buslogic-vmscsi/SOFTWARE",
    "hives-other/setup-media/xp-sp3-x86-nlite-media/SETUPREG.HIV",
    "hives-other/yarp/BigDataHive",
    "hives-other/yarp/ManySubkeysHive",
    "hives-other/yarp/CompHive",
    "hives-other/yarp/UnicodeHive",
    "hives-other/yarp/StringValuesHive",
    "hives-other/yarp/MultiSzHive",
    "hives-other/yarp/EmptyHive",
    "hives-other/yarp/System_Delta",
    "hives-other/yarp/NewDirtyHive1/RecoveredHive_Windows10",
    "hives-other/yarp/OldDirtyHive/RecoveredHive_Windows7",
    "hives-other/hivex/minimal",
    "hives-other/hivex/special",
    "hives-other/hivex/rlenvalue_test_hive",
    "hives-other/plaso/100_sub_keys.hiv",
)


def real_file(relative: str) -> Path:
    """A file of the shared test data; skips the test where that is not at hand."""
    path = TESTDATA / relative
    if not path.is_file():
        pytest.skip(f"the test data {relative} is not at hand")
    return path


def real_bcds() -> list[str]:
    """Every BCD store of the test data."""
    found = (TESTDATA / "bcd").rglob("BCD*") if (TESTDATA / "bcd").is_dir() else ()
    return sorted(str(path.relative_to(TESTDATA)) for path in found if path.is_file() and ".LOG" not in path.name)


class Memory:
    """A file in memory that remembers what was asked of it."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, /) -> bytes:
        self.reads.append((offset, length))
        return bytes(self.data[offset : offset + length])

    def write(self, offset: int, data: bytes, /) -> None:
        self.writes.append((offset, len(data)))
        self.data.extend(bytes(max(0, offset + len(data) - len(self.data))))
        self.data[offset : offset + len(data)] = data


def open_bytes(data: bytes) -> Hive:
    return Hive.open(Memory(data), name="hive")


def built_hive(folder: Path, *, minor: int, text: str = "") -> bytes:
    """A hive that hivexregedit filled with .reg text whose keys begin at the root: ``[\\Key]``."""
    if shutil.which("hivexregedit") is None:
        pytest.skip("hivexregedit is not installed")
    path = folder / f"built-{minor}"
    make_hive(HiveSpec(text=text, minor=minor), path)
    return path.read_bytes()


def tree(hive: Hive) -> Tree:
    """Everything in a hive, as bootgraft reads it."""
    return {key.path: {value.name: (value.type, value.data) for value in key.values()} for key in hive.root.walk()}


def exported(data: bytes, folder: Path) -> Tree:
    """Everything in a hive, as hivexregedit exports it."""
    if shutil.which("hivexregedit") is None:
        pytest.skip("hivexregedit is not installed")
    path = folder / "to-export"
    path.write_bytes(data)
    done = subprocess.run(["hivexregedit", "--export", str(path), "\\"], capture_output=True, check=True)
    return parse_export("\n".join(map(_perl_text, done.stdout.split(b"\n"))))


def _perl_text(line: bytes) -> str:
    """Perl prints a string as Latin-1 where it can, and as UTF-8 where it has a wide character."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


_NAMED = re.compile(r'(?:@|"((?:[^"\\]|\\.)*)")=(?:dword:([0-9a-f]{8})|hex\(([0-9a-f]+)\):([0-9a-f,]*))$', re.DOTALL)


def parse_export(text: str) -> Tree:
    """Read hivexregedit's own narrow subset of .reg text, without bootgraft's parser."""
    result: Tree = {}
    values: Values = {}
    for line in text.split("\n")[1:]:
        if line.startswith("["):
            values = {}
            result[line[1 : line.rindex("]")].strip("\\")] = values
        elif line:
            found = _NAMED.match(line)
            assert found is not None, line[:200]
            name = re.sub(r"\\(.)", r"\1", found[1] or "", flags=re.DOTALL)
            if found[2] is not None:
                values[name] = (4, bytes.fromhex(found[2])[::-1])
            else:
                values[name] = (int(found[3], 16), bytes.fromhex(found[4].replace(",", "")))
    return result


def unnumbered(keys: Iterable[RegKey]) -> tuple[RegKey, ...]:
    """Keys of a .reg file without the lines on which they stand: two files are the same that say the same."""
    return tuple(replace(key, line=0, values=tuple(replace(each, line=0) for each in key.values)) for key in keys)
