"""Jobs and outcomes as JSON: what goes in comes out, and an answer that is none is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.changes import EditVmFile, WitnessRange
from bootgraft.report.device import DeviceSpec
from bootgraft.worker.job import Job, Operation, Outcome

names = st.text(max_size=12)
sizes = st.integers(0, 2**63)
specs = st.builds(DeviceSpec, names, names, sizes)
many = st.lists(names, max_size=3).map(tuple)
jobs = st.builds(
    Job,
    st.sampled_from(Operation),
    st.lists(specs, min_size=1, max_size=3).map(tuple),
    st.integers(0, 3),
    many,
    many,
    many,
    st.none() | names,
)
witnesses = st.lists(st.builds(WitnessRange, st.integers(0, 9), sizes, sizes), max_size=3).map(tuple)
documents = st.dictionaries(names, names, max_size=3).map(json.dumps)
outcomes = st.builds(Outcome, st.sampled_from([0, 1]), documents, names, st.booleans(), names, witnesses)
GOOD = json.loads(Outcome(0, "{}", "text").to_json())


@given(job=jobs)
@settings(max_examples=50, deadline=None)
def test_a_job_comes_out_as_it_went_in(job: Job) -> None:
    assert Job.from_json(job.to_json()) == job


@given(outcome=outcomes)
@settings(max_examples=50, deadline=None)
def test_an_outcome_comes_out_as_it_went_in(outcome: Outcome) -> None:
    assert Outcome.from_json(outcome.to_json()) == outcome


@pytest.mark.parametrize(
    "change",
    [
        {"status": 2},
        {"status": "0"},
        {"status": True},
        {"proven": 1},
        {"proven": None},
        {"document": "no json"},
        {"document": {}},
        {"text": None},
        {"summary": 7},
        {"witnesses": [{"disk": 0, "offset": -1, "length": 1}]},
        {"witnesses": [{"disk": 0, "offset": 1.5, "length": 1}]},
        {"witnesses": [{"disk": 0}]},
        {"witnesses": None},
        {"stray": 1},
    ],
    ids=str,
)
def test_an_outcome_with_a_wrong_member_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Outcome.from_json(json.dumps({**GOOD, **change}).encode())


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b'"text"', b"null", b"{}", b"{", b"\xff"])
def test_what_is_no_outcome_is_refused(payload: bytes) -> None:
    with pytest.raises((TypeError, KeyError, AttributeError, ValueError)):
        Outcome.from_json(payload)


def test_what_a_description_says_comes_through() -> None:
    edit = EditVmFile("a.vmx", ("ethernet0",), False, bytes(range(256)), b"\xff\x00")
    job = Job(
        Operation.REPAIR, (), 0, vm_path="a.vmx", vm_firmware="UEFI", controllers=("kvm:lsi", None), vm_edit=edit,
        recommend=True,
    )  # fmt: skip
    assert Job.from_json(job.to_json()) == job
