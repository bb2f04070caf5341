"""Catalogs: their lists written by openssl's ASN.1 notation, signed by osslsigncode."""

from collections.abc import Sequence
from pathlib import Path

from tests.machines.tools import run
from tests.windows.signatures.signers import Identity, Signers

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
[system{number}]
kind=OID:1.3.6.1.4.1.311.12.2.1
values=SET:values{number}
[values{number}]
value=SEQUENCE:value{number}
[value{number}]
name=BMP:OSAttr
flags=INTEGER:0x10010001
text=FORMAT:HEX,OCT:{text}
"""


def catalog(
    signers: Signers,
    signer: Identity,
    digests: Sequence[bytes],
    *,
    systems: str = "2:6.1,2:6.2",
    digits: bool = False,
    folder: Path,
) -> bytes:
    """A signed catalog with these members; their hashes as ``digits`` in catalogs of the first version."""
    text = systems.encode("utf-16-le").hex() + "0000"
    tags = [f"{each.hex().upper()}\0".encode("utf-16-le") if digits else each for each in digests]
    members = (f"member{number}=SEQUENCE:member{number}\n" for number in range(len(tags)))
    sections = (_MEMBER.format(number=number, tag=tag.hex(), text=text) for number, tag in enumerate(tags))
    source, target = folder / "list.conf", folder / "list.der"
    source.write_text(_LIST.format(version=2 if digits else 3) + "".join(members) + "".join(sections))
    run("openssl", "asn1parse", "-genconf", source, "-noout", "-out", target)
    return signers.sign(target.read_bytes(), signer, name="list.cat")
