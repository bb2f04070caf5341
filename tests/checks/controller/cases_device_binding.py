"""The three machines of each finding of ``device_binding``."""

from msgspec.structs import replace
from tests.checks.controller.control_sets import bare_set, binding, good_set, instance, service, storage_case

from bootgraft.checks.controller import device_binding
from bootgraft.checks.controller.facts import LinkFacts


def only_in_one_slot(number: int) -> LinkFacts:
    """Bound by an Enum instance alone."""
    return replace(good_set(number), binding=None, instances=(instance(number),))


def found_by_itself(number: int) -> LinkFacts:
    """Bound to nothing, but a miniport of NT 4's kind looks for it."""
    return replace(bare_set(number), detecting=(service(number, name="symc8xx"),))


CASES = {
    device_binding.DETECTED: storage_case(device_binding.check, found_by_itself),
    device_binding.MISSING: storage_case(device_binding.check, bare_set),
    device_binding.ONLY_INSTANCE: storage_case(
        device_binding.check, only_in_one_slot, lambda n: replace(only_in_one_slot(n), binding=binding(n))
    ),
}
