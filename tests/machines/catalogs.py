"""Catalogs: their lists written by openssl's ASN.1 notation, signed by osslsigncode."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.machines.signing import Hierarchy, Identity
from tests.machines.tools import run

_ALGORITHMS = {20: "SHA1", 32: "SHA256"}
_LIST = """asn1=SEQUENCE:whole
[whole]
kind=OID:1.2.840.113549.1.7.2
data=EXPLICIT:0,SEQUENCE:data
[data]
version=INTEGER:1
hashes=SET:nothing
content=SEQUENCE:content
signers=SET:nothing
[nothing]
[content]
kind=OID:1.3.6.1.4.1.311.10.1
list=EXPLICIT:0,SEQUENCE:list
[list]
usage=SEQUENCE:usage
id=FORMAT:HEX,OCT:000102030405060708090a0b0c0d0e0f
time=UTCTIME:230722113900Z
algorithm=SEQUENCE:algorithm
members=SEQUENCE:members
[usage]
kind=OID:1.3.6.1.4.1.311.12.1.1
[algorithm]
kind=OID:1.3.6.1.4.1.311.12.1.{version}
nothing=NULL
[members]
"""
_MEMBER = """[member{number}]
tag=FORMAT:HEX,OCT:{tag}
attributes=SET:attributes{number}
[attributes{number}]
system=SEQUENCE:system{number}
indirect=SEQUENCE:indirect{number}
[system{number}]
kind=OID:1.3.6.1.4.1.311.12.2.1
values=SET:values{number}
[values{number}]
value=SEQUENCE:value{number}
[value{number}]
name=BMP:OSAttr
flags=INTEGER:0x10010001
text=FORMAT:HEX,OCT:{text}
[indirect{number}]
kind=OID:1.3.6.1.4.1.311.2.1.4
values=SET:indirect_values{number}
[indirect_values{number}]
value=SEQUENCE:indirect_value{number}
[indirect_value{number}]
data=SEQUENCE:image
digest=SEQUENCE:digest{number}
[digest{number}]
algorithm=SEQUENCE:digest_algorithm{number}
hash=FORMAT:HEX,OCT:{digest}
[digest_algorithm{number}]
kind=OID:{algorithm}
nothing=NULL
"""
_IMAGE = """[image]
kind=OID:1.3.6.1.4.1.311.2.1.15
value=SEQUENCE:image_data
[image_data]
flags=FORMAT:HEX,BITSTRING:00
file=EXPLICIT:0,EXPLICIT:2,IMPLICIT:0,BMP:
"""


def catalog(
    signers: Hierarchy,
    signer: Identity,
    digests: Sequence[bytes],
    *,
    systems: str = "2:6.1,2:6.2",
    digits: bool = False,
) -> bytes:
    """A signed catalog with these members; their hashes as ``digits`` in catalogs of the first version."""
    return signers.sign(unsigned_catalog(digests, systems=systems, digits=digits), signer)


def unsigned_catalog(digests: Sequence[bytes], *, systems: str, digits: bool = False) -> bytes:
    """The list of a catalog, which vouches for nothing yet."""
    text = systems.encode("utf-16-le").hex() + "0000"
    tags = [f"{each.hex().upper()}\0".encode("utf-16-le") if digits else each for each in digests]
    members = (f"member{number}=SEQUENCE:member{number}\n" for number in range(len(tags)))
    sections = (
        _MEMBER.format(number=number, tag=tag.hex(), text=text, digest=each.hex(), algorithm=_ALGORITHMS[len(each)])
        for number, (tag, each) in enumerate(zip(tags, digests, strict=True))
    )
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "list.conf"), Path(folder, "list.der")
        source.write_text(_LIST.format(version=2 if digits else 3) + "".join((*members, *sections, _IMAGE)))
        run("openssl", "asn1parse", "-genconf", source, "-noout", "-out", target)
        return target.read_bytes()
