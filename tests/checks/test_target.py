"""What can be judged, and what is only said to be unknown."""

import pytest
from tests.checks.cases import installation

from bootgraft.checks.finding import Severity
from bootgraft.checks.target import is_judged, no_target, not_judged
from bootgraft.targets.controllers import CONTROLLERS, Attachment, Controller, find_controller

LSI = find_controller("vmware:lsilogic")


@pytest.mark.parametrize(
    ("version", "judged"),
    [
        ((0, 0), False), ((4, 0), False), ((5, 0), True), ((5, 1), True), ((5, 2), True), ((6, 0), False),
        ((10, 0), False),
    ],
)  # fmt: skip
def test_which_windows_are_judged(version: tuple[int, int], judged: bool) -> None:
    assert is_judged(version, LSI) is judged


@pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda each: each.target)
def test_only_miniports_are_judged(controller: Controller) -> None:
    assert is_judged((5, 2), controller) is (controller.attachment is Attachment.PCI_MINIPORT)


def test_why_it_cannot_be_judged() -> None:
    found = not_judged(installation(version=(6, 1)), LSI)
    assert found.severity is Severity.INFO
    assert found.title == "bootgraft cannot tell whether Microsoft Windows Server 2003 starts on vmware:lsilogic"
    assert "NT 6.1 binds boot drivers in another way" in found.evidence[0]
    found = not_judged(installation(), find_controller("vmware:ide"))
    assert "attached as ide" in found.evidence[0]


def test_no_target() -> None:
    assert "--target" in no_target().explanation
