"""Everything known about one machine and the Windows that the work is about: read when it is asked for, and once."""

from collections.abc import Callable, Iterable
from copy import copy
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from msgspec import Struct

from bootgraft.boot.bios.bootcode import CodeSource, none_given
from bootgraft.boot.chain import BootChain
from bootgraft.boot.unsupported_volume import UnsupportedVolume, explain
from bootgraft.checks.chain.first_sectors import FirstSectors, read_first_sectors
from bootgraft.checks.controller import facts as controller_facts
from bootgraft.checks.controller.facts import ControllerFacts, LinkReader
from bootgraft.checks.controller.own_driver import OwnDrivers
from bootgraft.checks.core.facts import CoreFacts
from bootgraft.checks.finding import Finding, Stage
from bootgraft.checks.fix_choice import FixChoice
from bootgraft.checks.identity import identity_facts
from bootgraft.checks.identity.identity_facts import IdentityFacts
from bootgraft.checks.machine import hive_facts
from bootgraft.checks.machine.hive_facts import HiveFacts
from bootgraft.checks.machine.saved_session import SavedSession, saved_sessions
from bootgraft.machine import Firmware, Machine
from bootgraft.registry.hive import Hive
from bootgraft.targets.controllers import Controller
from bootgraft.targets.descriptions.hardware import BootOrder, Processor
from bootgraft.windows.bootdrivers import boot_drivers
from bootgraft.windows.driver_database import has_database
from bootgraft.windows.installation import Installation
from bootgraft.windows.versions import FIRST_WITH_DRIVER_DATABASE, NT4

if TYPE_CHECKING:  # most machines live on Windows' own drivers, and have their loader
    from bootgraft.checks.driverjudge import DriverJudge, JudgedDriver
    from bootgraft.checks.identity.data_places import DataPlace
    from bootgraft.drivers.guest.start_files import StartFilesSource

_DEFAULT_FIXES = FixChoice()
Known = TypeVar("Known")


class _Shared(Generic[Known]):
    """An attribute that is read when it is first asked for, and then is the same on every controller."""

    def __init__(self, read: "Callable[[Any], Known]") -> None:
        self._read = read
        self.__doc__ = read.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, guest: "Guest", _owner: type | None = None) -> Known:
        known: dict[str, Any] = guest.shared
        if self._name not in known:
            known[self._name] = self._read(guest)
        found: Known = known[self._name]
        return found


class DescribedVm(Struct, frozen=True):
    """What the machine's description says of it; ``path`` is the description's file.

    ``places`` says for each disk, in their order, where the description has it, ``sector_sizes`` which logical sector
    size (bytes) it presents; ``spare_processors`` is empty where none may be added. The others are None where it
    does not tell.
    """

    path: str
    firmware: Firmware | None = None
    places: tuple[str, ...] = ()
    boot_order: BootOrder | None = None
    processor: Processor | None = None
    sector_sizes: tuple[int | None, ...] = ()
    spare_processors: str = ""

    def line(self, number: int | None) -> str:
        """A line of the description, as evidence names it; ``number`` counts from 1."""
        return self.path if number is None else f"{self.path}, line {number}"


class Guest:
    """What checks look at. Reading raises HiveError, FileSystemError and ImageError for damage on the way.

    ``installation`` and ``hive`` (its SYSTEM) are None where the chain arrives at no Windows, ``controller`` where no
    target was given, ``described`` where no description was. ``secure_boot`` is what is known of the new firmware.
    ``boot_code`` gives that of other installations, ``start_files`` their ntldr and NTDETECT.COM.
    ``sector_sizes`` has that of each disk (bytes) where its image says it.
    ``choice`` is what is to be repaired. ``disk_controllers`` has that of each disk, where a description gives them.
    """

    def __init__(
        self,
        machine: Machine,
        chain: BootChain,
        installation: Installation | None = None,
        hive: Hive | None = None,
        *,
        controller: Controller | None = None,
        described: DescribedVm | None = None,
        secure_boot: bool | None = None,
        boot_code: CodeSource = none_given,
        start_files: "StartFilesSource | None" = None,
        choice: FixChoice = _DEFAULT_FIXES,
        disk_controllers: tuple[Controller | None, ...] = (),
        sector_sizes: tuple[int | None, ...] = (),
    ) -> None:
        self.machine = machine
        self.chain = chain
        self.installation = installation
        self.hive = hive
        self._controller = controller
        self._asked = False
        self.described = described
        self.sector_sizes = sector_sizes
        self.secure_boot = secure_boot
        self.boot_code = boot_code
        self.start_files = start_files
        self.choice = choice
        self._disk_controllers = disk_controllers
        self._drivers_of = None if hive is None else cache(partial(boot_drivers, hive))
        self._links = cache(self._make_links)
        self._judge = cache(self._make_judge)
        self.shared: dict[str, Any] = {}
        self.gathered: dict[Controller | None, ControllerFacts | None] = {}
        self.found: dict[tuple[Stage, Controller | None], tuple[Finding, ...]] = {}  # by those who looked already
        self._looked: dict[object, tuple[Finding, ...]] = {}

    def on(self, controller: Controller | None) -> Self:
        """The same guest with this controller: what is known without one holds for both."""
        other = copy(self)
        other._controller = controller
        return other

    @property
    def controller(self) -> Controller | None:
        """The controller of the new machine; whoever asks for it may find something else with another one."""
        self._asked = True
        return self._controller

    def look(self, check: object, find: Callable[[Self], Iterable[Finding]]) -> tuple[Finding, ...]:
        """What a check finds: run once for all controllers where it asks for none, else once for each."""
        for key in (check, (check, self._controller)):
            if key in self._looked:
                return self._looked[key]
        self._asked = False
        found = tuple(find(self))
        self._looked[(check, self._controller) if self._asked else check] = found
        return found

    def controller_of(self, disk: int) -> Controller | None:
        """What the disk of this index is attached to; as one target is asked about, all disks are there."""
        if self.controller is not None and disk < len(self._disk_controllers):
            return self._disk_controllers[disk]
        return self.controller

    @property
    def has_described_controllers(self) -> bool:
        """Whether the controllers are those of the machine's description, and none was asked about."""
        return bool(self._disk_controllers)

    @_Shared
    def first_sectors(self) -> FirstSectors | None:
        """What a BIOS reads of disk 0 before any file; None where that has no MBR."""
        return read_first_sectors(self.machine)

    @_Shared
    def sessions(self) -> tuple[SavedSession, ...]:
        """The sessions that are saved on the machine."""
        return saved_sessions(self.machine, () if self.installation is None else (self.installation.volume,))

    @_Shared
    def unsupported_volume(self) -> UnsupportedVolume | None:
        """Why the volume that matters is no ordinary one: that of the Windows, else the one that the chain ends at."""
        if self.installation is None:
            return self.chain.unsupported_volume
        return explain(self.machine, self.installation.volume)

    @_Shared
    def core(self) -> CoreFacts | None:
        """What decides the start whatever the controller; None where there is no Windows of a known version."""
        if self.installation is None or self.hive is None or self.installation.version < NT4:
            return None
        if self.installation.version >= FIRST_WITH_DRIVER_DATABASE and not has_database(self.hive):
            return None  # none of the Windows that are known
        return CoreFacts(self.installation, self.hive, self._drivers_of)

    @_Shared
    def identity(self) -> IdentityFacts:
        """Identities of disks, volumes and drive letters."""
        return identity_facts.gather(self.machine, self.chain, self.installation, self.hive)

    @_Shared
    def data_places(self) -> "tuple[DataPlace, ...]":
        """Where Windows has data beside its own directory; none where there is no Windows."""
        from bootgraft.checks.identity import data_places

        if self.installation is None or self.hive is None:
            return ()
        return data_places.gather(self.installation, self.hive, self.identity)

    def judge_driver(self, path: str) -> "JudgedDriver":
        r"""How the Windows' loader takes the driver file at this path of its volume (``\Windows\system32\…``).

        Raises FileSystemError where it cannot be read, ValueError where there is no Windows.
        """
        return self._judge().judge(path)

    @_Shared
    def hives(self) -> tuple[HiveFacts, ...]:
        """What an integrity check of the hives finds; none where the chain arrives at no Windows."""
        if self.installation is None or self.hive is None:
            return ()
        return hive_facts.gather(self.installation, self.hive)

    @_Shared
    def own_drivers(self) -> OwnDrivers | None:
        """Where Windows has drivers itself that are not in place; None where there is no Windows."""
        return None if self.installation is None or self.hive is None else OwnDrivers(self.installation, self.hive)

    @property
    def facts(self) -> ControllerFacts | None:
        """What decides whether the Windows starts from the controller; None where that is not judged."""
        controller = self.controller
        if controller not in self.gathered:
            self.gathered[controller] = None if controller is None else self._gather(controller)
        return self.gathered[controller]

    def _gather(self, controller: Controller) -> ControllerFacts | None:
        if self.installation is None or self.hive is None:
            return None
        if controller_facts.reasons_not_judged(self.installation, has_database=has_database(self.hive)):
            return None
        return controller_facts.gather(self.installation, self.hive, controller, reader=self._links())

    def _make_links(self) -> LinkReader | None:
        if self.installation is None or self.hive is None:
            return None
        return LinkReader(self.installation, self.hive, self._drivers_of)

    def _make_judge(self) -> "DriverJudge":
        from bootgraft.checks.driverjudge import DriverJudge

        if self.installation is None or self.hive is None:
            raise ValueError(self.installation)
        return DriverJudge(self.chain, self.installation, self.hive, secure_boot=self.secure_boot)
