r"""The way of FreeLoader to ReactOS, on machines in memory."""

import pytest
from tests.boot.test_chain import assert_breaks, path, windows
from tests.fakes import FakePartition, machine_of, volume_of

from bootgraft.boot.chain import BootChain, follow
from bootgraft.machine import Machine

FAT, NTFS = b"FREELDR SYS", "FREELDR.SYS".encode("utf-16-le")


def ini(system_path: str, *, default: str = "ReactOS", kind: str = "Windows2003") -> bytes:
    lines = [
        "[FREELOADER]", f"DefaultOS={default}", "[Operating Systems]", 'ReactOS="ReactOS"', 'Other="ReactOS (Debug)"',
        "[ReactOS]", f"BootType={kind}", f"SystemPath={system_path}", "[Other]", f"SystemPath={system_path}",
        "Options=/DEBUG", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def reactos(freeldr_ini: bytes | None, *more: str, code: bytes = FAT) -> Machine:
    contents = {} if freeldr_ini is None else {"\\freeldr.ini": freeldr_ini}
    volume = volume_of("\\freeldr.sys", *more, contents=contents)
    volume.files.update(windows("\\ROS").files)
    first = FakePartition(volume, active=True, boot_sector=code)
    return machine_of([first, FakePartition(windows("\\ReactOS"))])


def chain_of(freeldr_ini: bytes | None, *more: str, code: bytes = FAT) -> BootChain:
    return follow(reactos(freeldr_ini, *more, code=code))


def switches_of(chain: BootChain) -> tuple[str, ...]:
    return () if chain.entry is None else chain.entry.switches


@pytest.mark.parametrize("code", [FAT, NTFS, b""])
def test_the_way_to_reactos(code: bytes) -> None:
    chain = chain_of(ini(path(0, 2, "\\reactos")), code=code)
    assert chain.default is not None
    assert (chain.default.volume.name, chain.default.directory) == ("disk 0 partition 2", "\\ReactOS")
    assert chain.default.entry == f"SystemPath={path(0, 2, chr(92) + 'reactos')}"
    assert [step.what for step in chain.steps[3:6]] == [
        "freeldr.sys is on the active partition",
        "freeldr.ini is there",
        "freeldr.ini names a default entry",
    ]


def test_a_path_that_begins_where_freeloader_is() -> None:
    chain = chain_of(ini("\\ros"))
    assert chain.default is not None
    assert (chain.default.volume.name, chain.default.directory) == ("disk 0 partition 1", "\\ROS")


def test_a_default_that_no_entry_has_is_the_first_one() -> None:
    chain = chain_of(ini(path(0, 2, "\\ReactOS"), default="gone"))
    assert chain.default is not None
    assert any("the first one, as DefaultOS= names none of them" in step.evidence for step in chain.steps)


def test_the_switches_are_those_of_the_entry_that_is_started() -> None:
    assert switches_of(chain_of(ini(path(0, 2, "\\ReactOS")))) == ()
    chain = chain_of(ini(path(0, 2, "\\ReactOS"), default="other"))
    assert (chain.entry and chain.entry.line, switches_of(chain)) == (10, ("/DEBUG",))


@pytest.mark.parametrize(
    ("freeldr_ini", "what", "understood"),
    [
        (None, "there is no freeldr.ini", True),
        (b"", "lists no operating system", True),
        (b"\xff\xfe", "freeldr.ini cannot be read", True),
        (ini("x", kind="BootSector"), "starts no installed NT", False),
        (ini("\\"), "is the root of a volume", False),
        (ini(""), "no ARC path with a directory", True),
        (ini("ramdisk(0)\\reactos"), "no ARC path with a directory", True),
        (ini(path(0, 7)), "disk 0 has no partition(7), at which freeldr.ini points", True),
        (ini(path(0, 2, "\\gone")), "freeldr.ini points at \\gone", True),
    ],
)
def test_what_leads_nowhere(freeldr_ini: bytes | None, what: str, understood: bool) -> None:
    assert_breaks(chain_of(freeldr_ini), what, understood=understood)


def test_freeloader_beside_ntldr_is_followed_where_the_boot_sector_names_it() -> None:
    assert chain_of(ini(path(0, 2, "\\ReactOS")), "\\ntldr").default is not None
    chain = chain_of(ini(path(0, 2, "\\ReactOS")), "\\ntldr", code=b"")
    assert_breaks(chain, "has ntldr and freeldr.sys", understood=False)


def test_freeloader_that_is_not_there() -> None:
    assert_breaks(follow(machine_of([FakePartition(volume_of("\\x"), active=True, boot_sector=FAT)])), "no freeldr.sys")
