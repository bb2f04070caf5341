"""Bootgraft makes a Windows disk image boot again after it was moved: offline, proven before written, undoable."""

from typing import TYPE_CHECKING

from bootgraft.version import __version__

if TYPE_CHECKING:  # the command line loads no more than it needs
    from bootgraft.api import OfflineMachine, open_machine
    from bootgraft.errors import BootgraftError

__all__ = ["BootgraftError", "OfflineMachine", "__version__", "open_machine"]


def __getattr__(name: str) -> object:
    """Load what a program asks for (``docs/api.md``)."""
    if name == "BootgraftError":
        from bootgraft.errors import BootgraftError

        return BootgraftError
    if name in __all__:
        from bootgraft import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
