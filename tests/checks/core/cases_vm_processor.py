"""The three machines of the finding of ``vm_processor``."""

from tests.checks.case import Case
from tests.checks.core.test_vm_processor import found

from bootgraft.checks.core import vm_processor

CASES = {vm_processor.ID: Case(found("kvm64"), found("x86-64-v2-AES"), found(None))}
