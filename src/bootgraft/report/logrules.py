"""``docs/logs.md``, made from what the rules say about themselves: ``python -m bootgraft.report.logrules``."""

import sys
from collections.abc import Iterator

from bootgraft.explain.converters.catalogue import GRAMMARS
from bootgraft.explain.message import Tool
from bootgraft.explain.rules import Rule

_HEAD = """\
# Logs

What `bootgraft explain-log LOG…` knows; a LOG is a file, a folder, a ZIP or `-`. It reads logs of VMware Converter
(agent, worker, server, client, also rotated, gzipped, or in the bundle that "Export logs" writes), the output of
virt-v2v and virt-v2v-in-place (plain text and `--machine-readable`), what libguestfs, nbdkit, nbdcopy and qemu's
programs say there and in other converters' logs (KubeVirt's importer, migratekit), and the log of virt-v2v's scripts
in the converted guest (`C:\\Program Files\\Guestfs\\Firstboot\\log.txt`). Several files are read as logs of one
conversion; `-` is standard input (`kubectl logs POD | bootgraft explain-log -`). Rule ids are never renamed. This page
is made by `python -m bootgraft.report.logrules`.

Converter's logs lie in `%ALLUSERSPROFILE%\\VMware\\VMware vCenter Converter Standalone\\logs` (the agent's on the
source machine, those of server and worker where Converter runs); right-click a job to export all of them as one ZIP.
For virt-v2v, keep standard output and standard error: `virt-v2v -v -x … 2>&1 | tee v2v.log`. With `-v -x` the log also
tells why libguestfs could not read a volume, which often is the reason of a failure that names none.

What other programs put around each line is taken off, in layers: CRI and Docker (Kubernetes: Forklift, MTV, Harvester),
klog, journald and syslog (short, ISO, `-o json`), logrus, slog and zap (migratekit, os-migrate, migration-manager),
log4j (CloudStack), Ansible's results, frames and colours of terminals. Conversions that ran at the same time are told
apart where the log names their processes: the answer is about the one that failed last.

A cause is a failure that says why; a symptom says only that something failed; a hint explains another failure without
being one; with a caveat the conversion goes on. The answer leads with the first cause of the last job that failed, else
with the first symptom; where the log also has what that follows from ("Explains"), with that. An error that is not on
this page is shown as it was found, the first one first, with the lines around it; a warning that is not is shown under
"Other messages". What lies more than 15 minutes before the last failure belongs to an earlier job; jobs of Converter
that fail at the same time are told as one, so give the logs of one job where there are several.

"Fault" says where to look: at the guest, at the machine that converts, or at the connection between the hypervisors.

Not read: logs of StarWind V2V Converter, of Veeam, Azure Migrate and Site Recovery, SCVMM, Proxmox' import wizard and
task logs, Xen Orchestra: no public logs of theirs were found whose lines could be relied on. What qemu-img, nbdkit and
libguestfs say in them is known all the same.

Exit status: 0 where the failure is understood or none is in the log, 1 where an error is shown that is not known, 3
where the log cannot be read or no converter wrote it.
"""


def rules_page() -> str:
    """The page as Markdown."""
    entries = (line for grammar in GRAMMARS for rule in grammar.rules for line in _entry(rule, grammar.tools))
    return "\n".join((_HEAD, *entries))


def _entry(rule: Rule, tools: tuple[Tool, ...]) -> Iterator[str]:
    yield f"## {rule.id}\n"
    yield f"- **Tool:** {', '.join(tool.name for tool in tools)}"
    yield f"- **Message:** `{rule.quoted}`"
    yield f"- **Kind:** {rule.kind.name.lower()}: {rule.kind.value}"
    yield f"- **When:** {rule.phase.value}"
    yield f"- **Fault:** {rule.fault.value}"
    yield f"- **Cause:** {rule.cause}"
    yield f"- **Meaning:** {rule.meaning}"
    yield f"- **Disk:** {rule.disk.value}"
    if rule.explains:
        yield f"- **Explains:** {', '.join(rule.explains)}"
    command = rule.next.value.format(disks="DISK…", target="T")
    yield f"- **Next:** {rule.next_step} `{command}`"
    for source in rule.sources:
        yield f"- **See:** <{source}>"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(rules_page())
