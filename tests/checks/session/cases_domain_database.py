"""The three machines of each finding of ``domain_database``."""

from tests.checks.case import Case
from tests.data_machines import DOMAIN_CONTROLLER, PARTMGR, SHARED, guest_on, repaired, server

from bootgraft.checks.finding import Finding
from bootgraft.checks.session import domain_database
from bootgraft.machine import Machine

_ONLINE = {PARTMGR: {"SanPolicy": 1}}


def _found(machine: Machine) -> tuple[Finding, ...]:
    return tuple(domain_database.find(guest_on(machine)))


_SHARED = server(DOMAIN_CONTROLLER, SHARED)
_OFFLINE = _found(_SHARED)
_HEALTHY = _found(server(DOMAIN_CONTROLLER, _ONLINE))
CASES = {
    domain_database.OFFLINE: Case(_OFFLINE, _found(repaired(_SHARED, _OFFLINE)), _HEALTHY),
    domain_database.MISSING: Case(_found(server(DOMAIN_CONTROLLER, _ONLINE, data=(r"\other",))), _HEALTHY, _HEALTHY),
    domain_database.NOT_GIVEN: Case(
        _found(server(DOMAIN_CONTROLLER, _ONLINE, with_data_disk=False)), _HEALTHY, _HEALTHY
    ),
}
