"""The three machines of each finding of ``boot_switches``."""

from tests.checks.case import chain_case
from tests.checks.chain.ntldr.menus import path, with_boot_ini, with_menu

from bootgraft.checks.chain.ntldr import boot_switches

CASES = {
    boot_switches.ID: chain_case(
        boot_switches.find,
        with_boot_ini(f"[boot loader]\ndefault={path(2)}\n[operating systems]\n{path(2)}=x /PCILOCK\n".encode()),
        with_menu(path(2), path(2)),
        with_menu(path(2), path(2)),
    ),
}
