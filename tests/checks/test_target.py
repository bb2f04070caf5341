"""What can be judged, and what is only said to be unknown."""

from dataclasses import replace

import pytest
from tests.checks.cases import installation

from bootgraft.checks.finding import Severity
from bootgraft.checks.target import is_judged, no_target, not_judged
from bootgraft.targets.controllers import CONTROLLERS, Attachment, Controller, find_controller
from bootgraft.windows.installation import Architecture

LSI = find_controller("vmware:lsilogic")


@pytest.mark.parametrize(
    ("version", "judged"),
    [
        ((0, 0), False), ((4, 0), False), ((5, 0), True), ((5, 1), True), ((5, 2), True), ((6, 0), False),
        ((10, 0), False),
    ],
)  # fmt: skip
def test_which_windows_are_judged(version: tuple[int, int], judged: bool) -> None:
    assert is_judged(installation(version=version), LSI) is judged


@pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda each: each.target)
def test_only_miniports_are_judged(controller: Controller) -> None:
    assert is_judged(installation(), controller) is (controller.attachment is Attachment.PCI_MINIPORT)


def test_why_it_cannot_be_judged() -> None:
    found = not_judged(installation(version=(6, 1)), LSI)
    assert found.severity is Severity.INFO
    assert found.title == "bootgraft cannot tell whether Microsoft Windows Server 2003 starts on vmware:lsilogic"
    assert "NT 6.1 binds boot drivers in another way" in found.evidence[0]
    found = not_judged(installation(), find_controller("vmware:ide"))
    assert "attached as ide" in found.evidence[0]


def test_what_could_not_be_read_is_the_reason() -> None:
    lost = replace(installation(version=(0, 0)), notes=("the product and version are unknown: SOFTWARE: damaged",))
    assert not_judged(lost, LSI).evidence == (f"{lost.volume.name}: {lost.notes[0]}",)
    odd = replace(installation(), arch=Architecture.UNKNOWN)
    assert not is_judged(odd, LSI)
    assert "architecture is unknown" in not_judged(odd, LSI).evidence[0]


def test_no_target() -> None:
    assert "--target" in no_target().explanation
