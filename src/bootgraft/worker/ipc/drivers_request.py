"""What ``drivers`` asks of the child."""

from enum import StrEnum

from msgspec import Struct


class DriversAction(StrEnum):
    """What is asked of driver sources: the sub-commands of ``drivers``, and ``kit``."""

    LIST = "list"
    SHOW = "show"
    HARVEST = "harvest"
    KIT = "kit"  # a command of its own


class DriversRequest(Struct, frozen=True):
    """One ``drivers`` or ``kit`` command.

    ``version`` and ``arch`` name the Windows that ``show`` and ``kit`` are asked for; None for any.
    """

    action: DriversAction
    version: str | None = None
    arch: str | None = None
    detailed: bool = False
