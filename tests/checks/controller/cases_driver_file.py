"""The three machines of each finding of ``driver_file``."""

from msgspec.structs import replace
from tests.checks.controller.control_sets import DRIVER, DRIVER_PATH, storage_case, with_driver

from bootgraft.checks.controller import driver_file
from bootgraft.windows.driver_files import DriverFacts
from bootgraft.windows.installation import Architecture
from bootgraft.windows.pe import PeFacts

CASES = {
    driver_file.MISSING: storage_case(driver_file.check, with_driver(DriverFacts(DRIVER_PATH, present=False))),
    driver_file.UNUSABLE: storage_case(
        driver_file.check, with_driver(DriverFacts(DRIVER_PATH, present=True, fault="it is a directory"))
    ),
    driver_file.WRONG_ARCHITECTURE: storage_case(
        driver_file.check, with_driver(replace(DRIVER, pe=PeFacts(Architecture.X64, (), None)))
    ),
}
