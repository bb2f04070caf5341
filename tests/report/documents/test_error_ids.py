"""Every error has an id, every id a meaning and a place that raises it."""

import ast
from pathlib import Path
from typing import get_args

import bootgraft
from bootgraft import errors
from bootgraft.errors import BootgraftError, ErrorId
from bootgraft.report.documents.error_ids import MEANINGS, errors_page

PACKAGE = Path(bootgraft.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
FAMILY = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, BootgraftError)]


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == errors_page(), "run: python -m bootgraft.report.documents.error_ids > docs/errors.md"


def test_every_id_has_a_meaning() -> None:
    assert list(MEANINGS) == sorted(get_args(ErrorId))
    assert all(text.endswith(".") for text in MEANINGS.values())


def test_every_class_has_an_id_of_its_own() -> None:
    ids = [each.usual_id for each in FAMILY]
    assert len(set(ids)) == len(FAMILY)
    assert set(ids) <= set(get_args(ErrorId))


def test_an_error_has_the_id_of_its_class_or_the_one_it_was_given() -> None:
    assert errors.ImageInUseError("a", where="b", advice="c").id == "image-in-use"
    assert errors.JournalError("a", where="b", advice="c", id="repair-unfinished").id == "repair-unfinished"


def _given_ids() -> set[str]:
    """The ids in calls: ``id="…"``, in a choice of two as well."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and any(each.arg == "advice" for each in node.keywords):
                given = [each.value for each in node.keywords if each.arg == "id"]
                found |= {
                    str(each.value) for value in given for each in ast.walk(value) if isinstance(each, ast.Constant)
                }
    return found


def test_every_id_is_raised_somewhere() -> None:
    usual = {"worker-failed", "not-a-binary", *(each.usual_id for each in FAMILY)}
    assert set(get_args(ErrorId)) - usual - _given_ids() == set()
