"""The three machines of each finding of ``start_files_missing``."""

from tests.checks.case import chain_case
from tests.checks.chain.ntldr.left_behind import SERVICE_PACK, alone, kept, started

from bootgraft.changes import WriteFile
from bootgraft.checks.chain.ntldr import start_files_missing
from bootgraft.checks.guest import Guest

_BROKEN = alone(kept(SERVICE_PACK))


def _repaired() -> Guest:
    (finding,) = start_files_missing.find(_BROKEN)
    written = {each.file.path: each.data for each in finding.changes if isinstance(each, WriteFile)}
    guest = alone({**kept(SERVICE_PACK), **written})
    assert guest.chain.default is not None
    return guest


CASES = {start_files_missing.ID: chain_case(start_files_missing.find, _BROKEN, _repaired(), started())}
