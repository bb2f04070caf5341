"""Which conversion it was."""

from tests.explain import logs

from bootgraft.explain.conversion import Conversion
from bootgraft.explain.converters.converter import CONVERTER
from bootgraft.explain.converters.virtv2v import V2V_IN_PLACE
from bootgraft.explain.logreader import LogReader
from bootgraft.explain.reading import lines


def job(*texts: str) -> Conversion:
    reader = LogReader()
    for text in texts:
        reader.read("a.log", lines([text.encode()]))
    return reader.report().conversion


def test_the_worker_names_host_and_disk() -> None:
    found = job(logs.AGENT_50, logs.WORKER_50)
    assert found.tool is CONVERTER
    assert found.destination == "esxsrv17.jacksoncounty.org"
    assert found.disks == ("[datastore1] E1Win72/E1Win72.vmdk",)
    assert found.disk_files == ("E1Win72.vmdk",)
    assert found.tasks == ("task-6", "task-1")


def test_objects_of_the_sdk_name_machine_and_source() -> None:
    """The members are those of Converter's SDK; the form is that of the object in SERVER_60."""
    found = job(
        "2016-06-16T09:05:46.763+09:00 info vmware-converter-server[1] [task-4] job\n"
        "--> (converter.ComputerSpec.LiveComputerLocation) {\n"
        '-->    hostname = "server1",\n--> }\n'
        '--> (converter.TargetVmSpec) {\n-->    name = "vm1",\n--> }\n'
        '2016-06-16T09:05:46.764+09:00 info vmware-converter-server[1] name = "none"\n'
    )
    assert (found.source, found.name, found.tasks) == ("server1", "vm1", ("task-4",))


def test_disks_of_other_jobs_are_not_typed() -> None:
    line = "[#2] [2011-10-05 09:02:23.359 01416 info 'task-1'] GetManagedDiskName: Get virtual disk filebacking {}\n"
    names = ("[ds1] old one/old.vmdk", "[ds1] vm 1/vm.vmdk", "[ds2] vm 1/vm_1.vmdk", "[ds1] vm 1/vm.vmdk")
    found = job("".join(line.format(each) for each in names))
    assert found.disks == names[:3]
    assert found.disk_files == ("vm.vmdk", "vm_1.vmdk")


def test_hosted_targets_lie_in_folders_of_windows() -> None:
    found = job("2012-01-01T00:00:00.000Z [01416 info 'App'] Opening 'C:\\VMs\\vm\\vm.vmdk' for writing\n")
    assert found.disk_files == ("vm.vmdk",)


def test_virt_v2v_names_its_source() -> None:
    found = job(logs.IN_PLACE_NO_ROOT)
    assert (found.tool, found.source, found.disks) == (V2V_IN_PLACE, "-i disk /dev/vdd", ("/dev/vdd",))
    assert found.step == "Inspecting the source"
    assert job(logs.V2V_WITHOUT_VIRTIO).source == "-i ova Windows-ovf"


def test_the_firmware_that_the_guest_needs() -> None:
    found = job("virt-v2v: This guest requires UEFI on the target to boot.\n[  90.2] Finishing off\n")
    assert (found.firmware, job(logs.V2V_WITHOUT_VIRTIO).firmware) == ("uefi", None)


def test_percentages() -> None:
    line = "[#2] [2011-10-05 09:02:23.359 01416 info 'task-1'] {}\n"
    assert job(line.format("updates, percentage: 97, rate 1")).percent == 97
    assert job("98% FAILED: odd\n").percent == 98
    assert job(line.format("disk is 99% full"), line.format("percentage: 400")).percent is None
    assert job(logs.V2V_WITHOUT_VIRTIO).percent == 100
