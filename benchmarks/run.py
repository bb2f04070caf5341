"""``python -m benchmarks.run``: check, repair and undo on disks of 2 GB, 200 GB and 2 TB, as a table."""

import argparse
import os
import shutil
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct, field
from tests.machines.formats import ImageForm

from benchmarks.cases import Case, cases
from benchmarks.floor import floor_command
from benchmarks.measure import Memory, Sample, memory, timed

_TARGET = ("--target", "vmware:lsilogic")
_WOULD_STOP, _DONE = 1, 0
_COMMANDS = ("check", "repair", "undo")


class Series(Struct):
    """The runs of one command on one machine."""

    samples: list[Sample] = field(default_factory=list)
    memory: Memory | None = None

    @property
    def wall(self) -> list[float]:
        """Seconds from start to end of each run."""
        return [each.wall for each in self.samples]

    @property
    def cpu(self) -> float:
        """The median of the seconds of processor time."""
        return statistics.median(each.cpu for each in self.samples)

    def cells(self, smallest: "Series") -> list[str]:
        """The columns of the table; ratios are to ``smallest``."""
        peak = ["", ""]
        if self.memory is not None:
            peak = [f"{self.memory.largest / 1e6:.0f}", f"{self.memory.together / 1e6:.0f}"]
        times = [f"{min(self.wall):.3f}", f"{statistics.median(self.wall):.3f}", f"{self.cpu:.3f}"]
        ratios = [f"{min(self.wall) / min(smallest.wall):.2f}", f"{self.cpu / smallest.cpu:.2f}"]
        return [*times, *ratios, *peak]


def main() -> None:
    """Measure and print the table in Markdown."""
    options = _arguments()
    built = [each for each in cases(options.dir, options.hive) if options.only in each.name]
    commands = {each.name: _commands(_bootgraft(), each) for each in built}
    results = {(name, command): Series() for name in commands for command in _COMMANDS}
    for case in built:
        case.restore()
        for command in _COMMANDS:  # also the warm-up: bytecode and page cache
            words, status = commands[case.name][command]
            results[case.name, command].memory = memory(words, expect=status)
    # In rounds, so that a machine whose speed drifts does not favour one case.
    for number in range(options.runs):
        _show(f"round {number + 1} of {options.runs}")
        for (name, command), series in results.items():
            words, status = commands[name][command]
            series.samples.append(timed(words, expect=status))
    _print_table(results, built)
    _print_single("bootgraft --version", _version(options.runs))
    small = next((each for each in built if each.image.suffix == ".raw"), None)
    if small is not None:
        _print_single("floor, as root: losetup, ntfs-3g, cp, hivexregedit, umount", _floor(small, options))
    for case in built:
        shutil.rmtree(case.folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the machines are built and kept (some 400 MB)")
    parser.add_argument("--runs", type=int, default=15, help="how often each command is timed (default: 15)")
    parser.add_argument("--hive", type=Path, action="append", default=[], help="one more machine, of this SYSTEM hive")
    parser.add_argument("--only", default="", help="only the machines whose name contains this")
    return parser.parse_args()


def _bootgraft() -> Path:
    return Path(sys.executable).with_name("bootgraft")


def _commands(program: Path, case: Case) -> dict[str, tuple[Sequence[str | Path], int]]:
    return {
        "check": ((program, "check", "--quiet", case.image, *_TARGET), _WOULD_STOP),
        "repair": ((program, "repair", "--quiet", case.image, *_TARGET, "--drivers", case.donor), _DONE),
        "undo": ((program, "undo", "--quiet", case.image), _DONE),
    }


def _version(runs: int) -> list[Sample]:
    return [timed((_bootgraft(), "--version"), expect=0) for _ in range(runs + 1)][1:]


def _floor(case: Case, options: argparse.Namespace) -> list[Sample]:
    command = floor_command(case, options.dir)
    if command is None:
        _show("not root: the floor is not measured")
        return []
    samples = []
    for _ in range(options.runs + 1):
        case.restore()
        samples.append(timed(command, expect=0))
    return samples[1:]


def _print_table(results: dict[tuple[str, str], Series], built: Iterable[Case]) -> None:
    print("| machine | command | min s | median s | CPU s | min / 2 GB | CPU / 2 GB | largest MB | together MB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    smallest: dict[ImageForm, str] = {}
    for case in built:
        first = smallest.setdefault(case.form, case.name)
        for command in _COMMANDS:
            cells = results[case.name, command].cells(results[first, command])
            print(f"| {case.name} | {command} | {' | '.join(cells)} |")


def _print_single(what: str, samples: Sequence[Sample]) -> None:
    if samples:
        wall = [each.wall for each in samples]
        print(f"\n{what}: min {min(wall):.3f} s, median {statistics.median(wall):.3f} s")


def _show(text: str) -> None:
    if sys.stderr.isatty() or os.environ.get("VERBOSE"):
        sys.stderr.write(f"\r{text}")


if __name__ == "__main__":
    main()
