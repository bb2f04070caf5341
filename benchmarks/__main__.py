"""``python -m benchmarks``: bootgraft, the floor and other people's programs, on the same images, as whole commands."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import disks, ours
from benchmarks.conditions import QUIET, Watch
from benchmarks.floor import Edit, floor_task
from benchmarks.measure import adopt_orphans
from benchmarks.page import PAGE, page
from benchmarks.peers import catalogue
from benchmarks.plots import write_plots
from benchmarks.profiles import write_profiles
from benchmarks.records import DATA, RESULTS, load, store
from benchmarks.subjects import SMALLEST, Subject
from benchmarks.tasks import measure

_VIRTIO_WIN = Path(__file__).parents[2] / "shared" / "testdata" / "drivers" / "virtio-win-0.1.240"
_PEERS_LOOK_EVERY = 0.02


def main(words: Sequence[str] | None = None) -> None:
    """Measure what was asked for, and write the pages from all figures that there are."""
    options = _arguments(words)
    adopt_orphans()
    if options.what == "build":
        for subject in _subjects(options):
            disks.prepare(subject, options.dir, "ours")
        return
    if options.what in ("all", "ours"):
        _ours(options)
    if options.what in ("all", "peers"):
        _peers(options)
    if options.what in ("all", "ours", "profile"):
        write_profiles(ours.this_tree(), disks.prepare(SMALLEST, options.dir, "profiled"), options.dir)
    results = load(options.data)
    plots = write_plots(results, RESULTS)
    PAGE.write_text("\n".join(page(results, plots)) + "\n")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what", nargs="?", default="all", choices=["all", "build", "ours", "peers", "profile", "report"]
    )
    parser.add_argument("--dir", type=Path, help="where the machines are built and kept (some 3 GB)")
    parser.add_argument("--runs", type=int, default=12, help="how often each command is timed at most (default: 12)")
    parser.add_argument("--minutes", type=float, default=5, help="no round begins after so many (default: 5)")
    parser.add_argument("--tree", type=Path, help="another checkout with its .venv, to be measured in the same rounds")
    parser.add_argument("--only", default="", help="only subjects whose name contains this")
    parser.add_argument("--tools", type=Path, help="one more folder in which programs of others are looked for")
    parser.add_argument("--virtio-win", type=Path, default=_VIRTIO_WIN, help="virtio-win's drivers, for virt-v2v")
    parser.add_argument("--data", type=Path, default=DATA, help="the file of figures (default: beside this program)")
    options = parser.parse_args(words)
    if options.dir is None and options.what != "report":
        parser.error("--dir is needed")
    if options.tools is not None:
        os.environ["PATH"] += f":{options.tools}"
    return options


def _ours(options: argparse.Namespace) -> None:
    """bootgraft, of one or two trees, and the floor."""
    trees = [ours.this_tree()] if options.tree is None else [ours.other_tree(options.tree), ours.this_tree()]
    tasks = [ours.version_task(tree) for tree in trees]
    edit = Edit(options.dir)
    with ExitStack() as servers:
        for subject in _subjects(options):
            _say(f"building: {subject.name}")
            case = disks.prepare(subject, options.dir, "ours")
            image = servers.enter_context(ours.location(case))
            if image is None:
                continue
            for tree in trees:
                tasks += ours.tasks(tree, case, image, compare=len(trees) > 1)
            floor = floor_task(disks.prepare(subject, options.dir, "floor"), edit)
            tasks += [] if floor is None else [floor]
        watch = _begin()
        series = measure(tasks, rounds=options.runs, minutes=options.minutes, say=_say)
        conditions = watch.conditions()
    store(options.data, [each.record(conditions) for each in series])
    _forget(options.dir, "ours", "floor")


def _subjects(options: argparse.Namespace) -> list[Subject]:
    """Those that were asked for and can be built here."""
    return [each for each in disks.ALL if options.only in each.name and disks.is_available(each)]


def _peers(options: argparse.Namespace) -> None:
    """Everybody else who is installed; of who is not, that."""
    known = catalogue.peers(options.dir, options.virtio_win)
    present = [peer for peer in known if peer.find() is not None]
    subjects = [each for each in _subjects(options) if each in catalogue.FOR_OTHERS]
    cases = [disks.prepare(each, options.dir, "peers") for each in subjects] if present else []
    tasks = [task for peer in present for task in catalogue.tasks(peer, cases)]
    watch = _begin()
    series = measure(tasks, rounds=options.runs, minutes=options.minutes, say=_say, every=_PEERS_LOOK_EVERY)
    conditions = watch.conditions()
    records = [each.record(conditions) for each in series]
    records += [record for peer in known if peer not in present for record in catalogue.absent(peer, conditions)]
    store(options.data, records)
    _forget(options.dir, "peers")


def _begin() -> Watch:
    watch = Watch()
    load_before = os.getloadavg()[0]
    if load_before > QUIET:
        _say(f"this machine is busy (load {load_before:.1f}): seconds from start to end will say little\n")
    return watch


def _forget(folder: Path, *places: str) -> None:
    for place in places:
        shutil.rmtree(folder / place, ignore_errors=True)


def _say(text: str) -> None:
    if sys.stderr.isatty() or text.endswith("\n") or os.environ.get("VERBOSE"):
        sys.stderr.write(f"\r\033[K{text}")


if __name__ == "__main__":
    main()
