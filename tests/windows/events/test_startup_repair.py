"""What Startup Repair held for the cause."""

from bootgraft.windows.events.crashdump import Bugcheck
from bootgraft.windows.events.startup_repair import bugchecks, root_causes

LOG = """Startup Repair diagnosis and repair log
---------------------------
Number of repair attempts: 1

Session details
---------------------------
System Disk = \\Device\\Harddisk0

Test Performed:
---------------------------
Name: Check for updates
Result: Completed successfully. Error code =  0x0
Time taken = 0 ms

Root cause found:
---------------------------
Boot critical file d:\\windows\\system32\\drivers\\symmpi.sys is corrupt.

Repair action: File repair
Result: Failed. Error code =  0x2

Root cause found:
---------------------------
Unknown Bugcheck: Bugcheck 7b. Parameters = 0xfffff880009a9928, 0xffffffffc0000034, 0x0, 0x0.
""".splitlines()


def test_the_causes_and_the_stop() -> None:
    found = root_causes(LOG)
    assert found[0] == "Boot critical file d:\\windows\\system32\\drivers\\symmpi.sys is corrupt."
    assert bugchecks(found) == (Bugcheck(0x7B, (0xFFFFF880009A9928, 0xFFFFFFFFC0000034, 0, 0), "SrtTrail.txt"),)


def test_as_its_documentation_spells_it() -> None:
    assert bugchecks(["Unknown bugcheck 0x7B. Parameters = 1, 2, 3, 4."]) == (
        Bugcheck(0x7B, (1, 2, 3, 4), "SrtTrail.txt"),
    )


def test_without_a_cause() -> None:
    assert root_causes(LOG[:12]) == ()
    assert root_causes(["Root cause found:"]) == ()
