"""Each rule knows the message that it quotes, and no other rule takes it."""

import textwrap

import pytest

from bootgraft.explain.catalogue import RULES, rule_for
from bootgraft.explain.reading import lines
from bootgraft.explain.record import Tool
from bootgraft.explain.rules import Rule
from bootgraft.explain.story import StoryReader

BY_ID = {rule.id: rule for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=BY_ID)
def test_the_quoted_message_is_known(rule: Rule) -> None:
    for tool in rule.tools:
        assert rule_for(rule.quoted, tool) is rule
        assert rule_for(rule.quoted.upper() if rule.id.startswith("v2v") else rule.quoted, tool) is rule
    for tool in set(Tool) - set(rule.tools):
        assert rule_for(rule.quoted, tool) is None


@pytest.mark.parametrize("rule", [each for each in RULES if Tool.V2V in each.tools], ids=lambda each: each.id)
@pytest.mark.parametrize("width", [50, 72, 100])
def test_virt_v2v_wraps_its_messages(rule: Rule, width: int) -> None:
    text = "\n".join(textwrap.wrap(f"virt-v2v: error: {rule.quoted}", width, break_on_hyphens=False))
    reader = StoryReader()
    reader.read("v2v.log", lines([f"{text}\n\nIf reporting bugs, run virt-v2v with debugging enabled\n".encode()]))
    (match,) = reader.story().matches
    assert match.rule is rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "98% FAILED: Unable to find the system volume, reconfiguration is not possible.",
            "converter-system-volume-not-found",
        ),
        ("event.ObtainHelperVmIpFailedEvent.summary", "converter-helper-address"),
        ("Virtual machine reconfiguration failed", "converter-reconfiguration"),
        ("ReconfigTask succeeded", None),
        ("multi(0)disk(0)rdisk(0)partition(1)", None),
        ("converter.fault.SomethingElse", None),
    ],
)
def test_messages_of_converter(text: str, expected: str | None) -> None:
    rule = rule_for(text, Tool.CONVERTER)
    assert (rule.id if rule else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dual- or multi-boot operating system detected.  Choose the root filesystem", "v2v-several-roots"),
        ("root device /dev/sda3 not found.  Roots found were: /dev/sda1 /dev/sda2", "v2v-several-roots"),
        ("exception: End_of_file", None),
    ],
)
def test_messages_of_virt_v2v(text: str, expected: str | None) -> None:
    rule = rule_for(text, Tool.V2V_IN_PLACE)
    assert (rule.id if rule else None) == expected
