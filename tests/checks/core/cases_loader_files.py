"""The three machines of each finding of ``loader_files``."""

from tests.checks.core_case import CoreCase, with_a_copy_of

from bootgraft.checks.core.loader_files import ID, find

CASES = {
    ID: CoreCase(find, with_a_copy_of(r"system32\bootvid.dll")),
}
