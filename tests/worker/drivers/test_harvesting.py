"""``drivers harvest`` in the child: the document announces what the output then carries."""

import hashlib

from tests.machines.build import BuiltMachine
from tests.report.contract import printed
from tests.worker.in_process import overlays_on

from bootgraft.events import silent
from bootgraft.report.device import DeviceSpec
from bootgraft.worker.ipc.drivers_request import DriversAction, DriversRequest
from bootgraft.worker.ipc.job import Job, Operation, Request
from bootgraft.worker.operations import run_job


def test_contents_follow_one_another_as_announced(donor: BuiltMachine) -> None:
    disks = overlays_on(donor.disk)
    spec = DeviceSpec("donor.raw", "raw", disks[0].size)
    request = DriversRequest(DriversAction.HARVEST)
    asked = Request(operation=Operation.DRIVERS, targets=("vmware:lsilogic",), drivers=request)
    job = Job(request=asked, devices=(spec,), disks=1)
    pieces: list[bytes] = []
    outcome = run_job(job, disks, [], monitor=silent, output=pieces.append)
    files = printed(outcome.document)["files"]
    content = b"".join(pieces)
    assert [file["name"] for file in files] == ["symmpi.reg", "symmpi.sys"]
    for file in files:
        data, content = content[: file["size"]], content[file["size"] :]
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    assert content == b""
    assert not disks[0].changed
