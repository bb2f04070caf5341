"""Every check declares itself once, and is found without a list."""

from pathlib import Path

from bootgraft import checks as package
from bootgraft.checks.catalogue import checks, documentation
from bootgraft.checks.finding import Stage

HERE = Path(package.__file__).parent


def test_every_module_that_documents_a_finding_declares_a_check() -> None:
    documenting = [path for path in HERE.rglob("*.py") if "FindingDoc(\n" in path.read_text()]
    assert len(documenting) == sum(len(checks(stage)) for stage in Stage)
    assert all(path.parent.name in list(Stage) for path in documenting)


def test_a_check_belongs_to_the_stage_whose_wing_it_lies_in() -> None:
    for stage in Stage:
        assert checks(stage)
        assert {check.stage for check in checks(stage)} == {stage}


def test_the_order_of_checks_does_not_depend_on_the_names_of_their_modules() -> None:
    for stage in Stage:
        ranks = [check.rank for check in checks(stage)]
        assert len(set(ranks)) == len(ranks)
        assert ranks == sorted(ranks)


def test_every_check_documents_what_it_finds() -> None:
    assert all(check.docs for stage in Stage for check in checks(stage))
    assert len(documentation()) > 50
