"""Each rule knows the message that it quotes, and no other rule takes it."""

import textwrap

import pytest

from bootgraft.explain.converters import converter, virtv2v
from bootgraft.explain.converters.catalogue import GRAMMARS
from bootgraft.explain.grammar import Grammar
from bootgraft.explain.logreader import LogReader
from bootgraft.explain.reading import lines
from bootgraft.explain.rules import MessageKind, Rule

RULES = [(grammar, rule) for grammar in GRAMMARS for rule in grammar.rules]


@pytest.mark.parametrize(("grammar", "rule"), RULES, ids=[rule.id for _, rule in RULES])
def test_the_quoted_message_is_known(grammar: Grammar, rule: Rule) -> None:
    assert grammar.rule_for(rule.quoted) is rule
    assert grammar.rule_for(rule.quoted.upper() if rule.id.startswith("v2v") else rule.quoted) is rule
    for other in GRAMMARS:
        assert other is grammar or other.rule_for(rule.quoted) is None


@pytest.mark.parametrize("rule", [rule for _, rule in RULES], ids=[rule.id for _, rule in RULES])
def test_a_message_is_found_behind_many_that_are_nearly_it(rule: Rule) -> None:
    nearly = " ".join(rule.quoted[:size] for size in (8, 16, len(rule.quoted) // 2, len(rule.quoted) - 12))
    text = f"{nearly} " * (16384 // len(nearly))
    assert rule.pattern.search(text + rule.quoted) is not None


def test_what_a_rule_explains_is_there() -> None:
    ids = {rule.id for _, rule in RULES}
    for _, rule in RULES:
        assert set(rule.explains) <= ids - {rule.id}
        assert not rule.answers_alone or rule.kind is MessageKind.HINT


def test_every_program_is_there_once() -> None:
    tools = [tool.name for grammar in GRAMMARS for tool in grammar.tools]
    assert len(set(tools)) == len(tools)


@pytest.mark.parametrize("rule", virtv2v.GRAMMAR.rules, ids=lambda each: each.id)
@pytest.mark.parametrize("width", [50, 72, 100])
def test_virt_v2v_wraps_its_messages(rule: Rule, width: int) -> None:
    text = "\n".join(textwrap.wrap(f"virt-v2v: error: {rule.quoted}", width, break_on_hyphens=False))
    reader = LogReader()
    reader.read("v2v.log", lines([f"{text}\n\nIf reporting bugs, run virt-v2v with debugging enabled\n".encode()]))
    (match,) = reader.report().matches
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
    rule = converter.GRAMMAR.rule_for(text)
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
    rule = virtv2v.GRAMMAR.rule_for(text)
    assert (rule.id if rule else None) == expected
