"""Have the roots that fixtures are signed under count as those of Microsoft that they stand for, in this process."""

from base64 import b64encode
from pathlib import Path

from bootgraft.windows.signatures import roots
from bootgraft.windows.signatures.roots import Root, RootKind
from tests.machines.signing import CODE_VERIFICATION_ROOT, MICROSOFT_ROOT, hierarchy

_KINDS = {MICROSOFT_ROOT: RootKind.MICROSOFT, CODE_VERIFICATION_ROOT: RootKind.CROSS}


def trust_roots_of_fixtures(folder: Path) -> None:
    """Add them to the roots that are built in; ``folder`` is the cache that fixtures are kept in."""
    added = (
        Root(name, kind, b64encode(hierarchy(name, folder).root_key).decode())
        for name, kind in _KINDS.items()
        if all(known.name != name for known in roots.ROOTS)
    )
    vars(roots)["ROOTS"] = (*roots.ROOTS, *added)
