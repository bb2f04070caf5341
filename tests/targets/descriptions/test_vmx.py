"""VMware's descriptions: every real one, and what strangers may write into one."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.targets.descriptions.summaries import changed_lines, disconnect_all, plugged, summary

from bootgraft.errors import VmDescriptionError
from bootgraft.targets.descriptions import vmx
from bootgraft.targets.descriptions.vmdescription import Firmware

PATH = Path("server1.vmx")
_PRESENT = re.compile(rb'^ethernet\d+\.present = "true"', re.IGNORECASE | re.MULTILINE)
GOLDEN = Path(__file__).parent / "goldens" / "vmx.txt"
MINIMAL = b"""\
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "server1.vmdk"
"""


def _real(shared_testdata: Path) -> list[Path]:
    return sorted((shared_testdata / "vm-config").rglob("*.vmx"), key=lambda path: path.name)


def test_every_real_file_reads_as_it_did(shared_testdata: Path) -> None:
    """The golden text was compared with the files by eye, and its disks with what virt-v2v and libvirt expect."""
    files = _real(shared_testdata)
    assert len(files) == 80
    assert "".join(summary(vmx.parse(path.read_bytes(), path)) for path in files) == GOLDEN.read_text()


def test_disconnecting_touches_one_line_for_each_card_of_a_real_file(shared_testdata: Path) -> None:
    cards = 0
    for path in _real(shared_testdata):
        data = path.read_bytes()
        names = plugged(data, path)
        lines = changed_lines(data, disconnect_all(data, path))
        came = [line for line in lines if line[0] == "+"]
        assert len(came) == len(names)
        assert all('.startConnected = "FALSE"' in line for line in came)
        went = [line for line in lines if line[0] == "-"]
        assert all("startConnected" in line for line in went)
        cards += len(names)
    assert cards == sum(len(_PRESENT.findall(path.read_bytes())) for path in _real(shared_testdata)) == 50


def test_plugging_in_changes_the_value_alone() -> None:
    data = MINIMAL + b'ethernet0.present = "TRUE"\r\n  Ethernet0.StartConnected=FALSE \r\nx = "1"'
    edited = vmx.plug(data, PATH, ["ethernet0"], plugged=True)
    assert edited == data.replace(b"=FALSE", b'="TRUE"')


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_new_line_ends_as_the_others_do(line_end: bytes) -> None:
    data = line_end.join([b'a = "b"', b'ethernet0.present = "TRUE"'])  # without an end of its own
    assert disconnect_all(data, PATH) == data + line_end + b'ethernet0.startConnected = "FALSE"'


def test_cards_that_are_absent_are_none() -> None:
    data = b'ethernet0.present = "FALSE"\nethernet1.virtualDev = "e1000"\nethernet2.present = "true"\n'
    assert plugged(data, PATH) == {"ethernet2": True}


@pytest.mark.parametrize(("number", "names"), [(0, ["a", "b"]), (1, ["b", "a"])])
def test_disks_of_one_controller_are_in_the_order_of_their_places(number: int, names: list[str]) -> None:
    places = ["scsi0:2", "scsi0:10"] if number == 0 else ["scsi0:10", "scsi0:2"]
    data = b'scsi0.present = "TRUE"\nscsi0.virtualDev = "pvscsi"\n'
    for place, name in zip(places, "ab", strict=True):
        data += f'{place}.present = "TRUE"\n{place}.fileName = "{name}.vmdk"\n'.encode()
    found = vmx.parse(data, PATH)
    assert [disk.name for disk in found.disks] == [f"{name}.vmdk" for name in names]
    assert found.order_doubt == ""


def test_devices_of_the_hosts_are_noted() -> None:
    data = MINIMAL + b'pciPassthru0.present = "TRUE"\npciPassthru1.present = "FALSE"\n'
    (note,) = vmx.parse(data, PATH).notes
    assert note.startswith("it has passed-through host devices (pcipassthru0): any network adapters stay")


TWO_BUSES = (
    MINIMAL
    + b"""\
ide0:0.present = "TRUE"
ide0:0.fileName = "data.vmdk"
ide0:0.deviceType = "ata-hardDisk"
"""
)


def test_of_two_controllers_the_file_must_say_which_is_first() -> None:
    assert vmx.parse(TWO_BUSES, PATH).order_doubt == (
        "it has disks on ide and scsi0, and no bios.hddOrder says which the BIOS takes first"
    )
    found = vmx.parse(TWO_BUSES + b'bios.hddOrder = "scsi0:0"\n', PATH)
    assert [disk.place for disk in found.disks] == ["scsi0:0", "ide0:0"]
    assert found.order_doubt == ""
    assert found.boot_order is not None
    assert (found.boot_order.tried, found.boot_order.exclusive) == (("scsi0:0",), False)
    assert vmx.parse(TWO_BUSES + b'bios.hddOrder = "scsi0:0"\nfirmware = "efi"\n', PATH).boot_order is None
    assert vmx.parse(TWO_BUSES + b'bios.hddOrder = "scsi7:0"\n', PATH).boot_order is None


@pytest.mark.parametrize(
    ("mask", "removed"),
    [
        (b'cpuid.80000001.edx = "---- ---- ---0 ---- ---- ---- ---- ----"', ("nx",)),
        (b'cpuid.1.ecx = "----:----:0--0:----:--0-:----:----:----"', ("cx16", "sse4.2", "popcnt")),
        (b'cpuid.1.ecx = "----:----:R--T:----:--H-:----:----:----"', None),
        (b'cpuid.1.ecx = "0"', None),
        (b'cpuid.80000001.ecx = "0000:0000:0000:0000:0000:0000:0000:0000"', None),  # LAHF, PREFETCHW: not judged
    ],
)
def test_features_that_a_mask_hides(mask: bytes, removed: tuple[str, ...] | None) -> None:
    found = vmx.parse(MINIMAL + mask + b"\n", PATH).processor
    assert (None if found is None else found.removed) == removed


def test_disks_that_were_taken_out_are_named() -> None:
    disk = b'scsi0:1.present = "FALSE"\nscsi0:1.fileName = "data.vmdk"\n'
    cdrom = b'ide1:0.present = "FALSE"\nide1:0.fileName = "x.iso"\n'
    found = vmx.parse(MINIMAL + disk + cdrom, PATH)
    assert [(each.place, each.name) for each in found.unattached] == [("scsi0:1", "data.vmdk")]
    assert [each.place for each in found.disks] == ["scsi0:0"]


def test_secure_boot() -> None:
    assert vmx.parse(MINIMAL, PATH).secure_boot is False
    assert vmx.parse(MINIMAL + b'uefi.secureBoot.enabled = "TRUE"\n', PATH).secure_boot is True


def test_firmware() -> None:
    assert vmx.parse(MINIMAL, PATH).firmware is Firmware.BIOS
    assert vmx.parse(MINIMAL + b'firmware = "efi"\n', PATH).firmware is Firmware.UEFI


def test_names_in_the_files_own_encoding_and_with_escapes() -> None:
    data = b'.encoding = "windows-1252"\n' + MINIMAL.replace(b"server1", b"B\xfcro |22x|22")
    (disk,) = vmx.parse(data, PATH).disks
    assert disk.name == 'Büro "x".vmdk'


@pytest.mark.parametrize("encoding", ["klingon", "hex", "idna", "a|00b", "\udc80"])
def test_names_in_an_encoding_that_is_none(encoding: str) -> None:
    data = f'.encoding = "{encoding}"\n'.encode("utf-8", "surrogateescape") + MINIMAL
    assert vmx.parse(data, PATH).disks == vmx.parse(b"\n" + MINIMAL, PATH).disks


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("what is this", 'this line is not of the form key = "value"'),
        ('a = "b" c', 'this line is not of the form key = "value"'),
        ('scsi0.virtualDev = "pvscsi"', "'scsi0.virtualdev' is given twice, first in line 2"),
        ('scsi0:0.deviceType = "teapot"', "scsi0:0 is of a type that bootgraft does not know: 'teapot'"),
    ],
)
def test_malformed(line: str, what: str) -> None:
    with pytest.raises(VmDescriptionError) as fault:
        vmx.parse(MINIMAL + line.encode(), PATH)
    assert (fault.value.what, fault.value.where) == (what, "server1.vmx, line 5")


def test_a_controller_that_is_unknown() -> None:
    with pytest.raises(VmDescriptionError, match="line 2: scsi0 is a controller that bootgraft does not know: 'hba'"):
        vmx.parse(MINIMAL.replace(b"lsilogic", b"hba"), PATH)


@settings(deadline=None)  # the first example loads modules
@given(st.binary(max_size=400))
def test_garbage_is_read_or_refused(data: bytes) -> None:
    with suppress(VmDescriptionError):
        vmx.parse(data, PATH)


_LINES = st.sampled_from(
    [
        b'ethernet0.present = "TRUE"',
        b"ethernet0.startConnected = TRUE",
        b'ETHERNET0.STARTCONNECTED = "true"',
        b'ethernet1.present = "true"',
        b"# comment",
        b"",
        b'name = "\xfc"',
        b'\t guestOS\t=\t"winnetstandard" ',
    ]
)


@settings(deadline=None)  # the first example loads modules
@given(st.lists(_LINES, unique=True), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_whatever_the_file_disconnecting_keeps_the_rest(lines: list[bytes], end: bytes, last: bool) -> None:
    data = end.join(lines) + (end if last else b"")
    try:
        names = plugged(data, PATH)
    except VmDescriptionError:
        return  # a key given twice with two values
    edited = disconnect_all(data, PATH)
    kept = [line for line in edited.splitlines() if b"connected" not in line.lower()]
    assert kept == [line for line in data.splitlines() if b"connected" not in line.lower()]
    assert edited.count(b"\r\n") >= data.count(b"\r\n")
    assert set(names) <= {"ethernet0", "ethernet1"}
