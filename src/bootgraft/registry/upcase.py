"""Upper case as the Windows kernel sees it: what registry names are compared, sorted and hashed by.

``RtlUpcaseUnicodeChar`` maps each UTF-16 code unit by itself through a table. ``str.upper`` differs: ß must stay ß,
and U+00B5, U+0131 and U+017F stay too. The same table is written by Windows' format into ``$UpCase`` of every NTFS
volume, and was read from there: volumes formatted by Windows 10 (18348) and by the XP generation. They agree on
COMMON below; Windows Vista and later know LATER besides, and XP alone maps final sigma (U+03C2). Names are compared
here by the Vista table; :func:`is_portable` tells whether a name is free of characters the two disagree about.
"""

import re
from functools import cache
from operator import mul

# First-last/step±distance of code units (hexadecimal) that map to another one; ASCII is not listed.
_COMMON = """
00E0-00F6/1-32 00F8-00FE/1-32 00FF+121 0101-012F/2-1 0133-0137/2-1 013A-0148/2-1 014B-0177/2-1 017A-017E/2-1
0183-0185/2-1 0188-1 018C-1 0192-1 0199-1 01A1-01A5/2-1 01A8-1 01AD-1 01B0-1 01B4-01B6/2-1 01B9-1 01BD-1
01C6-2 01C9-2 01CC-2 01CE-01DC/2-1 01DD-79 01DF-01EF/2-1 01F3-2 01F5-1 01FB-0217/2-1 0253-210 0254-206
0256-0257/1-205 0259-202 025B-203 0260-205 0263-207 0268-209 0269-211 026F-211 0272-213 0275-214 0283-218
0288-218 028A-028B/1-217 0292-219 03AC-38 03AD-03AF/1-37 03B1-03C1/1-32 03C3-03CB/1-32 03CC-64 03CD-03CE/1-63
03E3-03EF/2-1 0430-044F/1-32 0451-045C/1-80 045E-045F/1-80 0461-0481/2-1 0491-04BF/2-1 04C2-04C4/2-1 04C8-1
04CC-1 04D1-04EB/2-1 04EF-04F5/2-1 04F9-1 0561-0586/1-48 1E01-1E95/2-1 1EA1-1EF9/2-1 1F00-1F07/1+8
1F10-1F15/1+8 1F20-1F27/1+8 1F30-1F37/1+8 1F40-1F45/1+8 1F51-1F57/2+8 1F60-1F67/1+8 1F70-1F71/1+74
1F72-1F75/1+86 1F76-1F77/1+100 1F78-1F79/1+128 1F7A-1F7B/1+112 1F7C-1F7D/1+126 1FB0-1FB1/1+8 1FD0-1FD1/1+8
1FE0-1FE1/1+8 1FE5+7 2170-217F/1-16 24D0-24E9/1-26 FF41-FF5A/1-32
"""
_LATER = """
0180+195 0195+97 019A+163 019E+130 01BF+56 01F9-1 0219-021F/2-1 0223-0233/2-1 023C-1 0242-1 0247-024F/2-1
0250+10783 0251+10780 026B+10743 0271+10749 027D+10727 0280-218 0289-69 028C-71 0371-0373/2-1 0377-1
037B-037D/1+130 03D7-8 03D9-03E1/2-1 03F2+7 03F8-1 03FB-1 0450-80 045D-80 048B-048F/2-1 04C6-1 04CA-1 04CE-1
04CF-15 04ED-1 04F7-1 04FB-0523/2-1 1D79+35332 1D7D+3814 1EFB-1EFF/2-1 1F80-1F87/1+8 1F90-1F97/1+8
1FA0-1FA7/1+8 1FB3+9 1FC3+9 1FF3+9 214E-28 2184-1 2C30-2C5E/1-48 2C61-1 2C65-10795 2C66-10792 2C68-2C6C/2-1
2C73-1 2C76-1 2C81-2CE3/2-1 2D00-2D25/1-7264 A641-A65F/2-1 A663-A66D/2-1 A681-A697/2-1 A723-A72F/2-1
A733-A76F/2-1 A77A-A77C/2-1 A77F-A787/2-1 A78C-1
"""
_FINAL_SIGMA = 0x3C2
_STEP = 64
"""Powers of the hash's base are made for so many more characters at once."""
_RANGE = re.compile(r"([0-9A-F]{4})(?:-([0-9A-F]{4})/(\d))?([+-]\d+)")


def _expand(text: str) -> dict[int, int]:
    table = {}
    for first, last, step, distance in _RANGE.findall(text):
        start = int(first, 16)
        for unit in range(start, int(last or first, 16) + 1, int(step or 1)):
            table[unit] = unit + int(distance)
    return table


@cache
def _table() -> dict[int, int]:
    return _expand(_COMMON) | _expand(_LATER) | {unit: unit - 32 for unit in range(ord("a"), ord("z") + 1)}


@cache
def _disputed() -> frozenset[int]:
    return frozenset(_expand(_LATER)) | {_FINAL_SIGMA}


def _code_units(name: str) -> str:
    """Split characters beyond U+FFFF into their two surrogates, so that comparing strings compares code units."""
    if name.isascii() or max(name) <= "\uffff":
        return name
    data = name.encode("utf-16-le", "surrogatepass")
    return "".join(chr(int.from_bytes(data[at : at + 2], "little")) for at in range(0, len(data), 2))


def upcase(name: str) -> str:
    """The upper-case form of a name, one Python character for each UTF-16 code unit.

    Two names are the same to Windows where their forms are equal; sub-key lists ascend by it.
    """
    if name.isascii():
        return name.upper()
    return _code_units(name).translate(_table())


def is_portable(name: str) -> bool:
    """Whether every Windows, from NT 4 to 11, upper-cases this name in the same way."""
    return name.isascii() or _disputed().isdisjoint(map(ord, name))


@cache
def _powers(count: int) -> tuple[int, ...]:
    """37 to the power of 0 and up, modulo 2³²."""
    return tuple(pow(37, each, 2**32) for each in range(count))


def name_hash(name: str) -> int:
    """The 32-bit hash that ``lh`` lists hold: H = 37·H + code unit, over the upper-case name."""
    upper = upcase(name)
    units = upper[::-1].encode("ascii") if upper.isascii() else map(ord, reversed(upper))
    return int(sum(map(mul, units, _powers(-(-len(upper) // _STEP) * _STEP)))) & 0xFFFFFFFF
