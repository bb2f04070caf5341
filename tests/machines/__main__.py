"""``python -m tests.machines FOLDER``: the machines of the demonstration, as VMDKs in FOLDER."""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.machines.build import build
from tests.machines.formats import ImageForm, convert
from tests.machines.windows2003 import donor, server1


def main() -> None:
    """Write server1.vmdk, with its real 100 MB system partition, and donor.vmdk, replacing what was there."""
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for spec in (server1(system_mib=100, windows_mib=2000), donor(windows_mib=2000)):
            machine = build(spec, work, cache=work / "cache")
            convert(machine.disk, ImageForm.MONOLITHIC_SPARSE, folder)


if __name__ == "__main__":
    main()
