"""The boot log: its last start."""

from bootgraft.windows.events.ntbtlog import BootLog, last_boot

LOG = r"""Service Pack 3 8 13 2025 13:11:06.500
Loaded driver \WINDOWS\system32\ntkrnlpa.exe
Did not load driver \SystemRoot\System32\Drivers\Old.SYS

Microsoft (R) Windows (R) Version 6.1 (Build 7601)
 3  1 2026 06:00:06.359
Loaded driver \SystemRoot\system32\ntoskrnl.exe
Loaded driver \SystemRoot\system32\hal.dll
Did not load driver \SystemRoot\System32\Drivers\NDProxy.SYS
Did not load driver \SystemRoot\System32\Drivers\NDProxy.SYS
Did not load driver @cpu.inf,%intelppm.devicedesc%;Intel Processor
""".splitlines()


def test_the_last_start() -> None:
    missing = ("\\SystemRoot\\System32\\Drivers\\NDProxy.SYS", "@cpu.inf,%intelppm.devicedesc%;Intel Processor")
    assert last_boot(LOG) == BootLog("2026-03-01 06:00:06", 2, missing)
    assert last_boot(LOG[:3]) == BootLog("2025-08-13 13:11:06", 1, ("\\SystemRoot\\System32\\Drivers\\Old.SYS",))


def test_by_the_names_of_messages() -> None:
    found = last_boot(["Windows 10", " 1 20 2026 1:02:03.500", "BOOTLOG_LOADED \\a.sys", "BOOTLOG_NOT_LOADED \\b.sys"])
    assert found == BootLog("2026-01-20 1:02:03", 1, ("\\b.sys",))


def test_names_are_made_fit_for_a_terminal() -> None:
    found = last_boot(["Did not load driver \x1b[2Ja.sys"])
    assert found is not None
    assert found.not_loaded == ("?[2Ja.sys",)


def test_what_is_none() -> None:
    assert last_boot([]) is None
    assert last_boot(["Pilote non charg\xe9 \\SystemRoot\\a.sys"]) is None
