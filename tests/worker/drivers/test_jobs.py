"""``drivers`` in the child: sources that it opens itself, and those that come as devices."""

import subprocess
from pathlib import Path

import pytest
from tests.drivers.inf.infs import GOOD, driver
from tests.filesystems.fat.images import FileDevice
from tests.machines.build import BuiltMachine
from tests.report.contract import printed

from bootgraft.errors import DriverSourceError
from bootgraft.events import silent
from bootgraft.jsontext import from_json, to_json
from bootgraft.report.device import DeviceSpec
from bootgraft.worker.ipc.drivers_request import DriversAction, DriversRequest
from bootgraft.worker.ipc.job import AnyOutcome, DriverSource, GivenSources, Job, Operation, Request
from bootgraft.worker.operations import run_job

LIST = DriversRequest(DriversAction.LIST)
SHOW = DriversRequest(DriversAction.SHOW, "xp", "x86")


@pytest.fixture
def package(tmp_path: Path, machine_cache: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "disk.inf").write_text(GOOD)
    (folder / "vdisk.sys").write_bytes(driver(machine_cache))
    return folder


def job_of(devices: tuple[DeviceSpec, ...], source: DriverSource, request: DriversRequest) -> Job:
    return Job(
        request=Request(operation=Operation.DRIVERS, targets=("kvm:virtio-blk",), drivers=request),
        devices=devices,
        disks=0,
        sources=GivenSources(drivers=(source,)),
    )


def by_path(path: Path, request: DriversRequest) -> AnyOutcome:
    job = job_of((), DriverSource(str(path)), request)
    assert from_json(to_json(job), Job) == job
    assert job.location == str(path)
    return run_job(job, [], [], monitor=silent)


def by_device(path: Path, request: DriversRequest) -> AnyOutcome:
    device = FileDevice(path)
    spec = DeviceSpec(str(path), "raw", device.size)
    job = job_of((spec,), DriverSource(str(path), 0), request)
    assert from_json(to_json(job), Job) == job
    return run_job(job, [], [device], monitor=silent)


def test_a_folder(package: Path) -> None:
    listed = by_path(package, LIST)
    assert (listed.status, len(printed(listed.document)["infs"])) == (0, 1)
    shown = by_path(package, SHOW)
    (choice,) = printed(shown.document)["choices"]
    assert (shown.status, choice["chosen"]["service"]) == (0, "disk0")


def test_a_floppy(package: Path, tmp_path: Path) -> None:
    image = tmp_path / "f6.img"
    subprocess.run(["mformat", "-C", "-f", "1440", "-i", image], check=True)
    subprocess.run(["mcopy", "-i", image, package / "disk.inf", package / "vdisk.sys", "::"], check=True)
    (choice,) = printed(by_device(image, SHOW).document)["choices"]
    assert choice["chosen"]["inf"] == "disk.inf"


def test_a_disk_is_no_package(server1: BuiltMachine) -> None:
    with pytest.raises(DriverSourceError, match="this is a disk image and no driver package") as caught:
        by_device(server1.disk, LIST)
    assert "drivers harvest" in caught.value.advice


def test_a_damaged_floppy_is_one_error(tmp_path: Path) -> None:
    image = tmp_path / "f6.img"
    subprocess.run(["mformat", "-C", "-f", "1440", "-i", image], check=True)
    image.write_bytes(image.read_bytes()[:4096])
    with pytest.raises(DriverSourceError, match="cannot be read") as caught:
        by_device(image, LIST)
    assert str(image) in caught.value.where
