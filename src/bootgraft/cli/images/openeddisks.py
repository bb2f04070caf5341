"""The disks of a command once they are open, as far as it matters whether a repair of one was interrupted."""

from collections.abc import Mapping

from msgspec import Struct

from bootgraft.storage.images.opening import OpenImage


class OpenedDisks(Struct, frozen=True):
    """The disks by what they were called on the command line; and whether they are going to be written.

    ``covered`` is what a journal may cover besides, as given on the command line; ``is_whole_machine`` is not set for
    disks that are a source of something only.
    """

    images: Mapping[str, OpenImage]
    covered: tuple[str, ...]
    is_written: bool
    is_whole_machine: bool = True
