"""The three machines of each finding of ``loader_missing``."""

from tests.checks.case import Case
from tests.checks.chain.bootmgr.lost_loaders import BINARY, COMPONENT, LOADER, with_files

from bootgraft.changes import WriteFile
from bootgraft.checks.chain.bootmgr.loader_missing import ID, find

_KEPT = {rf"WinSxS\{COMPONENT}\winload.exe": BINARY}


def _case() -> Case:
    broken = tuple(find(with_files(_KEPT)))
    (change,) = broken[0].changes
    assert isinstance(change, WriteFile)
    repaired = with_files({**_KEPT, LOADER: change.data})
    assert repaired.chain.default is not None
    return Case(broken, tuple(find(repaired)), tuple(find(with_files({LOADER: BINARY}))))


CASES = {ID: _case()}
