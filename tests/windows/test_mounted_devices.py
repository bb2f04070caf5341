"""Drive letters."""

from tests.windows.hives import hive_of, real_system

from bootgraft.windows.mounted_devices import drive_letter, gpt_identity, letter_of, mbr_identity

GUID = "01020304-0506-0708-090A-0B0C0D0E0F10"
HIVE = r"""
[\MountedDevices]
"\\DosDevices\\D:"=hex:78,56,34,12,00,7e,00,00,00,00,00,00
"\\DosDevices\\C:"=hex:78,56,34,12,00,00,10,00,00,00,00,00
"\\dosdevices\\e:"=hex:44,4d,49,4f,3a,49,44,3a,04,03,02,01,06,05,08,07,09,0a,0b,0c,0d,0e,0f,10
"\\??\\Volume{0ad3e0a2-0000-0000-0000-000000000000}"=hex:78,56,34,12,00,00,20,00,00,00,00,00
"""


def test_letters() -> None:
    hive = hive_of(HIVE)
    assert drive_letter(hive, 0x12345678, 63 * 512) == "D:"
    assert drive_letter(hive, 0x12345678, 1 << 20) == "C:"
    assert drive_letter(hive, 0x12345678, 2 << 20) is None
    assert drive_letter(hive, 0x12345679, 1 << 20) is None
    assert letter_of(hive, gpt_identity(GUID)) == "E:"


def test_no_mounted_devices() -> None:
    assert drive_letter(hive_of(r"[\Select]"), 1, 2) is None
    assert drive_letter(real_system("nt4-sp3-server-dc-vmware-buslogic"), 1, 2) is None


def test_a_real_machine() -> None:
    hive = real_system("xp-sp3-x86-virtualpc-iecompat")
    key = hive.key("MountedDevices")
    assert key is not None
    value = key.value("\\DosDevices\\C:")
    assert value is not None
    signature, offset = int.from_bytes(value.data[:4], "little"), int.from_bytes(value.data[4:], "little")
    assert offset == 63 * 512
    assert mbr_identity(signature, offset) == value.data
    assert drive_letter(hive, signature, offset) == "C:"
