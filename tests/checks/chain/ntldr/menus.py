"""Machines that ntldr starts from a boot.ini."""

from tests.checks.guests import followed
from tests.fakes import FakeFileSystem, FakePartition, machine_of, volume_of
from tests.windows.hives import hive_bytes

from bootgraft.checks.guest import Guest


def with_menu(default: str, *paths: str) -> Guest:
    """A machine whose loader is on partition 1 and whose only Windows is \\WINDOWS on partition 2."""
    entries = "".join(f'{path}="Windows" /fastdetect\r\n' for path in paths)
    menu = f"[boot loader]\r\ntimeout=30\r\ndefault={default}\r\n[operating systems]\r\n{entries}"
    return with_boot_ini(menu.encode())


def with_boot_ini(boot_ini: bytes | None, *windows: FakeFileSystem) -> Guest:
    """The machine with this boot.ini, and with other volumes than that of its only Windows."""
    contents = {} if boot_ini is None else {"\\boot.ini": boot_ini}
    loader = volume_of("\\ntldr", "\\NTDETECT.COM", contents=contents)
    rest = windows or (volume_of("\\WINDOWS\\system32\\config\\SYSTEM", "\\WINDOWS\\system32\\ntoskrnl.exe"),)
    return followed(machine_of([FakePartition(loader, active=True), *map(FakePartition, rest)]))


def path(partition: int) -> str:
    """What boot.ini calls \\WINDOWS on a partition of disk 0."""
    return f"multi(0)disk(0)rdisk(0)partition({partition})\\WINDOWS"


def last_started_from(partition: int) -> FakeFileSystem:
    """A Windows XP that says where it last started from."""
    boot_device = path(partition).removesuffix("\\WINDOWS")
    system = f'[\\Select]\n"Default"=dword:00000001\n\n[\\ControlSet001\\Control]\n"SystemBootDevice"="{boot_device}"\n'
    software = '[\\Microsoft\\Windows NT\\CurrentVersion]\n"CurrentVersion"="5.1"\n'
    contents = {
        "\\WINDOWS\\system32\\config\\SYSTEM": hive_bytes(system),
        "\\WINDOWS\\system32\\config\\SOFTWARE": hive_bytes(software),
    }
    return volume_of("\\WINDOWS\\system32\\ntoskrnl.exe", contents=contents)
