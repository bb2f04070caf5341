"""The three machines of each finding of ``boot_service``."""

from msgspec.structs import replace
from tests.checks.controller.control_sets import good_set, service, storage_case

from bootgraft.checks.controller import boot_service
from bootgraft.checks.controller.facts import LinkFacts


def by_system_root(number: int) -> LinkFacts:
    """The service names its file as the kernel would, from the root of its own names."""
    path = "\\SystemRoot\\system32\\DRIVERS\\symmpi.sys"
    return replace(good_set(number), service=replace(service(number), image_path=path))


CASES = {
    boot_service.MISSING: storage_case(boot_service.check, lambda n: replace(good_set(n), service=None, driver=None)),
    boot_service.NOT_BOOT_START: storage_case(
        boot_service.check, lambda n: replace(good_set(n), service=service(n, start=4))
    ),
    boot_service.NOT_RELATIVE: storage_case(boot_service.check, by_system_root),
    boot_service.UNKNOWN_GROUP: storage_case(boot_service.check, lambda n: replace(good_set(n), group_is_listed=False)),
}
