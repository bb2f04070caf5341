"""``docs/logs.md``, made from what the rules say about themselves: ``python -m bootgraft.report.logrules``."""

import sys
from collections.abc import Iterator

from bootgraft.explain.catalogue import GRAMMARS
from bootgraft.explain.message import Tool
from bootgraft.explain.rules import Rule

_HEAD = """\
# Logs

What `bootgraft explain-log FILE|ZIP|DIR` knows. It reads logs of VMware Converter (agent, worker, server, client, also
rotated, gzipped, or in the bundle that "Export logs" writes) and the output of virt-v2v and virt-v2v-in-place (plain
text and `--machine-readable`). An error that is not on this page is shown as it was found, with the lines around it.
Rule ids are never renamed. This page is made by `python -m bootgraft.report.logrules`.

Converter's logs lie in `%ALLUSERSPROFILE%\\VMware\\VMware vCenter Converter Standalone\\logs` (the agent's on the
source machine, those of server and worker where Converter runs); right-click a job to export all of them as one ZIP.
For virt-v2v, keep standard output and standard error: `virt-v2v … 2>&1 | tee v2v.log`.

A cause is a failure that says why; a symptom says only that something failed; a hint explains a failed reconfiguration
without being a failure; with a caveat the conversion goes on. The answer leads with the first cause of the last job
that failed, and only then with a hint or a symptom. What lies more than 15 minutes before the last failure belongs to
an earlier job; jobs that fail at the same time are told as one, so give the logs of one job where there are several.

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
    yield f"- **Cause:** {rule.cause}"
    yield f"- **Meaning:** {rule.meaning}"
    yield f"- **Disk:** {rule.disk.value}"
    command = rule.next.value.format(disks="DISK…", target="T")
    yield f"- **Next:** {rule.next_step} `{command}`"
    for source in rule.sources:
        yield f"- **See:** <{source}>"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(rules_page())
