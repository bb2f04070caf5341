"""The three machines of each finding of ``enum_instance``."""

from collections.abc import Callable

from msgspec.structs import replace
from tests.checks.controller.control_sets import good_set, instance, storage_case

from bootgraft.checks.controller import enum_instance
from bootgraft.checks.controller.facts import LinkFacts
from bootgraft.windows.bindings import EnumInstance


def _with_instance(found: Callable[[int], EnumInstance]) -> Callable[[int], LinkFacts]:
    return lambda number: replace(good_set(number), instances=(found(number),))


CASES = {
    enum_instance.ID: storage_case(
        enum_instance.check, _with_instance(lambda n: instance(n, service_name=None)), _with_instance(instance)
    ),
}
