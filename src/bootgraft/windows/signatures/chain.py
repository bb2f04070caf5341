"""From a signer's certificate to a root that Windows knows, through the certificates that came with the signature.

Only those count: the loader has no certificate store, so a cross-certificate that is not in the signature is not there.
Times of validity are not looked at, as the loader does not look at them.
"""

from collections.abc import Sequence

from msgspec import Struct

from bootgraft.windows.signatures import roots
from bootgraft.windows.signatures.certificate import Certificate, PublicKey, UnsupportedError, read_name
from bootgraft.windows.signatures.roots import Root

MAX_LENGTH = 8
_MAX_STEPS = 64
"""Signatures of certificates that are verified for one chain: each takes up to 3 ms."""


class CertificateChain(Struct, frozen=True):
    """The certificates from the signer's on; ``root`` is the known root that the last one was issued by, if any."""

    certificates: tuple[Certificate, ...]
    root: Root | None

    @property
    def leaf(self) -> Certificate:
        """The signer's certificate."""
        return self.certificates[0]

    @property
    def is_self_signed(self) -> bool:
        """Whether the signer's certificate vouches for itself."""
        return self.root is None and self.leaf.issuer == self.leaf.subject

    @property
    def end(self) -> str:
        """Whom the chain ends at, for people."""
        return self.root.name if self.root is not None else read_name(self.certificates[-1].issuer)


def build_chain(leaf: Certificate, certificates: Sequence[Certificate]) -> CertificateChain:
    """The chain to a known root if there is one, else the longest that was met.

    Raises UnsupportedError where a link is signed by an algorithm that is not verified here, and nothing else leads on.
    """
    builder = _Builder(certificates)
    builder.follow((leaf,))
    if builder.found is not None:
        return builder.found
    if builder.unsupported is not None:
        raise builder.unsupported
    return CertificateChain(builder.longest, None)


class _Builder:
    def __init__(self, certificates: Sequence[Certificate]) -> None:
        self._certificates = certificates
        self._steps = 0
        self.found: CertificateChain | None = None
        self.longest: tuple[Certificate, ...] = ()
        self.unsupported: UnsupportedError | None = None

    def follow(self, chain: tuple[Certificate, ...]) -> None:
        """Try every way on from the end of the chain until one arrives."""
        if len(chain) > len(self.longest):
            self.longest = chain
        last = chain[-1]
        for root in roots.ROOTS:
            if self.found is None and read_name(last.issuer) == root.name and self._issued(last, root.key):
                self.found = CertificateChain(chain, root)
        if len(chain) == MAX_LENGTH:
            return
        for each in self._certificates:
            if self.found is not None:
                return
            if each.subject != last.issuer or not each.is_authority or each.key is None or each in chain:
                continue
            if self._issued(last, each.key):
                self.follow((*chain, each))

    def _issued(self, certificate: Certificate, key: PublicKey) -> bool:
        self._steps += 1
        try:
            return self._steps <= _MAX_STEPS and certificate.issued_by(key)
        except UnsupportedError as error:
            self.unsupported = error
            return False
