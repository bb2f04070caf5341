"""Server 2016 and the container of hot-plugged processors."""

from tests.checks.core.cases_cpu_hot_plug import found, server
from tests.checks.guests import guest_of
from tests.checks.subjects import chain
from tests.machines.windows_hives import WINDOWS_10

from bootgraft.checks.core.cpu_hot_plug import find
from bootgraft.checks.finding import Remedy, Severity
from bootgraft.checks.guest import DescribedVm
from bootgraft.targets.controllers import find_controller


def test_it_is_told_and_offered_on_kvm_alone() -> None:
    (finding,) = found(server())
    assert (finding.severity, finding.remedy) == (Severity.INFO, Remedy.OFFERED)
    assert found(server(), "vmware:pvscsi") == ()


def test_a_description_with_processors_to_plug_in_makes_it_a_warning() -> None:
    windows, target = server(), find_controller("kvm:virtio-blk")
    described = DescribedVm("100.conf", spare_processors="hotplug: disk,cpu")
    (finding,) = find(guest_of(chain(), windows.installation, windows.hive, target, described=described))
    assert finding.severity is Severity.WARNING
    assert finding.evidence[1] == "100.conf: hotplug: disk,cpu"


def test_later_releases_bind_it_otherwise() -> None:
    assert found(server(release=WINDOWS_10)) == ()
