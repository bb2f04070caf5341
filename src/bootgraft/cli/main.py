"""The command line: arguments in, exit status out. Each command's module is loaded only when it is asked for."""

import argparse
import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from bootgraft.cli.process import open_standard_streams, stop_status, stoppable
from bootgraft.errors import BootgraftError, ImageError, PartitionTableError, UsageError
from bootgraft.version import __version__

if TYPE_CHECKING:  # with msgspec it is a third of what --version and --help would take
    from bootgraft.cli.options import Options
    from bootgraft.report.layout.lines import PrintedLine

_UNTIL_GARBAGE = 100_000
"""Objects made until garbage is looked for: what a command loads is none, and by default it is looked through often."""

_WITH_DESCRIPTION = ("inspect", "check", "repair", "undo", "history")
_EPILOG = """\
exit status:
  0  it would boot; it is done
  1  it would not boot, or bootgraft cannot tell; for repair: nothing was written
  2  the command line is wrong
  3  the input cannot be used (unreadable, in use, hibernated, ...): nothing was written
"""


_SHORTEST, _LONGEST = 0.01, 10.0**8


class _Once(argparse.Action):
    """Stores the value of an option that has one: a second value is refused, as it would take the first one's place."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, value: Any, name: str | None = None
    ) -> None:
        given: dict[str, Any] = vars(namespace).setdefault("_given", {})
        if name is not None and given.setdefault(self.dest, value) != value:
            parser.error(f"argument {name}: given twice, as {given[self.dest]} and as {value}")
        setattr(namespace, self.dest, value)


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Tells the terminal's width by itself.

    argparse makes one for each option that is added, and has shutil tell it, which loads all compression there is.
    """

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, width=_columns() - 2, **settings)


def _columns() -> int:
    """How wide the terminal is, as ``shutil.get_terminal_size`` tells it."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:  # no terminal
        return 80


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are ours, so that ``--json`` reports them like any other.

    Nothing may be abbreviated, and no option takes the place of one that was given before.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_HelpFormatter, **settings)
        self.register("action", None, _Once)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse here what nobody knows: the command that was given it says so, and not the whole program."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        from bootgraft.cli.mistakes import usage_error

        raise usage_error(message, self.prog, self.format_help())


class _FileFormats:
    """The table of image formats, which is read only where one is given, or help is asked for."""

    def __iter__(self) -> Iterator[str]:
        from bootgraft.storage.images.imageformat import ImageFormat

        return (each.value for each in ImageFormat if each.qemu_driver)


def full_parser() -> argparse.ArgumentParser:
    """The parser with all options of all commands: shells' completions are made from it."""
    return _parser((), is_full=True)


def _parser(words: Sequence[str], *, is_full: bool = False) -> argparse.ArgumentParser:
    """The parser for these words: it knows only the command that they ask for, or all where they ask for none.

    Of those it knows the names alone, unless ``is_full``.
    """
    parser = _Parser(
        prog="bootgraft",
        description="Makes a Windows disk image boot again after it was moved to another hypervisor.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"bootgraft {__version__}")
    # With prog given, argparse need not format a usage line.
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser, prog=parser.prog
    )
    asked = next((each for each in words if not each.startswith("-")), "")
    for name in (asked,) if asked in _COMMANDS else _COMMANDS:
        help_, add_options = _COMMANDS[name]
        command = commands.add_parser(name, help=help_)
        if is_full or name == asked:
            add_options(command)
    return parser


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    _add_images(parser, vm=True)


def _add_check(parser: argparse.ArgumentParser) -> None:
    _add_images(parser, vm=True)
    _add_recommend(parser)
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="T",
        help="HYPERVISOR:CONTROLLER, as vmware:lsilogic (see `targets`); repeatable; all of them without it",
    )
    _add_windows(parser)
    _add_all_disks(parser)
    _add_secure_boot(parser)
    parser.add_argument(
        "--symptom", metavar="S", help="what the screen shows, as 0x7b or 'logon loop': which findings explain it"
    )
    parser.add_argument(
        "--why",
        action="store_true",
        help="also what Windows recorded of its last starts, and which findings may explain it",
    )


def _add_undo(parser: argparse.ArgumentParser) -> None:
    _add_images(parser, vm=True)
    parser.add_argument(
        "--all", dest="undo_all", action="store_true", help="revert every change, the last first; all or none"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say whether the undo is possible")


def _add_history(parser: argparse.ArgumentParser) -> None:
    _add_images(parser, vm=True)


def _add_reconnect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vm", metavar="FILE", required=True, help="the machine's description")
    parser.add_argument("--journal", metavar="PATH", help="where the undo journal lies (default: beside FILE)")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be changed")
    _add_general(parser)


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "topic",
        metavar="ID|SYMPTOM",
        nargs="*",
        help="a finding's id, or 0x7b, logon loop, ...; without it all are listed",
    )
    _add_general(parser)


def _add_explain_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "logs",
        nargs="+",
        metavar="LOG",
        help="a log, a folder of logs, the ZIP that Converter exports, or - for standard input",
    )
    _add_general(parser)


def _add_general(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="give up after this, as long as no image is being written; then only where a server does not answer "
        "(default: 60 for each answer of a server, no limit for the whole)",
    )
    parser.add_argument(
        "--events", action="store_true", help="tell what is being done as JSON lines on standard error, for programs"
    )
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="print nothing but the answer")
    volume.add_argument("-v", "--verbose", action="store_true", help="say on standard error what is being done")


def _seconds(text: str) -> float:
    """A number of seconds that a timer takes."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if _SHORTEST <= seconds <= _LONGEST:
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from {_SHORTEST:g} to {_LONGEST:g}")


def _add_images(parser: argparse.ArgumentParser, *, vm: bool = False, some: bool = True) -> None:
    if vm:
        parser.add_argument(
            "--vm", metavar="FILE", help="the machine's description: .vmx, .ovf, domain XML, Proxmox .conf"
        )
        parser.add_argument(
            "--disk",
            action="append",
            default=[],
            metavar="NAME=PATH",
            help="where a disk of the description is, as scsi0=/dev/sdb; repeatable",
        )
    parser.add_argument(
        "images",
        nargs="*" if vm or not some else "+",
        type=_no_option,
        metavar="IMAGE",
        help="the machine's disks in BIOS order: files, block devices, nbd:// URIs",
    )
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=_FileFormats(),
        help="the images' format, where detection is wrong: %(choices)s",
    )
    parser.add_argument(
        "--allow-path",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder outside the image's own in which its extents or backing files may lie",
    )
    parser.add_argument(
        "--journal", metavar="PATH", help="where the undo journal lies (default: beside the first disk)"
    )
    _add_general(parser)


def _no_option(name: str) -> str:
    """An image's name that reads as an option nowhere, so that it may stand in a command that we print."""
    return f"./{name}" if name.startswith("-") else name


def _add_recommend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recommend", action="store_true", help="print what the machine's description has to say")


def _add_windows(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--windows", metavar="ID", help="another installation than the one that boots (see `inspect`)")


def _add_all_disks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--these-are-all-disks",
        action="store_true",
        help="a disk that Windows or its boot menu names and that is not given no longer exists",
    )


def _add_secure_boot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secure-boot", choices=("on", "off"), help="whether the new machine's firmware has it on (or --vm says so)"
    )


def _add_repair(parser: argparse.ArgumentParser) -> None:
    _add_images(parser, vm=True)
    _add_recommend(parser)
    parser.add_argument(
        "--isolate", action="store_true", help="disconnect the network adapters in the --vm FILE as well"
    )
    _add_windows(parser)
    _add_all_disks(parser)
    parser.add_argument("--target", action="append", default=[], metavar="T", help="HYPERVISOR:CONTROLLER; repeatable")
    _add_secure_boot(parser)
    parser.add_argument(
        "--drivers",
        action="append",
        default=[],
        metavar="SOURCE",
        help="driver package (INF, folder, ISO, CAB, ZIP, 7z, floppy image) or disk image of a machine that has it",
    )
    parser.add_argument("--reg", action="append", default=[], metavar="FILE", help="a driver's exported .reg file")
    parser.add_argument("--file", action="append", default=[], metavar="SYS", help="the driver file that belongs to it")
    parser.add_argument(
        "--boot-code", action="append", default=[], metavar="IMAGE", help="disk image of a machine with sound boot code"
    )
    parser.add_argument(
        "--add-system-partition",
        action="store_true",
        help="make an EFI system partition in free space of the disk where it was left behind",
    )
    parser.add_argument(
        "--fix", action="append", default=[], metavar="ID", help="fix a finding that is only offered too; repeatable"
    )
    parser.add_argument(
        "--skip", action="append", default=[], metavar="ID", help="leave a finding as it is; repeatable"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the changes and prove them; write nothing")
    parser.add_argument("--overlay", metavar="OUT.qcow2", help="leave the image alone, write a qcow2 on top of it")
    parser.add_argument("--resume", action="store_true", help="finish a repair that was interrupted")
    add_consent(parser)


def add_consent(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a user consents to a loss."""
    parser.add_argument(
        "--reset-journal",
        action="store_true",
        help="go on with an unclean volume: empty its journal, discard what it had not completed, mark it for chkdsk",
    )
    parser.add_argument(
        "--discard-hibernation",
        action="store_true",
        help="go on with a hibernated Windows: discard the saved session, with open documents and all that was not "
        "saved",
    )


def _add_registry(parser: argparse.ArgumentParser) -> None:
    from bootgraft.cli.registry.arguments import add_sub_commands

    add_sub_commands(parser, _add_images, add_consent, _Parser)


def _add_drivers(parser: argparse.ArgumentParser) -> None:
    from bootgraft.cli.drivers_arguments import add_sub_commands

    add_sub_commands(parser, _add_general, _add_images, _Parser)


def _add_kit(parser: argparse.ArgumentParser) -> None:
    from bootgraft.cli.drivers_arguments import add_kit

    add_kit(parser, _add_images)


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "inspect": ("what is on it: disks, volumes, every Windows, the boot chain", _add_inspect),
    "check": ("would it boot on the target, and if not, why", _add_check),
    "repair": ("make it boot: graft the driver in, prove it, commit it", _add_repair),
    "undo": ("revert the last change: restore the images as they were before it", _add_undo),
    "history": ("what bootgraft changed, and when; without IMAGE: what was interrupted here", _add_history),
    "reconnect": ("connect the network adapters again that --isolate disconnected", _add_reconnect),
    "kit": ("write what is run on the physical machine before its conversion", _add_kit),
    "drivers": ("what a driver source holds, and what would be chosen", _add_drivers),
    "reg": ("read and edit the registry, in an image or a hive file", _add_registry),
    "explain": ("what a finding means, or which lead to what the screen shows", _add_explain),
    "explain-log": ("what the log of VMware Converter or virt-v2v says went wrong", _add_explain_log),
    "targets": ("every hypervisor:controller, with ids and in-box drivers", _add_general),
    "doctor": ("which parts of the system are missing or outdated, and what to install", _add_general),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status of the contract."""
    if arguments is None:
        gc.set_threshold(_UNTIL_GARBAGE)
    words = list(sys.argv[1:] if arguments is None else arguments)
    open_standard_streams()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a volume's label may have what the terminal cannot show
    try:
        given = _parser(words).parse_args(words)
        from bootgraft.cli.options import Options

        given.is_program = arguments is None
        options = Options.from_arguments(given)
        with stoppable(options.timeout):
            status = _run(options)
    except KeyboardInterrupt as stop:  # before anything was begun, or after all was done
        status = stop_status(stop)
    except BootgraftError as error:
        if error.choices or isinstance(error, UsageError | ImageError | PartitionTableError):
            from bootgraft.cli.mistakes import advised

            error = advised(error, words)
        _report(error, as_json="--json" in words)
        status = error.exit_status
    if arguments is None:
        _end(status)
    return status


def _end(status: int) -> NoReturn:
    """End the process, which has closed all that it held: taking apart what it loaded would take another 5 ms."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever wrote last was told, or has nobody to tell
            stream.flush()
    os._exit(status)


def _run(options: "Options") -> int:
    began = time.time()
    try:
        if options.command in _WITH_DESCRIPTION and (
            options.vm or options.disk or options.isolate or not options.images
        ):
            from bootgraft.cli.images.vm import apply_vm_description
            from bootgraft.cli.terminal import monitor_for

            options = apply_vm_description(options, monitor_for(options))
        status: int = _command(options.command).run(options)
    except KeyboardInterrupt as stop:
        from bootgraft.cli.images.interruption import tell_interrupted

        return tell_interrupted(stop, options, began, _report)
    finally:
        from bootgraft.cli.terminal import rest

        rest()
    return status


def _command(name: str) -> ModuleType:
    return importlib.import_module(f"bootgraft.cli.{name.replace('-', '_')}")


def _report(error: BootgraftError, *, as_json: bool) -> None:
    from bootgraft.cli.terminal import put_json, tell

    if as_json:
        from msgspec import convert

        from bootgraft.report.documents.error import ErrorDocument, ErrorFields

        put_json(ErrorDocument(error=convert(error, ErrorFields, from_attributes=True)))
    else:
        from bootgraft.report.layout.lines import PrintedLine, Tone

        head = f"bootgraft: {error.where}: "
        tell((PrintedLine(f"{head}{error.what}.", tone=Tone.BAD, columns=(0, len(head))), *_advice_lines(error.advice)))


def _advice_lines(advice: str) -> "Iterator[PrintedLine]":
    """The advice as it is printed: its commands stand on lines of their own, with no stop behind them."""
    from bootgraft.report.layout.lines import LineRole, PrintedLine

    is_command = advice.rpartition("\n")[2].startswith("    ")
    for line in (advice if is_command else f"{advice.rstrip('.')}.").split("\n"):
        yield PrintedLine(f"  {line}", LineRole.CODE if line.startswith("    ") else LineRole.PROSE)


if __name__ == "__main__":
    sys.exit(main())
