"""All that is said of what a BIOS reads before it reads a file."""

from tests.checks.guests import followed

from bootgraft.boot.bios.bootcode import CodeSource, none_given
from bootgraft.changes import WriteSectors
from bootgraft.checks.catalogue import checks
from bootgraft.checks.chain import bios
from bootgraft.checks.finding import Finding, Stage
from bootgraft.machine import Machine


def find_faults(machine: Machine, boot_code: CodeSource = none_given) -> tuple[Finding, ...]:
    guest = followed(machine, boot_code=boot_code)
    if not bios.applies(guest):
        return ()
    ids = {"mbr-code-missing", "active-partition-wrong"}
    found = [finding for check in checks(Stage.CHAIN, guest) if check.find for finding in check.find(guest)]
    return tuple(each for each in found if each.id in ids or each.id.startswith("boot-sector-"))


def sectors_of(finding: Finding) -> tuple[WriteSectors, ...]:
    """The changes of a finding that writes nothing but sectors."""
    return tuple(each for each in finding.changes if isinstance(each, WriteSectors))
