"""Gate 2 on NT 4 to Server 2003: are there switches in the default entry that were meant for the old machine?"""

from bootgraft.boot.bootswitches import SwitchEffect
from bootgraft.boot.chain import BootChain
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage

ID = "boot-ini-switches"
DOC = FindingDoc(
    id=ID,
    applies_to="Windows NT 4 to Server 2003, and ReactOS",
    cause="The default entry of boot.ini has switches that were set for the hardware of the old machine, or to look "
    "into a fault of it: /HAL= and /KERNEL=, /MAXMEM=, /NUMPROC=, /ONECPU, /PCILOCK, /SAFEBOOT:, /DEBUG and others.",
    evidence="The line, each such switch, and what it does; for /HAL= and /KERNEL= whether their file is there.",
    fix="None: they may be meant. The line is named; take out by hand what the new machine does not need.",
    limits="Only the default entry. A blocker where a file of /HAL= or /KERNEL= is not in system32, info for what does "
    "no harm on any machine.",
    references=(
        "https://learn.microsoft.com/windows-hardware/drivers/devtest/boot-options-in-a-boot-ini-file",
        "https://learn.microsoft.com/troubleshoot/windows-server/performance/switch-options-for-boot-files",
    ),
)
_SEVERITY = {
    SwitchEffect.STOPS: Severity.BLOCKER,
    SwitchEffect.REVIEW: Severity.WARNING,
    SwitchEffect.HARMLESS: Severity.INFO,
}
_TITLE = {
    SwitchEffect.STOPS: "the default entry of the boot menu loads a file that is not there",
    SwitchEffect.REVIEW: "the default entry of the boot menu has switches that were meant for the old machine",
    SwitchEffect.HARMLESS: "the default entry of the boot menu has switches that do nothing in a new machine",
}
_MEANING = {
    SwitchEffect.STOPS: "The loader stops: 'Windows could not start because the following file is missing or corrupt'. "
    "Take the switch out of that line, or put the file back.",
    SwitchEffect.REVIEW: "Windows starts with them, and may be slower, smaller or without most of its services. Take "
    "out of that line what the new machine does not need.",
    SwitchEffect.HARMLESS: "They can stay.",
}


def check(chain: BootChain) -> tuple[Finding, ...]:
    """One finding for each kind of switch that there is, the worst first."""
    if chain.review is None:
        return ()
    findings = []
    for effect in SwitchEffect:
        switches = [each for each in chain.review.switches if each.effect is effect]
        if switches:
            evidence = (chain.review.where, *(f"{each.text}: {each.meaning}" for each in switches))
            findings.append(Finding(ID, _SEVERITY[effect], _TITLE[effect], _MEANING[effect], evidence))
    return tuple(findings)


CHECK = Check(Stage.CHAIN, 40, (DOC,), lambda guest: check(guest.chain))
