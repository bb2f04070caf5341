"""Did another tool convert this machine before? Then what is wrong with it may be that tool's work."""

from collections.abc import Iterator, Sequence

from bootgraft.checks.check import Check
from bootgraft.checks.finding import Finding, FindingDoc, Severity, Stage
from bootgraft.checks.guest import Guest
from bootgraft.registry.hive import Hive
from bootgraft.text import excerpt
from bootgraft.windows.installation import Installation, control_set_name, hive_file
from bootgraft.windows.leftovers.converters import VIRT_V2V, Trace, converter_traces, injected_package

ID = "converted-before"
DOC = FindingDoc(
    id=ID,
    applies_to="every Windows",
    cause="virt-v2v (by itself or inside another product: Forklift, migratekit, OpenNebula, vJailbreak, CloudStack) or "
    "hyper2kvm has worked on this disk: the trace that it leaves is its own alone. So the source is no longer as it "
    "was, and what is found wrong may be that tool's work and not the copy's.",
    evidence="Each trace; of virt-v2v, which driver it bound, and whether it wrote into the control set that starts.",
    fix="None is needed for the traces themselves. What is wrong has a finding of its own.",
    limits="Tools that leave no trace of their own are not recognised. virt-v2v writes only into the control set that "
    r"Select\Current names, and binds one storage driver alone: the machine starts from that controller only.",
    references=(
        "https://libguestfs.org/virt-v2v.1.html#converting-a-windows-guest",
        "https://github.com/libguestfs/virt-v2v",
        "https://github.com/ssahani/hyper2kvm",
    ),
)


def find(guest: Guest) -> Iterator[Finding]:
    """One finding that has all traces."""
    installation, hive = guest.installation, guest.hive
    traces = () if installation is None or hive is None else tuple(converter_traces(installation, hive))
    if installation is None or hive is None or not traces:
        return
    tools = tuple(dict.fromkeys(each.tool for each in traces))
    yield Finding(
        ID,
        Severity.INFO,
        f"this disk was converted before, by {' and by '.join(tools)}",
        "What is wrong with it may be that tool's work rather than the copy's: convert from the source again if you "
        "can, or repair what is found here.",
        (*(_shown(installation, each) for each in traces), *_of_virt_v2v(installation, hive, traces)),
    )


def _shown(installation: Installation, trace: Trace) -> str:
    place = hive_file(installation).path if trace.is_key else installation.volume.name
    return f"{place}: {trace.place}: made by {trace.tool}"


def _of_virt_v2v(installation: Installation, hive: Hive, traces: Sequence[Trace]) -> Iterator[str]:
    if not any(each.tool == VIRT_V2V for each in traces):
        return
    file, select = hive_file(installation).path, installation.select
    if select.current not in (0, select.default):
        yield (
            f"{file}: Select: virt-v2v writes into {control_set_name(select.current)} (Current) only, and Windows "
            f"starts with {control_set_name(select.default)} (Default)"
        )
    package = injected_package(hive)
    if package is not None and package.service is not None:
        yield f"{file}: guestor.inf binds {excerpt(package.service)}: the one driver that it made start at boot"
    if package is not None and not package.is_well_named:
        yield (
            f"{file}: its package is called {excerpt(package.name)}: pnputil, Windows Update and upgrades in place "
            "fail on that name; virt-v2v's contrib/remove-guestor.reg, imported in Windows, takes it out"
        )


CHECK = Check(Stage.MACHINE, 95, (DOC,), find)
