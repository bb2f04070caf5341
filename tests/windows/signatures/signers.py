"""Signers of drivers for the tests of signatures: a hierarchy of their own, whose root counts only if they say so."""

from base64 import b64encode
from pathlib import Path

import pytest
from tests.machines.signing import ATTESTATION, CODE_SIGNING, WHQL, Hierarchy, Identity

from bootgraft.windows.signatures import roots
from bootgraft.windows.signatures.roots import Root, RootKind

__all__ = ["ATTESTATION", "CODE_SIGNING", "WHQL", "Identity", "Signers"]

ROOT_NAME = "Root of the tests"


class Signers(Hierarchy):
    """The hierarchy."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ROOT_NAME)

    def trust(self, kind: RootKind, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the root of the tests count as one of Windows' own."""
        monkeypatch.setattr(roots, "ROOTS", (*roots.ROOTS, Root(ROOT_NAME, kind, b64encode(self.root_key).decode())))
