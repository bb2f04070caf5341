"""The three machines of the finding of ``data_letter``."""

from tests.checks.case import Case
from tests.data_machines import CDROM, DATA, DOMAIN_CONTROLLER, OWN, guest_on, letter, repaired, server, volume_name

from bootgraft.checks.finding import Finding
from bootgraft.checks.identity import data_letter
from bootgraft.machine import Machine


def _found(machine: Machine) -> tuple[Finding, ...]:
    return tuple(data_letter.find(guest_on(machine)))


_LETTERS = letter("C", volume_name(OWN)) + letter("D", CDROM) + letter("E", volume_name(DATA))
_TAKEN = server(DOMAIN_CONTROLLER, letters=_LETTERS)
_BROKEN = _found(_TAKEN)
CASES = {
    data_letter.ID: Case(_BROKEN, _found(repaired(_TAKEN, _BROKEN)), _found(server(DOMAIN_CONTROLLER))),
}
