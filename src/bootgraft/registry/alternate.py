r"""SYSTEM.ALT: the second copy of the SYSTEM hive that Windows up to 2000 keeps in step, and boots from at need.

ntldr takes it where SYSTEM is not sound, so after an edit it must hold the same, or the machine may boot from the old
state. It is a hive like any other but for the file type in its base block, which is kept as it is: 1, as the type 1 is
a log's only since Windows XP (https://github.com/msuhanov/regf, "Very old versions of Windows"), or 0. Windows XP and
later know no such file.
"""

from bootgraft.registry.baseblock import BASE_SIZE, CHECKSUM_AT, PAGE, SECTOR, checksum
from bootgraft.registry.pages import CLUSTER, Storage

LAST_VERSION = 3
"""Minor version of the hives of Windows NT 4 and 2000; an upgraded machine may have a stale file beside a later one."""
SUFFIX = ".ALT"
_TYPE_AT = 28
_ALTERNATE = 1


def bring_into_line(hive: Storage, alternate: Storage, *, bins_size: int) -> None:
    """Make the alternate hold what a clean hive with ``bins_size`` bytes of bins holds: pages first, base block last.

    Only pages that differ are written; what lies behind the bins is left.
    """
    kind = _file_type(alternate)
    end = BASE_SIZE + bins_size
    for start in range(BASE_SIZE, end, CLUSTER):
        length = min(CLUSTER, end - start)
        wanted, present = hive.read(start, length), alternate.read(start, length)
        for at in range(0, length, PAGE):
            if wanted[at : at + PAGE] != present[at : at + PAGE]:
                alternate.write(start + at, wanted[at : at + PAGE])
    base = bytearray(hive.read(0, BASE_SIZE))
    base[_TYPE_AT : _TYPE_AT + 4] = kind.to_bytes(4, "little")
    base[CHECKSUM_AT:SECTOR] = checksum(bytes(base)).to_bytes(4, "little")
    alternate.write(0, bytes(base))


def _file_type(alternate: Storage) -> int:
    block = alternate.read(0, SECTOR)
    kind = int.from_bytes(block[_TYPE_AT : _TYPE_AT + 4], "little")
    return kind if block.startswith(b"regf") and kind in (0, _ALTERNATE) else _ALTERNATE
