"""``python -m benchmarks.powerloss --states 120``: states of every container that a power loss may leave.

Each is left on the disk, and the commands must find the way back, or on. A state is known by its container and number:
``--only KIND --first NUMBER --states 1`` looks at it again.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.storage.containers import FORMATS, Container

from benchmarks.powerloss.campaign import states
from benchmarks.powerloss.judging import NoWayError, judge


def main() -> int:
    """Print a table; 1 where a state has no way back."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.powerloss", description=__doc__)
    parser.add_argument("--states", type=int, default=120, help="of each container")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", choices=FORMATS, action="append")
    options = parser.parse_args()
    failures, total = list[str](), 0
    for kind in options.only or FORMATS:
        began, ends = time.process_time(), Counter[str]()
        with tempfile.TemporaryDirectory() as folder:
            container = Container(Path(folder, "vm"), kind)
            for number, state, chance in states(container, kind, options.first, options.states):
                try:
                    ends[judge(container, state.files, chance)] += 1
                except NoWayError as error:
                    ends["no way"] += 1
                    failures.append(f"{kind} {number} ({state.name}): {error}")
                    print(failures[-1], flush=True)
        total += ends.total()
        print(f"{kind}: {dict(ends.most_common())}, {time.process_time() - began:.0f} s of CPU", flush=True)
    print(f"{total} states, {len(failures)} without a way back")
    return int(bool(failures))


if __name__ == "__main__":
    raise SystemExit(main())
