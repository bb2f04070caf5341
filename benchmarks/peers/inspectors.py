"""Libraries that look into images without a virtual machine, and change nothing."""

from benchmarks.disks import Case
from benchmarks.measure import Words
from benchmarks.peers.peer import Peer, found, version_beside
from benchmarks.subjects import Question


def peers() -> list[Peer]:
    """Where they are."""
    return [
        Peer(
            "dissect.target",
            "PyPI: dissect.target (AGPL), in an environment of its own",
            lambda: found("target-info"),
            lambda: version_beside("target-info", "dissect.target"),
            {Question.INSPECT: _target_info},
        )
    ]


def _target_info(case: Case) -> Words | None:
    return (found("target-info") or "", case.image) if case.subject.disk_gb else None
