"""The three machines of each finding of ``driver_imports``."""

from msgspec.structs import replace
from tests.checks.controller.control_sets import DRIVER, storage_case, with_driver

from bootgraft.checks.controller import driver_imports
from bootgraft.windows.driver_files import ImportFacts

CASES = {
    driver_imports.ID: storage_case(
        driver_imports.check, with_driver(replace(DRIVER, imports=(ImportFacts("storport.sys", None, None),)))
    ),
}
