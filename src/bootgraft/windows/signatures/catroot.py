r"""The catalogs that a Windows itself has taken in: ``CatRoot\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}``.

The GUID is DRIVER_ACTION_VERIFY's (softpub.h), the folder that of the system catalog database (Microsoft, "Catalog
Files and Digital Signatures"). The loader can find a driver's hash there. A catalog that lies beside a driver's file,
or in the driver store, is none of them.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from bootgraft.errors import FileMissingError, FileSystemError
from bootgraft.filesystems.base import Entry, FileSystem
from bootgraft.windows.signatures.acceptance import Acceptance, Rules, judge_signature
from bootgraft.windows.signatures.authenticode import read_signed_file
from bootgraft.windows.signatures.catalog import MAX_CATALOG, may_list, read_catalog
from bootgraft.windows.signatures.der import DerError
from bootgraft.windows.signatures.signature import SignatureClass

DIRECTORY = "system32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
MAX_READ = 512 * 2**20
"""Bytes of catalogs that are read for one file; Windows 10 with years of updates has some 300 MB."""

_OF_PACKAGES = "oem"
_HASHES = ("sha1", "sha256")


class Listed(Struct, frozen=True):
    """What the catalogs say of a file: the good catalog that lists it (None where none does), and what was not read.

    ``kind`` is that of the catalog's signature: Microsoft's own is on what Windows itself consists of.
    """

    catalog: str | None
    unread: tuple[str, ...] = ()
    kind: SignatureClass | None = None


def find_in_catalogs(filesystem: FileSystem, directory: str, data: bytes, rules: Rules) -> Listed:
    r"""Look for a driver's file with this content in the catalogs of the Windows in ``directory`` (``\Windows``).

    A catalog is good where its own signature is one that this Windows takes. The vendors' (``oem7.cat``) come first.
    """
    folder = f"{directory}\\{DIRECTORY}"
    try:
        file = read_signed_file(data)
        digests = tuple(file.digest(algorithm) for algorithm in _HASHES)
        entries = [each for each in filesystem.listdir(folder) if each.name.casefold().endswith(".cat")]
    except FileMissingError:
        return Listed(None)
    except (DerError, FileSystemError) as error:
        return Listed(None, (str(error),))
    entries.sort(key=lambda each: (not each.name.casefold().startswith(_OF_PACKAGES), each.name.casefold()))
    unread: list[str] = []
    for path, found in _read(filesystem, folder, entries, unread):
        kind = _vouches(path, found, digests, rules, unread)
        if kind is not None:
            return Listed(path, tuple(unread), kind)
    return Listed(None, tuple(unread))


def _read(
    filesystem: FileSystem, folder: str, entries: Iterable[Entry], unread: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Each catalog with its content, as far as the bound reaches; ``unread`` gets what is left out."""
    total = 0
    for entry in entries:
        path = f"{folder}\\{entry.name}"
        if entry.size > MAX_CATALOG or total + entry.size > MAX_READ:
            unread.append(f"{path}: it is too large" if entry.size > MAX_CATALOG else f"{path} and the rest: too many")
            if entry.size > MAX_CATALOG:
                continue
            return
        total += entry.size
        try:
            yield path, filesystem.read(path, 0, MAX_CATALOG)
        except FileSystemError as error:
            unread.append(f"{path}: {error.what}")


def _vouches(
    path: str, data: bytes, digests: Sequence[bytes], rules: Rules, unread: list[str]
) -> SignatureClass | None:
    """The class of the catalog's signature if it is good and lists the file."""
    if not any(may_list(data, digest) for digest in digests):
        return None
    try:
        catalog = read_catalog(data)
    except DerError as error:
        unread.append(f"{path}: {error}")
        return None
    is_good = judge_signature(catalog.signature, rules).acceptance is Acceptance.ACCEPTED
    return catalog.signature.kind if is_good and any(digest in catalog.hashes for digest in digests) else None
