"""What the user consents to lose."""

from msgspec import Struct


class Consent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``reset_journal`` gives up the journals of unclean volumes, ``discard_hibernation`` saved sessions."""

    reset_journal: bool = False
    discard_hibernation: bool = False
