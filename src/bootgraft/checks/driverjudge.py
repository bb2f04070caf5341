"""Would the loader of this guest's Windows take a driver's file, by its signatures and by the Windows' own catalogs?"""

from datetime import date
from functools import cached_property

from msgspec import Struct

from bootgraft.boot.signingrules import read_rules
from bootgraft.boot.steps import BootChain
from bootgraft.registry.hive import Hive
from bootgraft.windows.driver_files import MAX_DRIVER
from bootgraft.windows.installation import Installation
from bootgraft.windows.signatures.acceptance import Acceptance, Judgement, Rules, judge_file
from bootgraft.windows.signatures.catroot import find_in_catalogs
from bootgraft.windows.signatures.signature import SignatureClass, read_signatures


class JudgedDriver(Struct, frozen=True):
    """How the loader takes one file, by the signatures in it. ``is_signed``: it carries any.

    ``catalog`` is the good catalog of this Windows that lists the file, looked for only where no signature in it is
    accepted; None where none does. ``is_of_windows``: that catalog is Microsoft's own, as for what Windows ships.
    ``unread`` are the catalogs that could not be asked.
    """

    path: str
    judgement: Judgement
    is_signed: bool
    catalog: str | None = None
    is_of_windows: bool = False
    unread: tuple[str, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether a signature in the file is enough, or it is one of Windows' own files."""
        return self.judgement.acceptance is Acceptance.ACCEPTED or self.is_of_windows


class DriverJudge:
    """Judges files of one installation; each is read once."""

    def __init__(self, chain: BootChain, installation: Installation, hive: Hive, *, secure_boot: bool | None) -> None:
        self._chain = chain
        self._installation = installation
        self._hive = hive
        self._secure_boot = secure_boot
        self._known: dict[str, JudgedDriver] = {}

    @cached_property
    def rules(self) -> Rules:
        """What this Windows' loader goes by. Raises HiveError and FileSystemError for damage on the way."""
        today = date.today()
        return read_rules(self._chain, self._installation, self._hive, secure_boot=self._secure_boot, today=today)

    def judge(self, path: str) -> JudgedDriver:
        """Judge the file at this path of the volume. Raises FileSystemError where it cannot be read."""
        key = path.casefold()
        if key not in self._known:
            self._known[key] = self._judge(path)
        return self._known[key]

    def _judge(self, path: str) -> JudgedDriver:
        filesystem = self._installation.volume.filesystem()
        data = filesystem.read(path, 0, MAX_DRIVER)
        signatures = read_signatures(data)
        judgement = judge_file(signatures, self.rules)
        if judgement.acceptance is Acceptance.ACCEPTED:
            return JudgedDriver(path, judgement, bool(signatures))
        listed = find_in_catalogs(filesystem, self._installation.directory, data, self.rules)
        is_of_windows = listed.kind is SignatureClass.MICROSOFT
        return JudgedDriver(path, judgement, bool(signatures), listed.catalog, is_of_windows, listed.unread)
