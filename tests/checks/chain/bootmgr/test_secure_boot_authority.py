"""The authorities of Windows' boot manager, as its signatures have them and as a firmware must know them."""

from pathlib import Path

import pytest
from tests.boot.bootmgr.test_chain import ESP_FILE, FALLBACK
from tests.checks.chain.bootmgr.cases_secure_boot_authority import NEW, OLD
from tests.checks.chain.bootmgr.cases_uefi_fallback import with_fallback
from tests.core_windows import core_windows, driver_file, in_sets
from tests.machines.signing import Hierarchy
from tests.machines.spec import Architecture
from tests.machines.windows_hives import WINDOWS_10

from bootgraft.checks.chain.bootmgr.secure_boot_authority import SignedLoader, find, judged
from bootgraft.checks.finding import FaultPlace, Severity
from bootgraft.checks.guest import Guest

NAME = "bootmgfw.efi".encode("utf-16-le")


def signed(folder: Path, *authorities: str) -> bytes:
    """A boot manager that these authorities signed, the second one nested in the first."""
    data = driver_file(WINDOWS_10, Architecture.X64) + NAME
    for place, name in enumerate(authorities):
        group = Hierarchy(folder / name.replace(" ", "-"), name)
        data = group.sign(data, group.root, *(("-nest",) if place else ()), chain=False)
    return data


def on(guest: Guest, *, secure_boot: bool | None = True) -> Guest:
    guest.secure_boot = secure_boot
    return guest


def test_a_boot_manager_of_2023_leaves_the_verdict_open(tmp_path: Path) -> None:
    new = signed(tmp_path, NEW)
    (finding,) = find(on(with_fallback(new, new)))
    assert (finding.severity, finding.leaves_open) == (Severity.INFO, True)
    assert finding.fault_in is FaultPlace.OUTSIDE  # so the image is repaired all the same
    assert [each.partition(": ")[2] for each in finding.evidence] == [
        f"{FALLBACK} is signed under {NEW}",
        f"{ESP_FILE} is signed under {NEW}",
    ]


def test_the_one_that_a_new_machine_starts_first_decides(tmp_path: Path) -> None:
    (finding,) = find(on(with_fallback(signed(tmp_path, OLD), signed(tmp_path, NEW))))
    assert not finding.leaves_open
    assert OLD in finding.title


def test_one_that_both_signed_starts_everywhere(tmp_path: Path) -> None:
    both = signed(tmp_path, OLD, NEW)
    (finding,) = find(on(with_fallback(both, both)))
    assert not finding.leaves_open
    assert f"{OLD} and {NEW}" in finding.title


@pytest.mark.parametrize("secure_boot", [False, None])
def test_without_secure_boot_nobody_asks(secure_boot: bool | None, tmp_path: Path) -> None:
    new = signed(tmp_path, NEW)
    assert tuple(find(on(with_fallback(new, new), secure_boot=secure_boot))) == ()


def test_what_others_signed_and_what_nobody_signed_is_not_judged(tmp_path: Path) -> None:
    other = signed(tmp_path, "Microsoft UEFI CA 2023")
    assert tuple(find(on(with_fallback(other, driver_file() + NAME)))) == ()
    assert tuple(find(on(with_fallback(b"MZ", b"MZ" + NAME)))) == ()


def test_what_the_guest_wrote_down_of_its_old_firmware_is_shown(tmp_path: Path) -> None:
    servicing = {r"Control\SecureBoot\Servicing": {"UEFICA2023Status": "Updated", "WindowsUEFICA2023Capable": 2}}
    windows = core_windows(in_sets(servicing))  # type: ignore[arg-type]
    guest = on(with_fallback(signed(tmp_path, OLD)))
    guest.installation, guest.hive = windows.installation, windows.hive
    (finding,) = find(guest)
    assert "UEFICA2023Status=Updated, WindowsUEFICA2023Capable=2" in finding.evidence[-1]


def test_the_explanation_says_what_settles_it() -> None:
    finding = judged("disk 0 partition 1", (SignedLoader(FALLBACK, (NEW,)),))
    assert "virt-fw-vars --print" in finding.explanation
