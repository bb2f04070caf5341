"""NT version numbers, (major, minor), by the names under which they were sold; servers share those of workstations.

Source: Microsoft, "Operating System Version"
(https://learn.microsoft.com/windows/win32/sysinfo/operating-system-version).
"""

UNKNOWN = (0, 0)
NT4 = (4, 0)
WINDOWS_2000 = (5, 0)
XP = (5, 1)
SERVER_2003 = (5, 2)
"""Windows XP x64 too."""
VISTA = (6, 0)
"""Server 2008 too; its servers' second releases are those of the workstations that follow."""
WINDOWS_7 = (6, 1)
WINDOWS_8 = (6, 2)
WINDOWS_8_1 = (6, 3)
WINDOWS_10 = (10, 0)
"""Windows 11 and all servers since 2016 too: builds tell them apart."""

NEWEST = WINDOWS_10
FIRST_WITH_PLUG_AND_PLAY = WINDOWS_2000
"""From here on the kernel binds the driver of the boot disk's controller by the CriticalDeviceDatabase."""
FIRST_WITH_DRIVER_DATABASE = WINDOWS_8
"""From here on by the DriverDatabase, in its place."""
