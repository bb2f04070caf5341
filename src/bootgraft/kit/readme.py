"""``README.txt``: what the kit is for, how it is used, and all that it touches."""

import hashlib
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from bootgraft.kit.contents import Kit
from bootgraft.windows.versions import VISTA, WINDOWS_2000

_WIDTH = 78
_KEPT = "What was replaced is kept in the folder backup-COMPUTERNAME until then."


def readme(kit: Kit, files: Sequence[tuple[str, bytes]]) -> bytes:
    """The text; ``files`` are the other files of the kit. Characters that are not ASCII are written as escapes."""
    lines = list(_lines(kit, files))
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "backslashreplace")


def _lines(kit: Kit, files: Sequence[tuple[str, bytes]]) -> Iterator[str]:
    title = f"{kit.service} for {kit.target} on {kit.target_windows.name} ({kit.target_windows.arch})"
    yield from (title, "=" * len(title), "")
    yield from _text(
        f"Run this on the physical machine, before it is converted: after it, the machine starts from "
        f"{kit.target} as well as from its own controller. What it replaces is backed up first."
    )
    yield ""
    yield from _usage(kit)
    if kit.staged:
        yield from _staging(kit)
    yield "What it touches"
    yield "---------------"
    yield from _touched(kit)
    if kit.present:
        yield from ("Left out, because the machine has it already", "--------------------------------------------")
        yield from _points(kit.present)
    if kit.notes:
        yield from ("To know", "-------")
        yield from _points(kit.notes)
    yield from ("Files of the kit (SHA-256)", "--------------------------")
    yield from (f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files)


def _usage(kit: Kit) -> Iterator[str]:
    yield from ("How", "---")
    where = "Copy the whole kit to a folder on a local disk."
    start = "Log on as an administrator and start install.cmd."
    if kit.target_windows.version < WINDOWS_2000:
        start = "Log on as an administrator, open a command prompt, change to that folder, start install.cmd."
    elif kit.target_windows.version >= VISTA:
        start = 'Start install.cmd with "Run as administrator".'
    check = f"    bootgraft check IMAGE --target {kit.target}"
    yield from _points(
        (
            where,
            start,
            'It ends with "Done: installed and verified" (exit status 0), or says what failed (1)'
            + (" or is not proven (2)." if kit.staged else "."),
            f"Convert the machine, and check the image before its first start:\n{check}",
            f"uninstall.cmd reverts everything, on the physical machine only. {_KEPT}",
        )
    )


def _staging(kit: Kit) -> Iterator[str]:
    yield from ("The driver store", "----------------")
    yield from _text(
        f"Windows 8 and later look a boot driver up in their DriverDatabase. install.cmd gives {kit.inf} to pnputil, "
        "which puts it there, puts the driver and its service in place, and looks whether Windows has bound it. Where "
        "Windows leaves that until it first meets the controller, install.cmd says so and ends with 2: repair the "
        "image after the conversion then, or let the machine meet the controller with a second disk first."
    )
    yield ""


def _touched(kit: Kit) -> Iterator[str]:
    yield from (f"file    %SystemRoot%\\{file.path}" for file in kit.files)
    if kit.keys or kit.gone:
        yield "keys below HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet:"
    for number, key in enumerate(kit.keys, start=1):
        values = "1 value" if len(key.values) == 1 else f"{len(key.values)} values"
        yield f"  {number:02d}    {key.path}  ({values})"
    for number, key in enumerate(kit.further, start=1 + len(kit.keys)):
        yield f"  {number:02d}    {key.path}  (another device: left as it is where it exists)"
    for number, path in enumerate(kit.gone, start=1 + len(kit.keys) + len(kit.further)):
        yield f"  {number:02d}    {path}  (removed: it would keep the driver from starting)"
    if kit.staged:
        yield f"driver store: {kit.inf}"
    yield ""


def _points(items: Iterable[str]) -> Iterator[str]:
    """Each item wrapped; what follows its first line are commands."""
    for item in items:
        text, *commands = item.split("\n")
        yield from textwrap.wrap(
            _plain(text), _WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False
        )
        yield from (f"  {_plain(each)}" for each in commands)  # they are to be pasted as a whole
    yield ""


def _text(text: str) -> Iterator[str]:
    yield from textwrap.wrap(_plain(text), _WIDTH, break_long_words=False)


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
