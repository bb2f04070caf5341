"""The three machines of each finding of ``boot_menu_missing``."""

from tests.checks.case import Case, chain_case, written_case
from tests.checks.chain.ntldr.menus import last_started_from, path, with_boot_ini, with_menu

from bootgraft.checks.chain.ntldr import boot_menu_missing
from bootgraft.checks.guest import Guest


def _without_menu(boot_ini: bytes | None) -> Case:
    """A boot.ini that names nothing, the one that is written for the only Windows, and one that never was."""

    def again(text: bytes | None) -> Guest:
        return with_boot_ini(text, last_started_from(2))

    return written_case(boot_menu_missing.find, again(boot_ini), again, with_menu(path(2), path(2)))


CASES = {
    boot_menu_missing.MISSING: _without_menu(None),
    boot_menu_missing.NO_DEFAULT: _without_menu(f'[operating systems]\r\n{path(2)}="Windows"\r\n'.encode()),
    boot_menu_missing.BOOTS_OTHER: chain_case(
        boot_menu_missing.find,
        with_menu("C:\\", path(2), "C:\\"),
        with_menu(path(2), path(2), "C:\\"),
        with_menu(path(2), path(2)),
    ),
}
