"""The three machines of each finding of ``boot_store``."""

from tests.boot.bootmgr.test_chain import at
from tests.checks.case import Case, chain_case
from tests.checks.chain.bootmgr.stores import RECOVERY_FILES, RESUME_LOADER, with_devices, with_store
from tests.machines import bcd, vista

from bootgraft.checks.chain.bootmgr import boot_store
from bootgraft.checks.guest import Guest


def _entries(default: str, *order: str) -> Guest:
    """A store with one entry, a default and a display order."""
    manager = bcd.bootmgr(at(1), default, order)
    return with_store(bcd.store(manager, bcd.loader(vista.DEFAULT, at(2))))


def _stored(only: str, broken: Guest) -> Case:
    healthy = _entries(vista.DEFAULT, vista.DEFAULT)
    return chain_case(boot_store.find, broken, healthy, with_devices(), only=only)


CASES = {
    boot_store.DEFAULT: _stored(boot_store.DEFAULT, _entries(vista.SECOND, vista.DEFAULT)),
    boot_store.DISPLAY_ORDER: _stored(boot_store.DISPLAY_ORDER, _entries(vista.DEFAULT, vista.SECOND, vista.DEFAULT)),
    boot_store.RECOVERY_MISSING: _stored(
        boot_store.RECOVERY_MISSING, with_store(vista.full_store(at(1), at(2), at(2)), RESUME_LOADER)
    ),
    boot_store.RESUME_MISSING: _stored(
        boot_store.RESUME_MISSING, with_store(vista.full_store(at(1), at(2), at(2)), *RECOVERY_FILES)
    ),
}
