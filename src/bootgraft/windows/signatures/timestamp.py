"""When a signature was made, as a timestamp authority says: countersignatures of both kinds.

PKCS#9 countersignatures (RFC 2985, section 5.3.6) and RFC 3161 tokens. Whose authority it is is not followed: the
loader does not look at times; they only tell whether an expired certificate matters.
"""

from datetime import datetime

from bootgraft.windows.signatures.certificate import Certificate, algorithm_of, digest_of, hash_of
from bootgraft.windows.signatures.der import OCTET_STRING, DerElement, DerError, parse, parts
from bootgraft.windows.signatures.pkcs7 import Signer, read_signed_data, read_signer

_COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
_TOKEN = "1.3.6.1.4.1.311.3.3.1"
_TOKEN_INFO = "1.2.840.113549.1.9.16.1.4"


def read_timestamp(signer: Signer, certificates: tuple[Certificate, ...]) -> datetime | None:
    """The time of the first countersignature that holds; None where there is none."""
    for kind, read in ((_COUNTERSIGNATURE, _countersigned), (_TOKEN, _token)):
        for each in signer.unsigned.get(kind, ()):
            try:
                found = read(each, signer, certificates)
            except (DerError, RecursionError):  # one that cannot be read says nothing
                continue
            if found is not None:
                return found
    return None


def _countersigned(element: DerElement, signer: Signer, certificates: tuple[Certificate, ...]) -> datetime | None:
    """By a further signer of the same signature, whose content is the first's signature."""
    authority = read_signer(element)
    certificate = authority.certificate(certificates)
    # VeriSign's and Symantec's old services sign the bare SHA-1, without saying that it is one
    if certificate is None or authority.fault(signer.signature, certificate, or_bare=authority.hash == "sha1"):
        return None
    return authority.signing_time


def _token(element: DerElement, signer: Signer, _certificates: tuple[Certificate, ...]) -> datetime | None:
    """By a signature of its own, of a TSTInfo that holds the hash of the first's signature."""
    signed = read_signed_data(element)
    if signed.kind != _TOKEN_INFO or not signed.signers:
        return None
    authority = signed.signers[0]
    certificate = authority.certificate(signed.certificates)
    content = signed.content.require(OCTET_STRING, "a timestamp").content
    if certificate is None or authority.fault(content, certificate):
        return None
    _, _, imprint, _, time = parts(parse(content), "a timestamp", at_least=5)[:5]
    algorithm, digest = parts(imprint, "a timestamp's digest", at_least=2)[:2]
    matches = digest.content == digest_of(signer.signature, hash_of(algorithm_of(algorithm)))
    return time.time() if matches else None
