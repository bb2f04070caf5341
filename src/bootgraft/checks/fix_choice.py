"""Which findings the user wants repaired beside those that are by default, and which not."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.checks.finding import Finding, Remedy


class FixChoice(Struct, frozen=True):
    """Ids of findings: ``fix`` asks for what is only offered, ``skip`` leaves out what is repaired otherwise.

    ``add_system_partition`` asks for a new partition where one was left behind.
    """

    fix: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    add_system_partition: bool = False

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings, with changes only where they are to be made."""
        return tuple(map(self._choose, findings))

    def _choose(self, finding: Finding) -> Finding:
        if finding.id in self.skip and finding.remedy is not Remedy.NONE:
            return replace(finding, remedy=Remedy.SKIPPED, changes=())
        if finding.remedy is Remedy.ADD_PARTITION:
            return (
                replace(finding, remedy=Remedy.CHANGES) if self.add_system_partition else replace(finding, changes=())
            )
        if finding.remedy is not Remedy.OFFERED:
            return finding
        if finding.id in self.fix:
            return replace(finding, remedy=Remedy.CHANGES)
        return replace(finding, changes=())
