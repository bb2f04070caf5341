"""What one repair is about, and what it may use."""

from collections.abc import Callable

from msgspec import Struct

from bootgraft.boot.bios.bootcode import CodeSource
from bootgraft.changes import Plan
from bootgraft.checks.diagnosis import Diagnosis
from bootgraft.checks.guest import Guest
from bootgraft.drivers.package import DriverPackage
from bootgraft.machine import Machine
from bootgraft.repair.consent import Consent
from bootgraft.windows.installation import Installation

Look = Callable[[Machine, CodeSource], Guest]
"""Follows a machine's boot chain to the Windows that the work is about; the code source has other disks' boot code."""


class RepairTask(Struct, frozen=True, kw_only=True):
    """One repair.

    ``diagnose`` judges a guest, once for each controller that its machine may have. ``find_packages`` gives the driver
    packages that a diagnosis asks for, none where there are none to be had. ``leaves_packages``: they come from the
    user, and are left in Windows for its second start. ``edits`` are changes that the repair carries along, to the
    machine's description.
    """

    look: Look
    diagnose: Callable[[Guest], tuple[Diagnosis, ...]]
    find_packages: Callable[[Diagnosis, Installation], tuple[DriverPackage, ...]]
    boot_code: CodeSource
    leaves_packages: bool
    consent: Consent
    edits: Plan
