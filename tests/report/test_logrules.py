"""The page of messages."""

from bootgraft.explain.converters.catalogue import GRAMMARS
from bootgraft.report.logrules import rules_page


def test_every_rule_is_on_the_page_with_its_sources() -> None:
    page = rules_page()
    rules = [rule for grammar in GRAMMARS for rule in grammar.rules]
    for rule in rules:
        entry = page.split(f"\n## {rule.id}\n", 1)[1].split("\n## ")[0]
        assert rule.quoted in entry
        assert all(f"<{source}>" in entry for source in rule.sources)
    assert page.count("\n## ") == len(rules)
