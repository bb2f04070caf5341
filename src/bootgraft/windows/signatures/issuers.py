"""Which authorities issued the certificates that a file is signed with: a firmware looks for them in its list.

No signature is verified here.
"""

from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.certificate import read_name
from bootgraft.windows.signatures.der import DerError, parse
from bootgraft.windows.signatures.pkcs7 import read_signed_data
from bootgraft.windows.signatures.signature import MAX_SIGNATURES, NESTED


def issuers(data: bytes) -> tuple[str, ...]:
    """The names of the authorities, each once, in the order of the signatures; none for a file that carries none.

    What cannot be read of the signatures is left out: no file of whatever content raises.
    """
    found: dict[str, None] = {}
    try:
        pending = list(read_signed_file(data).signatures)
    except (DerError, RecursionError):
        return ()
    for _ in range(MAX_SIGNATURES):
        if not pending:
            break
        try:
            for signer in read_signed_data(parse(pending.pop(0))).signers:
                pending += (each.encoded for each in signer.unsigned.get(NESTED, ()))
                found[read_name(signer.issuer)] = None
        except (DerError, RecursionError):
            continue
    return tuple(found)
