"""The command that fixes a finding, as words for a program to run."""

import shlex
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.finding import FaultPlace, Finding, Remedy, Severity
from bootgraft.report.device import DeviceSpec
from bootgraft.report.documents.verdict import RemediationDocument
from bootgraft.report.next_steps import NOTHING_ELSE, Given, RepairOptions, has_wrong_firmware

_VALUED: Final[dict[Remedy, Literal["--drivers", "--boot-code"]]] = {
    Remedy.DRIVER: "--drivers",
    Remedy.BOOT_CODE: "--boot-code",
}


class RepairContext(Struct, frozen=True):
    """What the command of a repair is made of: the diagnoses of its targets, the images, what was said beside them.

    A repair is one for all findings, as nothing is written before every blocker is fixed: so each finding has the same
    command, but for the option that asks for what is only offered.
    """

    diagnoses: tuple[Diagnosis, ...] = ()
    images: Sequence[DeviceSpec] = ()
    given: Given = NOTHING_ELSE

    def remediation(self, finding: Finding) -> RemediationDocument:
        """How this finding is fixed, or why no command does it."""
        reason = self._obstacle(finding)
        if reason is not None:
            return RemediationDocument(None, (), (), reason)
        options = RepairOptions.of(self.diagnoses, self.given)
        own = [f"--fix {finding.id}"] if finding.remedy is Remedy.OFFERED else []
        plain = [each for each in options.sources if " " not in each]
        said = dict.fromkeys((*options.targets, *self.given.options, *options.advised, *own, *plain))
        return RemediationDocument(
            argv=("bootgraft", "repair", *(each.location for each in self.images), *shlex.split(" ".join(said))),
            needs=tuple(option for remedy, option in _VALUED.items() if remedy in options.remedies),
            consents=options.consents,
            reason=None,
        )

    def _obstacle(self, finding: Finding) -> str | None:
        """Why no command of ours fixes it."""
        if finding.skipped:
            return "it is left as it is, as --skip asks for"
        if not finding.fixable:
            return _unfixable(finding)
        if all(each.controller is None for each in self.diagnoses):
            return "the command needs a target, and none was given"
        if all(map(has_wrong_firmware, self.diagnoses)):
            return "no repair makes this Windows start with the firmware of the target"
        return None


def _unfixable(finding: Finding) -> str:
    if finding.fault_in is FaultPlace.OUTSIDE:
        return "the fault lies outside the image, in the new machine"
    return "there is nothing to repair" if finding.severity is Severity.INFO else "bootgraft cannot repair it"
