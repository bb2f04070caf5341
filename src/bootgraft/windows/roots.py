r"""Where the paths that Windows writes into its registry lead on the volume that it lies on.

``\SystemRoot`` and ``%SystemRoot%`` are the Windows directory; ``\??\C:\…`` and ``C:\…`` name a drive, which is the
installation's own volume if it has that letter.
"""

import re

_SYSTEM_ROOT = re.compile(r"(?:\\SystemRoot|%SystemRoot%|%windir%)(?=\\)", re.IGNORECASE)
_DRIVE = re.compile(r"(?:\\\?\?\\|\\DosDevices\\|\\\\\?\\)?([A-Z]:)(?=\\)", re.IGNORECASE | re.ASCII)


def on_volume(path: str, directory: str, *, drive_letter: str | None = None) -> str:
    r"""Turn a path of the registry into one of the volume that holds the Windows ``directory`` (``\WINDOWS``).

    A relative path counts from the Windows directory, as the loader takes it. Where ``drive_letter`` (``C:``) is not
    known, a path with a letter is taken to lie on this volume if it goes through the Windows directory. A path that
    leads elsewhere comes back as it is, so that it is looked for, not found, and named in full.
    """
    path = path.strip().strip('"').replace("/", "\\")
    if not path:
        return directory
    root = _SYSTEM_ROOT.match(path)
    if root is not None:
        return directory + path[root.end() :]
    drive = _DRIVE.match(path)
    if drive is None:
        return path if path.startswith("\\") else f"{directory}\\{path}"
    rest = path[drive.end() :]
    here = _is_below(rest, directory) if drive_letter is None else drive[1].upper() == drive_letter.upper()
    return rest if here else path


def is_relative(path: str) -> bool:
    """Whether a path of the registry counts from the Windows directory: it names no root, drive or variable."""
    return not path.startswith(("\\", "%")) and not any(character in path for character in ':/"')


def _is_below(path: str, directory: str) -> bool:
    return path.casefold().startswith(directory.casefold() + "\\")


def is_plain(path: str) -> bool:
    r"""Whether a path goes down from where it begins, to a file: no ``..``, no empty name, no stream (``a.sys:b``)."""
    return not any(name in ("", ".", "..") or ":" in name for name in path.split("\\"))
