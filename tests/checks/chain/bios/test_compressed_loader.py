"""Which files must not be compressed: the loader that is started, and with doubt NTDETECT.COM."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.boot.test_chain import entry, loader, menu, path
from tests.checks.chain.bios.sectors import boot_sector_bytes, with_compressed
from tests.checks.guests import followed
from tests.fakes import FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.changes import WriteFile
from bootgraft.checks.chain.bios import compressed_loader
from bootgraft.checks.diagnosis import findings_of
from bootgraft.checks.finding import Finding, Remedy, Severity, Stage
from bootgraft.errors import FileSystemError
from bootgraft.filesystems.base import Entry, FileSystemKind


def told(volume: FakeFileSystem, sector: bytes) -> list[Finding]:
    guest = followed(machine_of([FakePartition(volume, active=True, boot_sector=sector)]))
    return list(compressed_loader.find(guest))


BOOTMGR = boot_sector_bytes().replace("NTLDR".encode("utf-16-le"), "BOOTMGR".encode("utf-16-le"))[: 15 * 512]


def test_the_same_content_is_written() -> None:
    (finding,) = compressed_loader.find(with_compressed("\\ntldr"))
    (change,) = finding.changes
    assert isinstance(change, WriteFile)
    assert (change.before, change.file.path) == (change.after, "\\ntldr")
    assert (finding.severity, finding.explains) == (Severity.BLOCKER, True)


def test_it_takes_the_place_of_the_general_finding() -> None:
    found = [each.id for each in findings_of(with_compressed("\\ntldr", "\\NTDETECT.COM"), Stage.CHAIN)]
    assert found == [compressed_loader.LOADER, compressed_loader.NTDETECT]


def test_ntdetect_alone_leaves_the_verdict_open() -> None:
    (finding,) = compressed_loader.find(with_compressed("\\NTDETECT.COM"))
    assert (finding.severity, finding.leaves_open, finding.remedy) == (Severity.WARNING, True, Remedy.CHANGES)


@pytest.mark.parametrize("file", ["\\boot.ini", "\\WINDOWS\\system32\\ntoskrnl.exe"])
def test_what_the_loader_reads_itself_is_not_judged(file: str) -> None:
    assert findings_of(with_compressed(file), Stage.CHAIN) == ()


def test_only_the_loader_that_the_boot_sector_starts_counts() -> None:
    volume = volume_of("\\bootmgr", "\\ntldr", "\\NTDETECT.COM")
    volume.attributes = {"\\ntldr": 0x800, "\\NTDETECT.COM": 0x800}
    assert told(volume, BOOTMGR) == []
    volume.attributes = {"\\bootmgr": 0x800}
    assert [each.title for each in told(volume, BOOTMGR)] == ["bootmgr is compressed"]


def test_on_fat_nothing_is_compressed() -> None:
    volume = loader(menu(path(0, 1), entry(0, 1)))
    volume.attributes = {"\\ntldr": 0x800}
    volume.kind = FileSystemKind.FAT16
    assert told(volume, boot_sector_bytes()) == []


class WofVolume(FakeFileSystem):
    """A volume whose bootmgr Compact OS compressed, and whose stream cannot be read."""

    def stat(self, path: str, /) -> Entry:
        found = super().stat(path)
        return replace(found, reparse_tag=0x80000017) if found.name == "bootmgr" else found

    def read(self, path: str, offset: int = 0, length: int | None = None, /) -> bytes:
        raise FileSystemError("its stream is damaged", where=path, advice="Run chkdsk")


def test_what_cannot_be_read_is_left_to_windows() -> None:
    (finding,) = told(WofVolume({"\\bootmgr": b"MZ"}), BOOTMGR)
    assert (finding.remedy, finding.changes) == (Remedy.NONE, ())
    assert "compact /u /a bootmgr" in finding.explanation
    assert "by WOF" in finding.evidence[0]
    assert finding.evidence[1] == "it cannot be read: its stream is damaged"


def test_what_is_too_long_for_a_loader_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed_loader, "_MAX_SIZE", 1)
    volume: Any = volume_of(contents={"\\bootmgr": b"MZ"})
    volume.attributes = {"\\bootmgr": 0x800}
    (finding,) = told(volume, BOOTMGR)
    assert finding.remedy is Remedy.NONE
