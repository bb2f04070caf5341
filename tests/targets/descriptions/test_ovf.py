"""OVF: the real ones of virt-v2v's tests, and an archive that holds one."""

import io
import tarfile
from pathlib import Path

import pytest
from tests.targets.descriptions.summaries import summary

from bootgraft.errors import VmDescriptionError
from bootgraft.targets.descriptions import ovf
from bootgraft.targets.descriptions.vmdescription import Firmware

PATH = Path("server1.ovf")
GOLDEN = Path(__file__).parent / "goldens" / "ovf.txt"


def envelope(items: str, *, kind: str = "vmx-10", files: str = "", more: str = "") -> bytes:
    """An envelope with one machine."""
    files = files or "<File ovf:id='f1' ovf:href='disk1.vmdk'/>"
    return f"""\
<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<References>{files}</References>
<DiskSection><Disk ovf:diskId="d1" ovf:fileRef="f1"/><Disk ovf:diskId="d2" ovf:fileRef="f2"/></DiskSection>
<VirtualSystem><VirtualHardwareSection><System><VirtualSystemType>{kind}</VirtualSystemType></System>
{items}
{more}</VirtualHardwareSection></VirtualSystem></Envelope>
""".encode()


def item(number: int, kind: int, **members: str) -> str:
    """One piece of hardware."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    return f"<Item><InstanceID>{number}</InstanceID><ResourceType>{kind}</ResourceType>{inner}</Item>"


DISK = item(9, 17, Parent="3", HostResource="ovf:/disk/d1", AddressOnParent="0")


def test_every_real_file_reads_as_it_did(shared_testdata: Path) -> None:
    files = sorted((shared_testdata / "vm-config" / "virt-v2v-tests").glob("*.ovf"))
    files = [path for path in files if path.name != "test-i-ova-gz.ovf"]
    assert "".join(summary(ovf.parse(path.read_bytes(), path)) for path in files) == GOLDEN.read_text()


def test_a_real_file_with_a_packed_disk(shared_testdata: Path) -> None:
    path = shared_testdata / "vm-config" / "virt-v2v-tests" / "test-i-ova-gz.ovf"
    with pytest.raises(VmDescriptionError, match=r"'disk1\.vmdk\.gz' is packed: unpack it first"):
        ovf.parse(path.read_bytes(), path)


@pytest.mark.parametrize(
    ("kind", "system", "subtype", "controller"),
    [
        (6, "vmx-10", "lsilogic", "vmware:lsilogic"),
        (6, "vmx-10", "lsilogicsas", "vmware:lsisas1068"),
        (6, "vmx-10", "VirtualSCSI", "vmware:pvscsi"),
        (6, "vmx-10", "buslogic", "vmware:buslogic"),
        (6, "vmx-10", "homemade", None),
        (5, "vmx-10", "", "vmware:ide"),
        (20, "vmx-10", "vmware.sata.ahci", "vmware:ahci"),
        (20, "vmx-15", "vmware.nvme.controller", "vmware:nvme"),
        (20, "virtualbox-2.2", "AHCI", "virtualbox:ahci"),
        (5, "virtualbox-2.2", "PIIX4", "virtualbox:piix4"),
        (5, "virtualbox-2.2", "PIIX3", "virtualbox:piix3"),
        (6, "virtualbox-2.2", "lsilogic", "virtualbox:lsilogic"),
    ],
)
def test_controllers(kind: int, system: str, subtype: str, controller: str | None) -> None:
    data = envelope(item(3, kind, ResourceSubType=subtype) + DISK, kind=system)
    (disk,) = ovf.parse(data, PATH).disks
    assert (disk.name, disk.controller) == ("disk1.vmdk", controller)


TWO_FILES = "<File ovf:id='f1' ovf:href='a.vmdk'/><File ovf:id='f2' ovf:href='b.vmdk'/>"
SECOND = item(10, 17, Parent="3", HostResource="/disk/d2", AddressOnParent="1")


def test_order() -> None:
    """By place on one controller, whatever the order in the file; of two controllers nobody can tell."""
    one = envelope(item(3, 6, ResourceSubType="lsilogic") + SECOND + DISK, files=TWO_FILES)
    assert [disk.name for disk in ovf.parse(one, PATH).disks] == ["a.vmdk", "b.vmdk"]
    assert ovf.parse(one, PATH).order_doubt == ""
    two = envelope(
        item(3, 6, ResourceSubType="lsilogic") + item(4, 20, ResourceSubType="vmware.sata.ahci")
        + DISK + SECOND.replace("<Parent>3", "<Parent>4"), files=TWO_FILES,
    )  # fmt: skip
    assert ovf.parse(two, PATH).order_doubt == (
        "its disks are attached to several controllers, and the format gives no order"
    )
    channels = envelope(
        item(3, 5, Address="0") + item(4, 5, Address="1") + SECOND.replace("<Parent>3", "<Parent>4") + DISK,
        files=TWO_FILES,
    )
    found = ovf.parse(channels, PATH)
    assert ([disk.name for disk in found.disks], found.order_doubt) == (["a.vmdk", "b.vmdk"], "")


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False)])
def test_secure_boot(value: str, expected: bool) -> None:
    data = envelope("", more=f"<Config key='bootOptions.efiSecureBootEnabled' value='{value}'/>")
    assert ovf.parse(data, PATH).secure_boot is expected
    assert ovf.parse(envelope(""), PATH).secure_boot is None


@pytest.mark.parametrize(("value", "firmware"), [("efi", Firmware.UEFI), ("bios", Firmware.BIOS)])
def test_firmware(value: str, firmware: Firmware) -> None:
    data = envelope("", more=f"<Config key='firmware' value='{value}'/>")
    assert ovf.parse(data, PATH).firmware is firmware
    assert ovf.parse(envelope(""), PATH).firmware is None


def test_cards() -> None:
    cards = item(1, 10, ElementName="a") + item(2, 10, ElementName="b", AutomaticAllocation="false")
    assert [(card.name, card.plugged) for card in ovf.parse(envelope(cards), PATH).cards] == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    ("items", "files", "what"),
    [
        (DISK, "", "this disk references an undefined controller"),
        (item(3, 6) + DISK.replace("/d1", "/d9"), "", "this disk names a disk that is not listed: 'd9'"),
        (item(3, 6) + DISK.replace("ovf:/disk/d1", "?"), "", "this disk names no file"),
        (item(3, 6) + DISK, "<File ovf:id='f7'/>", "this disk names a file that is not listed: 'f1'"),
        (item(3, 6) + DISK.replace(">0<", ">x<"), "", "AddressOnParent is no number: 'x'"),
    ],
)
def test_malformed(items: str, files: str, what: str) -> None:
    with pytest.raises(VmDescriptionError) as fault:
        ovf.parse(envelope(items, files=files), PATH)
    assert fault.value.what == what


def test_two_machines_in_one_file() -> None:
    data = envelope("").replace(b"</Envelope>", b"<VirtualSystem/></Envelope>")
    with pytest.raises(VmDescriptionError, match="it describes 2 machines"):
        ovf.parse(data, PATH)


def archive(path: Path, *names: str) -> Path:
    """A tar archive of these members."""
    with tarfile.open(path, "w") as made:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 5
            made.addfile(member, io.BytesIO(b"12345"))
    return path


def test_the_description_in_an_archive(tmp_path: Path) -> None:
    assert ovf.name_in_archive(archive(tmp_path / "a.ova", "x.mf", "Server1.OVF", "disk.vmdk")) == "Server1.OVF"


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
@pytest.mark.parametrize("size", [5 << 30, 1 << 60])
def test_an_archive_whose_names_would_fill_the_memory(kind: bytes, size: int, tmp_path: Path) -> None:
    hostile = tmp_path / "a.ova"
    member = tarfile.TarInfo("a.ovf")
    member.type, member.size = kind, size
    with hostile.open("wb") as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        file.truncate(6 << 30)
    with pytest.raises(VmDescriptionError, match="this archive is damaged"):
        ovf.name_in_archive(hostile)


def test_archives_without_one(tmp_path: Path) -> None:
    with pytest.raises(VmDescriptionError, match=r"a tar archive without an \.ovf at its start"):
        ovf.name_in_archive(archive(tmp_path / "a.ova", *(f"{number}.bin" for number in range(ovf.MAX_MEMBERS + 1))))
    damaged = archive(tmp_path / "b.ova", "a.bin", "b.ovf")
    damaged.write_bytes(damaged.read_bytes()[:1024] + b"garbage" * 200)
    with pytest.raises(VmDescriptionError, match=r"this archive is damaged|without an"):
        ovf.name_in_archive(damaged)


def test_an_archive_of_long_names_without_end(tmp_path: Path) -> None:
    """Each is the name of the next one, which is such a name again: tarfile goes one call deeper for each."""
    name = tarfile.TarInfo("x")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 5
    path = tmp_path / "a.ova"
    path.write_bytes((name.tobuf(tarfile.GNU_FORMAT) + b"name".ljust(512, b"\0")) * 3000)
    with pytest.raises(VmDescriptionError, match="this archive is damaged"):
        ovf.name_in_archive(path)


@pytest.mark.parametrize(
    ("machine", "firmware"),
    [
        ("<Machine><Hardware><Firmware type='EFI'/></Hardware></Machine>", Firmware.UEFI),
        ("<Machine><Hardware><Firmware type='EFI64'/></Hardware></Machine>", Firmware.UEFI),
        ("<Machine><Hardware><Firmware type='BIOS'/></Hardware></Machine>", Firmware.BIOS),
        ("<Machine><Hardware/></Machine>", Firmware.BIOS),
        ("", None),
    ],
)
def test_firmware_of_virtualbox(machine: str, firmware: Firmware | None) -> None:
    data = envelope("", kind="virtualbox-2.2").replace(b"</VirtualSystem>", machine.encode() + b"</VirtualSystem>")
    assert ovf.parse(data, PATH).firmware is firmware
