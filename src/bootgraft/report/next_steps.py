"""What to type next: the last lines of what ``check`` and ``repair`` print."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from bootgraft.checks.controller.target import FIRMWARE
from bootgraft.checks.diagnosis import Diagnosis, within
from bootgraft.checks.finding import Finding, Remedy, Severity
from bootgraft.report.device import DeviceSpec
from bootgraft.text import one_line


class Given(Struct, frozen=True):
    """What was said beside the images and has to be said again in the next command: ``options``, as they are typed.

    ``has_target``: the machine's description is among them, and says which controller each disk has. ``startable`` are
    the disks behind the first that could be started from by themselves: they may be another machine's.
    """

    options: tuple[str, ...] = ()
    has_target: bool = False
    startable: tuple[str, ...] = ()


NOTHING_ELSE = Given()


class RepairOptions(Struct, frozen=True):
    """What a repair for some targets is asked for, as it is typed: ``sources`` with words that are to be filled in.

    ``consents`` are the options by which a loss is agreed to, ``advised`` those for what is offered and matters.
    """

    remedies: frozenset[Remedy]
    targets: tuple[str, ...]
    consents: tuple[str, ...]
    advised: tuple[str, ...]
    sources: tuple[str, ...]

    @staticmethod
    def of(diagnoses: Sequence[Diagnosis], given: Given) -> "RepairOptions":
        """What these diagnoses ask for, with what was said beside the images."""
        findings = tuple(finding for each in diagnoses for finding in each.findings)
        targets = [f"--target {each.controller.target}" for each in diagnoses if each.controller is not None]
        offers = [each for each in findings if each.remedy is Remedy.OFFERED and each.severity is not Severity.INFO]
        return RepairOptions(
            remedies=frozenset({each.remedy for each in findings} - {Remedy.NONE, Remedy.SKIPPED}),
            targets=() if given.has_target else tuple(dict.fromkeys(targets)),
            consents=tuple(dict.fromkeys(each.consent for each in findings if each.consent)),
            advised=tuple(dict.fromkeys(f"--fix {each.id}" for each in offers)),
            sources=tuple(sources_asked_for(findings)),
        )


def command_lines(diagnosis: Diagnosis, images: Sequence[DeviceSpec], given: Given, *, tried: bool) -> Iterator[str]:
    """What cannot be repaired comes first: nothing is written before that."""
    if has_wrong_firmware(diagnosis):
        yield from other_target_lines(diagnosis, images, given)
        return
    unrepairable = tuple(unrepairable_lines([diagnosis], tried=tried))
    repairable = tuple(next_lines([diagnosis], images, given))
    yield from unrepairable
    if unrepairable and repairable and wants_repair(diagnosis.findings):
        yield from ("", "What else there is can be repaired after that.", *repairable[1:])
    else:
        yield from repairable


def sources_asked_for(findings: Iterable[Finding]) -> list[str]:
    """The options without which a repair lacks something that these findings want, drivers and consent aside."""
    remedies = {finding.remedy for finding in findings}
    given = ["--boot-code IMAGE"] if Remedy.BOOT_CODE in remedies else []
    return given + (["--add-system-partition"] if Remedy.ADD_PARTITION in remedies else [])


def has_wrong_firmware(diagnosis: Diagnosis) -> bool:
    """Whether the target's machines have a firmware that cannot start this Windows, so that no repair helps there."""
    return any(each.id == FIRMWARE and each.severity is Severity.BLOCKER for each in diagnosis.findings)


def other_target_lines(diagnosis: Diagnosis, images: Sequence[DeviceSpec], given: Given) -> Iterator[str]:
    """What to do where the target itself is wrong."""
    target = "this target" if diagnosis.controller is None else diagnosis.controller.target
    yield from ("", f"No repair makes it boot on {target}. To read why, run:", f"    bootgraft explain {FIRMWARE}")
    if not given.has_target:
        yield "To see on which targets it would boot, run:"
        yield f"    bootgraft check {_typed(images)}"


def _typed(images: Iterable[DeviceSpec]) -> str:
    return shlex.join(image.location for image in images)


def next_lines(
    diagnoses: Sequence[Diagnosis], images: Sequence[DeviceSpec], given: Given = NOTHING_ELSE
) -> Iterator[str]:
    """The one command that repairs the machine for the targets of these diagnoses; nothing where there is none."""
    diagnoses = [each for each in diagnoses if not has_wrong_firmware(each)]
    findings = tuple(dict.fromkeys(finding for each in diagnoses for finding in each.findings))
    options = RepairOptions.of(diagnoses, given)
    remedies = options.remedies
    if all(each.controller is None for each in diagnoses) or not remedies:
        return
    offers = tuple(each for each in findings if each.remedy is Remedy.OFFERED)
    offered = dict.fromkeys(f"--fix {each.id}" for each in offers)
    words = (*options.targets, *given.options, *options.consents, *options.advised, *options.sources)
    command = " ".join((f"bootgraft repair {_typed(images)}", *dict.fromkeys(words)))
    yield ""
    if options.consents:
        yield f"Needs your consent, because data is discarded: {' '.join(options.consents)} (see above)."
    if offered:
        yield f"Only offered, as it is not known to be right everywhere: {', '.join(offered)}."
        yield "To read what that does, run:"
        yield from (f"    bootgraft explain {each}" for each in dict.fromkeys(each.id for each in offers))
    if not wants_repair(findings):
        return
    if Remedy.OWN_DRIVER in remedies and Remedy.DRIVER not in remedies:
        yield "To fix it with the driver that this Windows has itself, run:"
        yield f"    {command}"
    elif Remedy.DRIVER in remedies:
        kinds = "INF, folder, ISO, CAB, ZIP, floppy"
        yield f"To fix it with a driver package ({kinds}) or the disk of a machine that has it, run:"
        yield f"    {command} --drivers SOURCE"
        yield "or with files exported from one:"
        yield f"    {command} --reg DRIVER.reg --file DRIVER.sys"
        yield from _donor_lines(images, given, words)
    else:
        yield "To fix it, run:"
        yield f"    {command}"


def _donor_lines(images: Sequence[DeviceSpec], given: Given, words: Sequence[str]) -> Iterator[str]:
    """Where a disk was given that may be the donor: it is no disk of this machine, but a source."""
    for donor in given.startable[:1]:
        own = [each for each in images if each.location != donor]
        command = ("bootgraft repair", _typed(own), *dict.fromkeys(words), "--drivers", shlex.quote(donor))
        yield f"{one_line(donor)} can be started from by itself. If it is another machine's, that has the driver, run:"
        yield f"    {' '.join(command)}"


def wants_repair(findings: Iterable[Finding]) -> bool:
    """Whether a repair does more than what is only offered and nothing needs."""
    return any(each.fixable and not (each.offered and each.severity is Severity.INFO) for each in findings)


def unrepairable_lines(diagnoses: Sequence[Diagnosis], *, tried: bool = False) -> Iterator[str]:
    """Where to read on, where no repair fixes what stops the start or leaves it open: the pages of what stops it.

    What lies outside the image is left out: that is listed as what to do there. As long as the chain arrives at no
    Windows, a repair of what can be repaired comes first, unless that was ``tried``: it shows what is behind.
    """
    known = [each for each in diagnoses if tried or each.chain.default or not wants_repair(each.findings)]
    left = [finding for each in known for finding in within(each.findings) if not finding.fixable]
    stops = list(dict.fromkeys(each.id for each in left if each.severity is Severity.BLOCKER))
    leaves_open = [each.id for each in left if each.leaves_open]
    if stops:
        yield ""
        names = " and ".join(filter(None, (", ".join(stops[:-1]), stops[-1])))
        those, them = ("that is", "it") if len(stops) == 1 else ("all that is", "them")
        yield f"bootgraft cannot repair {names}, and writes nothing until {those} repaired by other means."
        yield f"To read what is known of {them}, run:"
        yield from (f"    bootgraft explain {each}" for each in stops)
    elif leaves_open and not any(wants_repair(each.findings) for each in diagnoses):
        yield from ("", "To read what would settle it, run:")
        yield f"    bootgraft explain {leaves_open[0]}"
