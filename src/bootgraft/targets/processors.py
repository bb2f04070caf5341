"""Which models of processors lack what a Windows needs: those of qemu and libvirt, which Proxmox uses too.

Listed are only models that lack something; of any other name nothing is said. Source: qemu, ``target/i386/cpu.c``, as
``query-cpu-model-expansion`` shows it for every model of the qemu at hand (a test asks it again where it is installed).
"""

import re

from bootgraft.targets.descriptions.hardware import Processor

LONG_MODE, PAE, NX, SSE2, CX16, SSE42, POPCNT = "lm", "pae", "nx", "sse2", "cx16", "sse4.2", "popcnt"
FEATURES = (LONG_MODE, PAE, NX, SSE2, CX16, SSE42, POPCNT)
"""Features by which a Windows is stopped, by qemu's names."""

_NEW = {SSE42, POPCNT}
_64_BIT = {*_NEW, CX16, LONG_MODE}
LACKING: dict[str, frozenset[str]] = {
    **dict.fromkeys(("kvm64", "qemu64", "core2duo", "penryn", "opteron_g2"), frozenset(_NEW)),
    **dict.fromkeys(("conroe", "opteron_g1"), frozenset({*_NEW, CX16})),
    **dict.fromkeys(("phenom", "opteron_g3"), frozenset({SSE42})),
    **dict.fromkeys(("coreduo", "n270"), frozenset(_64_BIT)),
    **dict.fromkeys(("athlon", "kvm32", "qemu32"), frozenset({*_64_BIT, NX})),
    **dict.fromkeys(("pentium2", "pentium3"), frozenset({*_64_BIT, NX, SSE2})),
    **dict.fromkeys(("486", "pentium"), frozenset({*_64_BIT, NX, SSE2, PAE})),
}
"""By the model's name in lower case, without the number of its version: what it lacks of FEATURES."""
_VERSION = re.compile(r"-v[0-9]{1,2}\Z")
_SAME = {"sse4_2": SSE42, "sse4-2": SSE42, "xd": NX}
"""Other names that qemu takes for features."""


def lacking(processor: Processor) -> frozenset[str]:
    """What the processor is known to lack of FEATURES; nothing where its model is not known."""
    model = _VERSION.sub("", processor.model.casefold())
    lacks = LACKING.get(model, frozenset())
    removed = {_name(each) for each in processor.removed} & set(FEATURES)
    return frozenset((lacks | removed) - {_name(each) for each in processor.added})


def _name(feature: str) -> str:
    return _SAME.get(feature.casefold(), feature.casefold())
