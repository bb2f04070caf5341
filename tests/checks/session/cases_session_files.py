"""The three machines of each finding of ``session_files``."""

from tests.checks.core_case import CoreCase, with_a_copy_of

from bootgraft.checks.session.session_files import ID, find

CASES = {
    ID: CoreCase(find, with_a_copy_of(r"system32\smss.exe")),
}
