"""All rules, and which one fits a message."""

from bootgraft.explain import converter_rules, virtv2v_rules
from bootgraft.explain.record import Tool
from bootgraft.explain.rules import Rule

RULES = (*converter_rules.RULES, *virtv2v_rules.RULES)

_WORDS = (
    "fail", "fault", "unable", "timed out", "signature(", "nbd_err", "i/o error", "no root", "inspection field",
    "multi-boot", "root device", "mounted read-only", "not an installed", "not enough", "insufficient",
    "could not write", "no virtio", "not have virtio",
)  # fmt: skip
"""A message that a rule fits has one of these; looking for them first is what makes gigabytes bearable."""


def rule_for(text: str, tool: Tool) -> Rule | None:
    """The first rule that fits a message of the tool, in the order of the catalogue."""
    flat = " ".join(text.split())
    low = flat.lower()
    if not any(word in low for word in _WORDS):
        return None
    return next((rule for rule in RULES if tool in rule.tools and rule.pattern.search(flat)), None)
