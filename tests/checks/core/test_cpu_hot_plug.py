"""Server 2016 and the container of hot-plugged processors."""

from tests.checks.core.cases_cpu_hot_plug import found, server
from tests.machines.windows_hives import WINDOWS_10

from bootgraft.checks.finding import Remedy, Severity


def test_it_is_told_and_offered_on_kvm_alone() -> None:
    (finding,) = found(server())
    assert (finding.severity, finding.remedy) == (Severity.INFO, Remedy.OFFERED)
    assert found(server(), "vmware:pvscsi") == ()


def test_later_releases_bind_it_otherwise() -> None:
    assert found(server(release=WINDOWS_10)) == ()
