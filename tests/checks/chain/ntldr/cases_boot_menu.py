"""The three machines of each finding of ``boot_menu``."""

from tests.checks.case import Case, chain_case, written_case
from tests.checks.chain.ntldr.menus import last_started_from, path, with_boot_ini, with_menu
from tests.checks.guests import followed
from tests.fakes import FakePartition, machine_of, volume_of

from bootgraft.checks.chain.ntldr import boot_menu
from bootgraft.checks.guest import Guest


def _menu(wrong: str) -> Case:
    """A default that is wrong, the boot.ini that the finding's change writes, and one that never was."""
    return written_case(boot_menu.find, with_menu(wrong, wrong), with_boot_ini, with_menu(path(2), path(2)))


def _freeldr(wrong: str) -> Case:
    """A freeldr.ini whose default is wrong, the one that the finding's change writes, and one that never was."""
    return written_case(boot_menu.find, with_freeldr(wrong), _reactos, with_freeldr(path(2)))


def with_freeldr(system_path: str) -> Guest:
    """A machine whose FreeLoader is on partition 1 and whose only NT is \\WINDOWS on partition 2."""
    sections = (
        f'[FREELOADER]\r\nDefaultOS=X\r\n[Operating Systems]\r\nX="ReactOS"\r\n[X]\r\nSystemPath={system_path}\r\n'
    )
    return _reactos(sections.encode())


def _reactos(freeldr_ini: bytes) -> Guest:
    loader = volume_of("\\freeldr.sys", contents={"\\freeldr.ini": freeldr_ini})
    windows = volume_of("\\WINDOWS\\system32\\config\\SYSTEM", "\\WINDOWS\\system32\\ntoskrnl.exe")
    return followed(machine_of([FakePartition(loader, active=True), FakePartition(windows)]))


def _renumbered(*last: int) -> Guest:
    """boot.ini names partition 2; two Windows, on partitions 2 and 3, say that they last started from these."""
    menu = f'[boot loader]\r\ndefault={path(2)}\r\n[operating systems]\r\n{path(2)}="Windows"\r\n'
    return with_boot_ini(menu.encode(), *map(last_started_from, last))


CASES = {
    boot_menu.WRONG_PARTITION: _menu(path(3)),
    boot_menu.NOT_IN_MENU: chain_case(
        boot_menu.find,
        with_menu(path(3), path(2)),
        with_menu(path(2), path(2)),
        with_menu(path(2), path(2), "C:\\\\"),
    ),
    boot_menu.UNSUPPORTED_PATH: _menu("signature(12345678)disk(0)rdisk(0)partition(2)\\WINDOWS"),
    boot_menu.ANOTHER_WINDOWS: chain_case(
        boot_menu.find, _renumbered(3, 2), _renumbered(2, 3), with_menu(path(2), path(2))
    ),
    boot_menu.FREELDR_WRONG_PARTITION: _freeldr(path(3)),
    boot_menu.FREELDR_UNSUPPORTED_PATH: _freeldr("signature(12345678)disk(0)rdisk(0)partition(2)\\WINDOWS"),
}
