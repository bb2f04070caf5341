"""Telling a registry hive from a disk image."""

import os
from collections.abc import Sequence


def is_hive_file(images: Sequence[str]) -> bool:
    """Whether what was given is one registry hive, not a disk."""
    if len(images) != 1 or not os.path.isfile(images[0]):  # noqa: PTH113  Path.is_file raises for what it may not see
        return False
    try:
        descriptor = os.open(images[0], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # opening it as an image says what is wrong
        return False
    try:
        return os.read(descriptor, 4) == b"regf"
    except OSError:
        return False
    finally:
        os.close(descriptor)
