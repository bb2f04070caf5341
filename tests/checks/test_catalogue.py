"""Every check declares itself once, and is found without a list."""

import sys
from pathlib import Path

from tests.checks.chain.bootmgr.cases_uefi_fallback import with_fallback
from tests.checks.chain.bootmgr.stores import with_devices
from tests.checks.chain.ntldr.menus import path, with_menu
from tests.machines.tools import run

from bootgraft import checks as package
from bootgraft.checks.catalogue import checks, documentation
from bootgraft.checks.finding import Stage
from bootgraft.checks.guest import Guest

HERE = Path(package.__file__).parent


def test_every_module_that_documents_a_finding_declares_a_check() -> None:
    documenting = [path for path in HERE.rglob("*.py") if "FindingDoc(\n" in path.read_text()]
    assert len(documenting) == sum(len(checks(stage)) for stage in Stage)
    assert all(path.relative_to(HERE).parts[0] in list(Stage) for path in documenting)


def test_a_check_belongs_to_the_stage_whose_wing_it_lies_in() -> None:
    for stage in Stage:
        assert checks(stage)
        assert {check.stage for check in checks(stage)} == {stage}


def test_the_order_of_checks_does_not_depend_on_the_names_of_their_modules() -> None:
    for stage in Stage:
        ranks = [check.rank for check in checks(stage)]
        assert len(set(ranks)) == len(ranks)
        assert ranks == sorted(ranks)


def test_every_check_documents_what_it_finds() -> None:
    assert all(check.docs for stage in Stage for check in checks(stage))
    assert len(documentation()) > 50


def ids_for(guest: Guest) -> set[str]:
    return {doc.id for check in checks(Stage.CHAIN, guest) for doc in check.docs}


def test_what_a_guest_has_not_is_not_looked_for() -> None:
    of_ntldr, of_bootmgr, of_uefi = (
        ids_for(with_menu(path(2), path(2))),
        ids_for(with_devices()),
        ids_for(with_fallback(b"")),
    )
    assert "boot-chain-broken" in of_ntldr & of_bootmgr & of_uefi
    assert "boot-ini-missing" in of_ntldr - of_bootmgr - of_uefi
    assert "bcd-device-wrong" in (of_bootmgr & of_uefi) - of_ntldr
    assert "mbr-code-missing" in (of_ntldr & of_bootmgr) - of_uefi


def test_a_machine_of_ntldr_does_not_wait_for_what_bootmgr_needs() -> None:
    """Each import is paid at every start of the program."""
    look = (
        "import sys; from bootgraft.checks.diagnosis import findings_of; from bootgraft.checks.finding import Stage; "
        "from bootgraft.checks.guest import Guest; from bootgraft.boot.chain import follow; "
        "from bootgraft.machine import Machine; machine = Machine(()); "
        "[findings_of(Guest(machine, follow(machine)), stage) for stage in Stage]; "
        "print([name for name in sys.modules if name.startswith('bootgraft.boot.bootmgr.bcd')])"
    )
    assert run(sys.executable, "-c", look).decode().strip() == "[]"
