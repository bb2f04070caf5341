"""What of a system partition can be lost, each by the id of its finding."""

from enum import StrEnum


class Lost(StrEnum):
    """What is not there."""

    PARTITION = "system-partition-left-behind"
    MANAGER = "boot-manager-missing"
    STORE = "bcd-store-lost"
