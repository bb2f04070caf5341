"""Jobs and outcomes as JSON: what goes in comes out, and an answer that is none is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootgraft.changes import EditVmFile, WitnessRange
from bootgraft.jsontext import from_json, to_json
from bootgraft.repair.consent import Consent
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.registry import QueryDocument
from bootgraft.report.layout.lines import LineRole, PrintedLine, Tone
from bootgraft.targets.descriptions.hardware import BootOrder, Processor
from bootgraft.worker.ipc.drivers_request import DriversAction, DriversRequest
from bootgraft.worker.ipc.job import (
    DescribedMachine,
    DriverSource,
    GivenSources,
    Job,
    Operation,
    Outcome,
    Request,
    outcome_form,
)
from bootgraft.worker.ipc.registry_request import RegistryAction, RegistryRequest

names = st.text(st.characters(), max_size=12)  # lone surrogates too: a path need not be Unicode
sizes = st.integers(0, 2**63)
specs = st.builds(DeviceSpec, names, names, sizes)
many = st.lists(names, max_size=3).map(tuple)
requests = st.builds(
    Request,
    operation=st.sampled_from(Operation),
    targets=many,
    windows=st.none() | names,
    detailed=st.booleans(),
    recommend=st.booleans(),
    registry=st.none() | st.builds(RegistryRequest, st.sampled_from(RegistryAction), names, st.none() | names),
    drivers=st.none() | st.builds(DriversRequest, st.sampled_from(DriversAction), st.none() | names),
)
sources = st.builds(
    GivenSources,
    drivers=st.lists(st.builds(DriverSource, names, st.none() | st.integers(0, 9)), max_size=2).map(tuple),
    reg_files=many,
    driver_files=many,
    boot_codes=st.integers(0, 3),
)
described = st.builds(
    DescribedMachine,
    path=names,
    firmware=st.none() | st.sampled_from(["BIOS", "UEFI"]),
    controllers=st.lists(st.none() | names, max_size=3).map(tuple),
    sector_sizes=st.lists(st.none() | sizes, max_size=3).map(tuple),
    boot_order=st.none() | st.builds(BootOrder, many, st.booleans(), st.booleans(), names, st.none() | sizes, names),
    processor=st.none() | st.builds(Processor, names, names, st.none() | sizes, names, many, many),
    edit=st.none() | st.builds(EditVmFile, names, many, st.booleans(), st.binary(), st.binary()),
)
jobs = st.builds(
    Job,
    request=requests,
    devices=st.lists(specs, min_size=1, max_size=3).map(tuple),
    disks=st.integers(0, 3),
    consent=st.builds(Consent, reset_journal=st.booleans(), discard_hibernation=st.booleans()),
    sources=sources,
    described=st.none() | described,
)
witnesses = st.lists(st.builds(WitnessRange, st.integers(0, 9), sizes, sizes), max_size=3).map(tuple)
documents = st.none() | st.builds(QueryDocument, st.just(()), names)
numbers = st.lists(st.integers(0, 9), max_size=3).map(tuple)
parts = st.lists(st.tuples(names, sizes), max_size=3).map(tuple)
lines = names | st.builds(PrintedLine, names, st.sampled_from(LineRole), st.sampled_from(Tone), numbers, parts)
texts = st.lists(lines, max_size=3).map(tuple)
outcomes = st.builds(Outcome, st.sampled_from([0, 1]), documents, texts, st.booleans(), names, witnesses)
GOOD = json.loads(to_json(Outcome(0, QueryDocument(keys=()), ("text",))))


def read(payload: bytes) -> object:
    return from_json(payload, outcome_form(Operation.REGISTRY))


@given(job=jobs)
@settings(max_examples=50, deadline=None)
def test_a_job_comes_out_as_it_went_in(job: Job) -> None:
    assert from_json(to_json(job).encode(), Job) == job


@given(outcome=outcomes)
@settings(max_examples=50, deadline=None)
def test_an_outcome_comes_out_as_it_went_in(outcome: Outcome[Any]) -> None:
    assert read(to_json(outcome).encode()) == outcome


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
        {"document": {"schema": "bootgraft-reg-query/1"}},
        {"document": {"schema": "bootgraft-reg-query/1", "keys": {}}},
        {"document": {"schema": "bootgraft-doctor/1", "parts": []}},
        {"text": None},
        {"text": "one line"},
        {"text": [7]},
        {"text": [["a line", "no role"]]},
        {"text": [["a line", "row", "plain", [-1]]]},
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
    with pytest.raises(ValueError, match=r"`|Invalid|Object"):
        read(json.dumps({**GOOD, **change}).encode())


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b'"text"', b"null", b"{}", b"{", b"\xff"])
def test_what_is_no_outcome_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expect|Object|decode"):
        read(payload)


def test_what_a_description_says_comes_through() -> None:
    edit = EditVmFile("a.vmx", ("ethernet0",), False, bytes(range(256)), b"\xff\x00")
    machine = DescribedMachine(path="a.vmx", firmware="UEFI", controllers=("kvm:lsi", None), edit=edit)
    job = Job(request=Request(operation=Operation.REPAIR, recommend=True), devices=(), disks=0, described=machine)
    assert from_json(to_json(job), Job) == job


def test_consents_have_names() -> None:
    with pytest.raises(TypeError):
        Consent(True, False)  # type: ignore[call-arg]
