"""The logs of device installations."""

from bootgraft.windows.events.setuplog import DeviceInstall, last_installs

NEW = r"""[Device Install Log]
     OS Version = 6.1.7601
>>>  [Setup Import Driver Package - C:\a\oem.inf]
>>>  Section start 2026/02/28 10:00:00.000
<<<  Section end 2026/02/28 10:00:01.000
<<<  [Exit status: SUCCESS]


>>>  [Device Install (Hardware initiated) - PCI\VEN_1AF4&DEV_1001\3&13c0b0c5&0&20]
>>>  Section start 2026/03/01 06:00:10.123
     dvi:      Searching for hardware ID(s):
     dvi:           pci\ven_1af4&dev_1001&cc_010000
!    dvi:      Selecting driver failed(0xe0000228)
!!!  ndv: No driver could be found.
<<<  Section end 2026/03/01 06:00:12.000
<<<  [Exit status: FAILURE(0xe0000203)]

>>>  [Device Install (Hardware initiated) - PCI\VEN_1000&DEV_0054\0]
>>>  Section start 2026/03/01 06:01:00.000
     dvi: Class GUID of device changed to: {4d36e97b-e325-11ce-bfc1-08002be10318}.
<<<  Section end 2026/03/01 06:01:02.000
<<<  [Exit status: SUCCESS]
""".splitlines()
OLD = r"""[SetupAPI Log]
OS Version = 5.1.2600 Service Pack 3
[2010/08/13 13:11:06 1148.3 Driver Install]
#-019 Searching for hardware ID(s): pci\ven_1000&dev_0030,pci\cc_010000
#-166 Device install function: DIF_INSTALLDEVICE.
#I123 Doing full install of "PCI\VEN_1000&DEV_0030\3&0".
#I121 Device install of "PCI\VEN_1000&DEV_0030\3&0" finished successfully.
[2010/08/13 13:12:06 1148.9 Driver Install]
#-019 Searching for hardware ID(s): usb\vid_1
#I123 Doing full install of "USB\VID_1\5".
#E122 Device install failed. Error 1627: The function failed.
#E154 Class installer failed. Error 1627: The function failed.
[2010/08/13 13:13:06 1148.9 Driver Install]
#I123 Doing full install of "USB\VID_2\5".
#I121 Device install of "USB\VID_2\5" finished successfully.
""".splitlines()


ERROR = "Class installer failed. Error 1627: The function failed."


def test_the_log_since_vista() -> None:
    what = "Device Install (Hardware initiated) - PCI\\VEN_"
    assert last_installs(NEW) == (
        DeviceInstall(
            "2026/03/01 06:00:10", f"{what}1AF4&DEV_1001\\3&13c0b0c5&0&20", "No driver could be found.", storage=True
        ),
        DeviceInstall("2026/03/01 06:01:00", f"{what}1000&DEV_0054\\0", None, storage=True),
    )


def test_the_log_before() -> None:
    assert last_installs(OLD) == (
        DeviceInstall("2010/08/13 13:11:06", "PCI\\VEN_1000&DEV_0030\\3&0", None, storage=True),
        DeviceInstall(
            "2010/08/13 13:12:06",
            "USB\\VID_1\\5",
            "Class installer failed. Error 1627: The function failed.",
            storage=False,
        ),
    )


def test_the_exit_status_where_no_error_is_logged() -> None:
    (found, *_) = last_installs([line for line in NEW if not line.startswith("!")])
    assert found.error == "FAILURE(0xe0000203)"


def test_only_a_few_and_none() -> None:
    assert len(last_installs(NEW[7:15] * 9)) == 4
    assert last_installs(["nothing of the kind"]) == ()
    assert last_installs(NEW[10:]) == last_installs(NEW)[1:]
