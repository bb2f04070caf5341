"""``python -m benchmarks.powerloss --states 120``: states that a power loss may leave, of an image of every format
and of a machine with two disks and a description.

Each is left on the disk, and the commands must find the way back, or on. A state is known by its container and number:
``--only KIND --first NUMBER --states 1`` looks at it again.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.powerloss.campaign import states
from benchmarks.powerloss.judging import judge
from benchmarks.powerloss.subjects import SUBJECTS, NoWayError, make_subject


def main() -> int:
    """Print a table; 1 where a state has no way back."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.powerloss", description=__doc__)
    parser.add_argument("--states", type=int, default=120, help="of each subject")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", choices=SUBJECTS, action="append")
    options = parser.parse_args()
    failures, total = list[str](), 0
    for kind in options.only or SUBJECTS:
        began, ends = time.process_time(), Counter[str]()
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_STATE_HOME"] = str(
                Path(folder, "state")
            )  # the index of unfinished journals, not the user's
            subject = make_subject(kind, Path(folder, "vm"))
            for number, state, chance in states(subject, kind, options.first, options.states):
                try:
                    ends[judge(subject, state.files, chance)] += 1
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
