r"""Whether the next start of a Windows is one of Setup: ``SYSTEM\Setup``, and what Sysprep says of the image.

``SetupType`` other than 0 has the log-on replaced by ``CmdLine``, which stays after Setup as well and by itself says
nothing. ``SystemSetupInProgress`` marks Setup and what Sysprep prepared; ``ImageState`` below SOFTWARE says which
(Microsoft, "Windows Setup States"). ``ChildCompletion\setup.exe`` is 3 where Setup's own part is done.
"""

from msgspec import Struct

from bootgraft.errors import FileSystemError, HiveError
from bootgraft.registry.hive import Hive, Key
from bootgraft.windows.installation import Installation, open_hive

KEY = "Setup"
COMPLETION = r"Setup\Status\ChildCompletion"
_STATE = r"Microsoft\Windows\CurrentVersion\Setup\State"
_GENERALIZED = "IMAGE_STATE_GENERALIZE"
_OF_SYSPREP = ("windeploy.exe", "-mini")


class SetupState(Struct, frozen=True):
    """The values; 0 and empty where one is missing. ``child`` is that of ChildCompletion, None where it has none."""

    type: int
    command: str
    in_progress: bool
    mini: bool
    image_state: str
    child: int | None

    @property
    def is_setup(self) -> bool:
        """Whether the next start is one of Setup, or of a command in its place."""
        return bool(self.type) or self.in_progress

    @property
    def is_generalized(self) -> bool:
        """Whether Sysprep prepared it: XP's mini-setup, or the first start of an image since Vista."""
        command = self.command.casefold()
        return self.mini or self.image_state.startswith(_GENERALIZED) or any(each in command for each in _OF_SYSPREP)


def read_setup_state(installation: Installation, hive: Hive) -> SetupState | None:
    """None where the next start is none of Setup. Raises HiveError where the SYSTEM hive is damaged on the way."""
    key = hive.key(KEY)
    if key is None or not (_number(key, "SetupType") or _number(key, "SystemSetupInProgress")):
        return None
    command = key.value("CmdLine")
    completion = hive.key(COMPLETION)
    child = None if completion is None else completion.value("setup.exe")
    return SetupState(
        _number(key, "SetupType"),
        "" if command is None else command.text() or "",
        bool(_number(key, "SystemSetupInProgress")),
        bool(_number(key, "MiniSetupInProgress")),
        _image_state(installation),
        None if child is None else child.dword(),
    )


def _image_state(installation: Installation) -> str:
    try:
        key = open_hive(installation, "SOFTWARE").key(_STATE)
        value = None if key is None else key.value("ImageState")
    except (FileSystemError, HiveError):  # which is another check's matter
        return ""
    return "" if value is None else value.text() or ""


def _number(key: Key, name: str) -> int:
    value = key.value(name)
    return 0 if value is None else value.dword() or 0
