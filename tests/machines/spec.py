"""What a machine is made of: frozen data, no work. ``build`` turns it into images."""

from enum import IntFlag, StrEnum
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

SECTOR = 512


class FileAttributes(IntFlag):
    """The attribute bits of NTFS and FAT (MS-FSCC 2.6)."""

    NONE = 0
    READ_ONLY = 0x01
    HIDDEN = 0x02
    SYSTEM = 0x04
    ARCHIVE = 0x20


class Architecture(StrEnum):
    """The processors that a driver can be built for."""

    X86 = "x86"
    X64 = "x64"


class HiveState(StrEnum):
    """What is wrong with a hive file."""

    CLEAN = "clean"
    DIRTY = "dirty"  # the sequence numbers differ: its log has not been replayed
    CORRUPT = "corrupt"  # a right base block before a hive bin that is none
    TRUNCATED = "truncated"  # the base block promises more bins than there are
    NOT_A_HIVE = "not a hive"


class VolumeState(StrEnum):
    """What is wrong with an NTFS volume."""

    CLEAN = "clean"
    UNCLEAN = "unclean"  # $LogFile: a client is in use and the volume was not marked clean
    LOG_2_0 = "log 2.0"  # $LogFile of version 2.0, as Windows 8 and later leave it after a fast-startup shutdown
    HIBERNATED = "hibernated"  # hiberfil.sys with a memory image in it
    HIBERNATED_LOG_2_0 = "hibernated, log 2.0"  # both, as a shutdown with fast start-up leaves it


class Loader(StrEnum):
    """What the boot sector of a volume looks for."""

    NTLDR = "ntldr"
    BOOTMGR = "bootmgr"
    FREELDR = "freeldr"  # on FAT only


class FileSystem(StrEnum):
    """The file systems that volumes are made with."""

    NTFS = "ntfs"
    FAT12 = "fat12"
    FAT16 = "fat16"
    FAT32 = "fat32"


class Hive(Struct, frozen=True):
    """A registry hive, as the .reg text that makes its content; ``minor`` is the format version, 3 or 5."""

    text: str
    minor: int = 5
    state: HiveState = HiveState.CLEAN


class Signer(StrEnum):
    """Who signs a driver, or seems to: the roots are those of the tests, which stand for Microsoft's."""

    MICROSOFT = "Microsoft"  # Windows' own files
    WHQL = "WHQL"
    ATTESTATION = "attestation"
    CROSS_SIGNED = "cross-signed"  # a vendor below an authority that the Code Verification Root signed
    UNKNOWN_ROOT = "unknown root"  # a vendor below a public authority that Microsoft did not sign
    SELF_SIGNED = "self-signed"


class Signature(Struct, frozen=True):
    """One signature; the file and all certificates are signed by this hash."""

    signer: Signer
    digest: str = "sha256"


class PortableExecutable(Struct, frozen=True):
    """A kernel-mode binary: what it imports (per file, the functions), what it exports, its file version.

    Of several ``signatures`` the further ones are nested in the first. ``altered``: a byte was changed after signing.
    """

    name: str
    arch: Architecture
    imports: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exports: tuple[str, ...] = ()
    version: tuple[int, int, int, int] | None = (5, 2, 3790, 3959)
    signatures: tuple[Signature, ...] = ()
    altered: bool = False


class HostFile(Struct, frozen=True):
    """The content of a file of the host, such as a real hive among the shared test data."""

    path: Path

    def __repr__(self) -> str:
        """Told by its content, by which alone what is built of it may be known."""
        return f"HostFile(sha256={sha256(self.path.read_bytes()).hexdigest()})"


class Cabinet(Struct, frozen=True):
    """A cabinet with these members, packed with MSZIP; or one member stored in the LZX way."""

    members: tuple[tuple[str, bytes | PortableExecutable], ...]
    lzx: bool = False


class Catalog(Struct, frozen=True):
    """A signed list of the hashes of these files, for the Windows in ``systems`` (OSAttr: "2:6.1,2:10.0")."""

    members: tuple[PortableExecutable, ...]
    signature: Signature
    systems: str
    digest: str = "sha1"


Content = bytes | Hive | PortableExecutable | HostFile | Cabinet | Catalog


class File(Struct, frozen=True):
    """A file on a volume; ``path`` is Windows' own, absolute on its volume: ``\\WINDOWS\\system32\\hal.dll``."""

    path: str
    content: Content
    attributes: FileAttributes = FileAttributes.ARCHIVE


class Volume(Struct, frozen=True):
    """A formatted partition with its files. Parent directories are made as needed."""

    filesystem: FileSystem
    files: tuple[File, ...]
    label: str = ""
    state: VolumeState = VolumeState.CLEAN
    loader: Loader = Loader.NTLDR


class Guids(Struct, frozen=True):
    """What a partition of a GPT disk is: its type, and itself."""

    type: str
    own: str


class Partition(Struct, frozen=True):
    """``start`` and ``sectors`` in sectors of 512 bytes; ``volume`` None leaves it unformatted.

    ``type`` is that of an MBR entry; on a GPT disk ``guids`` count. ``slot`` is the entry's place in the table, from 1;
    without it, the next one.
    """

    start: int
    sectors: int
    type: int
    volume: Volume | None
    active: bool = False
    logical: bool = False
    guids: Guids | None = None
    slot: int | None = None


class Disk(Struct, frozen=True):
    """A disk of ``sectors`` sectors; ``signature`` is what Windows knows it by, or ``guid`` where it has a GPT.

    ``container`` is the type of the extended partition that holds logical ones.
    """

    sectors: int
    signature: int
    partitions: tuple[Partition, ...]
    guid: str | None = None
    container: int = 0x05


class MachineSpec(Struct, frozen=True):
    """The disks of one machine, in BIOS order."""

    name: str
    disks: tuple[Disk, ...]
