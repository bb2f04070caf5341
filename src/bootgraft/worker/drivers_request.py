"""What ``drivers`` asks of the child."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class DriversAction(StrEnum):
    """What is asked of driver sources: the sub-commands of ``drivers``, and ``kit``."""

    LIST = "list"
    SHOW = "show"
    HARVEST = "harvest"
    KIT = "kit"  # a command of its own


@dataclass(frozen=True, slots=True)
class DriversRequest:
    """One ``drivers`` or ``kit`` command.

    ``version`` and ``arch`` name the Windows that ``show`` and ``kit`` are asked for; None for any.
    """

    action: DriversAction
    version: str | None = None
    arch: str | None = None
    detailed: bool = False

    @staticmethod
    def from_fields(fields: dict[str, Any]) -> "DriversRequest":
        """The request in a job's JSON, which comes from our own parent."""
        return DriversRequest(**{**fields, "action": DriversAction(fields["action"])})
