"""The three machines of each finding of ``data_disks``."""

from tests.checks.case import Case
from tests.data_machines import PAGE_FILE, PARTMGR, SHARED, guest_on, repaired, server

from bootgraft.checks.finding import Finding
from bootgraft.checks.session import data_disks
from bootgraft.machine import Machine

_ONLINE = {PARTMGR: {"SanPolicy": 1}}


def _found(machine: Machine) -> tuple[Finding, ...]:
    return tuple(data_disks.find(guest_on(machine)))


_SHARED = server(SHARED, PAGE_FILE)
_OFFLINE = _found(_SHARED)
_LEFT = server(_ONLINE, PAGE_FILE, with_data_disk=False)
_LEFT.is_complete = True
_GONE = _found(_LEFT)
_HEALTHY = _found(server(_ONLINE, PAGE_FILE))
CASES = {
    data_disks.OFFLINE: Case(_OFFLINE, _found(repaired(_SHARED, _OFFLINE)), _HEALTHY),
    data_disks.NOT_GIVEN: Case(_found(server(_ONLINE, PAGE_FILE, with_data_disk=False)), _HEALTHY, _HEALTHY),
    data_disks.PAGE_FILE: Case(_GONE, _found(repaired(_LEFT, _GONE)), _HEALTHY),
}
