"""The documentation says what the code does."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest
from benchmarks.fuzz.__main__ import KINDS

from bootgraft import __version__
from bootgraft.checks.catalogue import documentation
from bootgraft.explain.converters.catalogue import GRAMMARS
from bootgraft.report.documents.schemas import schema_pages
from bootgraft.report.findings import findings_page
from bootgraft.report.logrules import rules_page

ROOT = Path(__file__).parent.parent


def test_findings_page_is_what_the_checks_say() -> None:
    page = (ROOT / "docs" / "findings.md").read_text()
    assert page == findings_page(), "run: python -m bootgraft.report.findings > docs/findings.md"


def test_every_finding_says_cause_evidence_and_fix() -> None:
    for doc in documentation():
        assert all((doc.id, doc.applies_to, doc.cause, doc.evidence, doc.fix)), doc.id


def test_finding_ids_are_unique() -> None:
    ids = [doc.id for doc in documentation()]
    assert len(ids) == len(set(ids))


def test_page_of_logs_is_what_the_rules_say() -> None:
    page = (ROOT / "docs" / "logs.md").read_text()
    assert page == rules_page(), "run: python -m bootgraft.report.logrules > docs/logs.md"


def test_schemas_are_what_the_documents_say() -> None:
    files = {path.name: json.loads(path.read_text()) for path in (ROOT / "docs" / "schema").iterdir()}
    made = {name: json.loads(page) for name, page in schema_pages().items()}
    assert files == made, "run: python -m bootgraft.report.documents.schemas docs/schema"


def test_schemas_are_told_on_the_page() -> None:
    page = (ROOT / "docs" / "json.md").read_text()
    told = {f"{name}-{version}.json" for name, version in re.findall(r'"bootgraft-([a-z-]+)/(\d+)"', page)}
    assert told == set(schema_pages())


def test_every_rule_says_what_it_means_and_who_documents_it() -> None:
    rules = [rule for grammar in GRAMMARS for rule in grammar.rules]
    for rule in rules:
        assert all((rule.quoted, rule.headline, rule.cause, rule.meaning, rule.next_step)), rule.id
        assert rule.sources, rule.id
        assert all(source.startswith("https://") for source in rule.sources), rule.id
    ids = [rule.id for rule in rules]
    assert len(ids) == len(set(ids))


def test_readme_is_short_enough_to_read_at_night() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "benchmarks/README.md",
    )
]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
DECISIONS = [page for page in PAGES if page.parent.name == "decisions" and page.name != "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_leads_to_is_there(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    named = re.findall(r"`((?:src|tests|benchmarks|docs|tools)/[\w./-]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_campaigns_that_a_page_names_can_be_run(page: Path) -> None:
    for module, kind in re.findall(r"python -m (benchmarks[.\w]*)(?: ([a-z]+))?", page.read_text()):
        assert importlib.util.find_spec(module) is not None, module
        assert module != "benchmarks.fuzz" or not kind or kind in KINDS, kind


def test_every_promise_is_tested() -> None:
    page = (ROOT / "docs" / "safety.md").read_text()
    promises = re.findall(r"^(\d+)\. \*\*", page, re.MULTILINE)
    tested = re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE)
    assert [number for number, _ in tested] == promises
    assert all("`tests/" in words for _, words in tested)


def test_every_decision_is_listed_by_its_title() -> None:
    listed = re.findall(r"^- \[(.*)\]\(docs/decisions/(.*)\)$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    titles = [(page.read_text().splitlines()[0].removeprefix("# "), page.name) for page in DECISIONS]
    assert sorted(listed) == sorted(titles)


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_why_instead_of_what_and_by_what_evidence(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^\*\*(Why|Considered|Evidence)\.\*\*", text, re.MULTILINE) == ["Why", "Considered", "Evidence"]
    assert re.search(r"`tests/[\w./-]+`", text.partition("**Evidence.**")[2])
    assert len(text.splitlines()) <= 35


def test_the_newest_change_is_of_this_version() -> None:
    versions = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__
    assert versions == sorted(versions, key=lambda each: [int(part) for part in each.split(".")], reverse=True)


def test_a_build_finds_the_version() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert f'__version__ = "{__version__}"' in (ROOT / settings["tool"]["hatch"]["version"]["path"]).read_text()
