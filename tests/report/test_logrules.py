"""The page of messages."""

from bootgraft.explain.catalogue import RULES
from bootgraft.report.logrules import rules_page


def test_every_rule_is_on_the_page_with_its_sources() -> None:
    page = rules_page()
    for rule in RULES:
        entry = page.split(f"\n## {rule.id}\n", 1)[1].split("\n## ")[0]
        assert rule.quoted in entry
        assert all(f"<{source}>" in entry for source in rule.sources)
    assert rules_page(RULES[:1]).count("\n## ") == 1
