"""What a driver imports from: missing, of another processor, or no binary at all."""

import pytest
from msgspec.structs import replace
from tests.checks.controller.control_sets import DRIVER, IMPORTS, facts, good_set

from bootgraft.checks.controller.driver_imports import ID, check
from bootgraft.checks.finding import Remedy, Severity
from bootgraft.windows.driver_files import ImportFacts
from bootgraft.windows.pe import Architecture

PLACE = "\\WINDOWS\\system32\\drivers\\storport.sys"


@pytest.mark.parametrize(
    ("imported", "said"),
    [
        (
            ImportFacts("storport.sys", None, None),
            "storport.sys, which is neither in system32\\drivers nor",
        ),
        (ImportFacts("storport.sys", PLACE, Architecture.X64), f"{PLACE} is built for x64, this Windows is x86"),
        (
            ImportFacts("storport.sys", PLACE, Architecture.X86, ("StorPortInitialize", "#7", "A", "B", "C")),
            f"{PLACE} does not export StorPortInitialize, #7, A, B and 1 more",
        ),
        (
            ImportFacts("x.sys", None, None, importer=PLACE),
            f"x.sys, which is neither in system32\\drivers nor in system32 (needed by {PLACE})",
        ),
        (ImportFacts("storport.sys", PLACE, None), f"{PLACE} is built for nothing that can be determined"),
    ],
)
def test_each_kind_of_lack(imported: ImportFacts, said: str) -> None:
    found = check(facts(lambda n: replace(good_set(n), driver=replace(DRIVER, imports=(*IMPORTS, imported)))))
    assert [(each.id, each.severity) for each in found] == [(ID, Severity.BLOCKER), (ID, Severity.WARNING)]
    assert len(found[0].evidence) == 1
    assert said in found[0].evidence[0]
    assert found[0].remedy is Remedy.DRIVER


def test_every_lack_is_named() -> None:
    lacks = tuple(ImportFacts(name, None, None) for name in ("a.sys", "b.sys"))
    found = check(facts(lambda n: replace(good_set(n), driver=replace(DRIVER, imports=lacks))))
    assert [evidence.split("imports from ")[1].split(",")[0] for evidence in found[0].evidence] == ["a.sys", "b.sys"]


def test_without_a_driver_there_is_nothing_to_say() -> None:
    assert check(facts(lambda n: replace(good_set(n), driver=None))) == ()
