r"""Does virt-v2v's first-boot service still have scripts to run, and does it ever come to an end?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bootgraft.changes import SetValue
from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Remedy, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.checks.hive_edit import disable_service
from bootgraft.checks.symptom import Symptom
from bootgraft.text import counted, excerpt
from bootgraft.windows.installation import Installation, control_set_name, hive_file

if TYPE_CHECKING:  # few have the service
    from bootgraft.windows.leftovers.first_boot import FirstBoot

REPEATS = "first-boot-never-ends"
PENDING = "first-boot-pending"
_MANUAL = "https://libguestfs.org/virt-v2v.1.html#converting-a-windows-guest"
DOCS = (
    FindingDoc(
        id=REPEATS,
        applies_to="every Windows that virt-v2v, or a tool that uses it, converted",
        cause="A script of virt-v2v's first-boot service fails at every start. The service then starts the machine "
        "again and runs the script once more, with no limit: Windows restarts soon after each log-on screen, and the "
        "scripts behind that one never run. A driver of a virtio-win ISO that this Windows refuses is enough.",
        evidence="The service, the script that fails, how often it did, and the last lines that it printed, from "
        r"\Program Files\Guestfs\Firstboot\log.txt.",
        fix=f"`--fix {REPEATS}` sets the service to Start=4 (disabled) in every control set. The scripts stay where "
        "they are: what they were to do (drivers, guest agent, network) is then done by hand, in Windows.",
        limits="The last 256 KiB of the log are looked at.",
        symptoms=(Symptom.RESTART_LOOP,),
        references=(
            "https://github.com/libguestfs/virt-v2v/issues/178",
            "https://github.com/libguestfs/virt-v2v/issues/159",
            "https://github.com/OpenNebula/one/issues/7953",
            _MANUAL,
        ),
    ),
    FindingDoc(
        id=PENDING,
        applies_to="every Windows that virt-v2v, or a tool that uses it, converted",
        cause="virt-v2v's first-boot service has scripts that have not run yet. That is as it should be after a "
        "conversion: at its first starts Windows installs drivers and restarts, four times or more.",
        evidence="The service, the scripts that are left, and the last one that failed, if one did.",
        fix="None is needed. Let the machine restart until it does no more.",
        limits="The service is started by its full path, on drive C: a Windows on another drive never runs it.",
        symptoms=(Symptom.RESTART_LOOP,),
        references=(_MANUAL,),
    ),
)
_MAX_NAMED = 8
_SERVICE = "firstboot"


def find(guest: Guest) -> Iterator[Finding]:
    """One finding where the service has something left to run."""
    installation, hive = guest.installation, guest.hive
    if installation is None or hive is None:
        return
    if hive.key(f"{control_set_name(installation.select.default)}\\Services\\{_SERVICE}") is None:
        return
    from bootgraft.windows.leftovers.first_boot import read_first_boot

    found = read_first_boot(installation, hive)
    if found is None or not found.waiting:
        return
    if found.repeats:
        yield _repeats(installation, found, disable_service(installation, hive, _SERVICE))
    else:
        yield _pending(installation, found)


def _repeats(installation: Installation, found: "FirstBoot", changes: tuple[SetValue, ...]) -> Finding:
    script = found.last.script if found.last is not None else ""
    return Finding(
        REPEATS,
        Severity.WARNING,
        f"virt-v2v's first-boot service never ends: {script} fails at every start",
        "It is damage of the conversion, not of the copy: Windows starts, the script fails, and the service restarts "
        f"the machine, each time. --fix {REPEATS} disables the service; what its scripts were to do is then done by "
        "hand.",
        _evidence(installation, found),
        Remedy.OFFERED,
        changes,
    )


def _pending(installation: Installation, found: "FirstBoot") -> Finding:
    count = len(found.waiting)
    explanation = "That is as it should be after a conversion: Windows runs them at its first starts and restarts."
    drive = found.image_path.strip().strip('"')[:2].upper()
    if installation.drive_letter is not None and drive.endswith(":") and drive != installation.drive_letter.upper():
        explanation = (
            f"They will never run: the service's program is looked for on {drive}, and this Windows runs as "
            f"{installation.drive_letter}. Do by hand what they were to do."
        )
    return Finding(
        PENDING,
        Severity.INFO,
        f"virt-v2v's first-boot service has {counted(count, 'script')} left to run",
        explanation,
        _evidence(installation, found),
    )


def _evidence(installation: Installation, found: "FirstBoot") -> tuple[str, ...]:
    from bootgraft.windows.leftovers.first_boot import FOLDER, LOG

    place = installation.volume.name
    more = f" and {len(found.waiting) - _MAX_NAMED} more" if len(found.waiting) > _MAX_NAMED else ""
    lines = [
        f"{hive_file(installation).path}: {found.key_path}: {excerpt(found.image_path)}",
        f"{place}: {FOLDER}\\scripts: {', '.join(found.waiting[:_MAX_NAMED])}{more}",
    ]
    last = found.last
    if last is not None and found.fails:
        often = "once" if last.times == 1 else f"{last.times} times in a row"
        lines.append(f"{place}: {LOG}: {last.script} ended with exit code {last.exit_code}, {often}; its last lines:")
        lines += [f"  {each}" for each in last.lines]
    return tuple(lines)


CHECK = Check(Stage.SESSION, 40, DOCS, find)
