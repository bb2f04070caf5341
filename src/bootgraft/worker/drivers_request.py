"""What ``drivers`` asks of the child."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class DriversAction(StrEnum):
    """The sub-commands of ``drivers``."""

    LIST = "list"
    SHOW = "show"
    HARVEST = "harvest"


@dataclass(frozen=True, slots=True)
class DriversRequest:
    """One ``drivers`` command. ``version`` and ``arch`` name the Windows that ``show`` is asked for; None for any."""

    action: DriversAction
    version: str | None = None
    arch: str | None = None
    detailed: bool = False

    @staticmethod
    def from_fields(fields: dict[str, Any]) -> "DriversRequest":
        """The request in a job's JSON, which comes from our own parent."""
        return DriversRequest(**{**fields, "action": DriversAction(fields["action"])})
