"""What each error id means: ``docs/errors.md``, made by ``python -m bootgraft.report.documents.error_ids``."""

import sys
from typing import Final

from bootgraft.errors import ErrorId

MEANINGS: Final[dict[ErrorId, str]] = {
    "archive-unusable": "An archive of logs is damaged, or unsafe to read.",
    "boot-config-invalid": "The boot menu (boot.ini, the BCD store) cannot be understood.",
    "bug": "bootgraft itself failed; nothing was written. Please report it.",
    "change-conflict": "What the plan was made for changed before it was applied; nothing was written.",
    "dependency-missing": "A system library or program is not installed; `bootgraft doctor` names the package.",
    "disk-encrypted": "The whole disk is encrypted by another product than BitLocker.",
    "disk-order-unknown": "The machine's description does not specify in which order the firmware numbers its disks.",
    "driver-not-found": "The driver source has no driver for this controller in this Windows.",
    "driver-source-unusable": "A driver source cannot be read, or its driver cannot be used.",
    "file-missing": "A file that is needed is not on the volume.",
    "file-system-unusable": "A file system is damaged, full, or cannot do what is needed.",
    "finding-unknown": "No finding has this id.",
    "foreign-file": "A journal, a pointer to one or a backup belongs to a user who must not decide over these disks.",
    "hive-damaged": "A registry hive is not what its format says.",
    "hive-logs-pending": "A registry hive is dirty, and its logs cannot be replayed.",
    "image-damaged": "The image is truncated, or contradicts its format.",
    "image-encrypted": "The image itself is encrypted.",
    "image-has-snapshots": "Snapshots or overlays are built on the image: writing to it would invalidate them.",
    "image-in-use": "Another program has the image, the block device or the machine open.",
    "image-is-snapshot": "The image is a snapshot whose base is missing, was changed, or cannot be read.",
    "image-missing": "There is no such file.",
    "image-read-only": "The image's format, state or permissions do not allow writing in place; `--overlay` may.",
    "image-unusable": "The image cannot be opened, read or written for another reason.",
    "journal-damaged": "An undo journal, or a pointer to one, is damaged.",
    "journal-exists": "There is a file already where the undo journal is to be written.",
    "journal-missing": "There is no undo journal or backup: nothing was changed, or it lies elsewhere (`--journal`).",
    "journal-no-space": "There is no space for the undo journal; nothing was written.",
    "journal-path-needed": "The undo journal cannot lie beside a block device or an NBD export: give `--journal`.",
    "journal-unusable": "The undo journal does not match these disks, or cannot be written or read.",
    "log-unknown": "No line of a known converter is in the log.",
    "log-unusable": "A converter's log cannot be read.",
    "machine-ran-since": "The machine has run, or its disk was written, since the change that is to be undone.",
    "no-partition-table": "There is no partition table on the disk.",
    "no-windows": "No Windows boots from the disks, so there is none to work on.",
    "not-a-binary": "A file that should be a Windows binary is none, or is damaged.",
    "not-an-image": "The file is no disk image.",
    "output-exists": "There is a file already at the place of the output.",
    "output-failed": "The output cannot be written.",
    "partition-table-invalid": "The partition table contradicts the disk.",
    "path-not-allowed": "The image names a file outside its own folder; `--allow-path` allows it.",
    "proof-failed": "The change did not pass the proof; nothing was written. Please report it.",
    "reg-file-unusable": "A .reg file cannot be read, or names a key that it must not touch.",
    "repair-unfinished": "A repair or an undo was interrupted: run `undo`, or `repair --resume`, first.",
    "target-missing": "It is not specified which controller the machine will have: give `--target` or `--vm`.",
    "target-unknown": "There is no such target, or the name may mean several; `bootgraft targets` lists them.",
    "time-up": "The limit of `--timeout` was reached; nothing was written.",
    "usage": "The command line, or the call, asks for what does not exist or does not go together.",
    "vm-description-unusable": "A machine's description cannot be read or understood.",
    "vm-disk-missing": "A disk that the machine's description names is not where it says.",
    "volume-hibernated": "Windows is hibernated on the volume; `--discard-hibernation` consents to losing the session.",
    "volume-not-writable": "The volume can be read, but must not be written.",
    "volume-unclean": "The volume was not shut down cleanly; `--reset-journal` consents to losing pending changes.",
    "volume-unsupported": "The volume is encrypted, or part of what bootgraft does not write (dynamic disks, pools).",
    "windows-unknown": "There is no Windows of this name.",
    "worker-failed": "The process that reads volumes crashed or could not be started; nothing was written.",
    "write-interrupted": "Writing to the image was interrupted: run `undo`, or `repair --resume`.",
}

_HEAD = """\
# Errors

With `--json`, an error has the member `error.id`; in Python, `BootgraftError.id`. Ids are part of the command-line
contract: they are never renamed. New ones may be added. This page is made by
`python -m bootgraft.report.documents.error_ids`.

| id | meaning |
|---|---|
"""


def errors_page() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(f'| <a id="{id_}"></a>`{id_}` | {meaning} |\n' for id_, meaning in MEANINGS.items())


if __name__ == "__main__":
    sys.stdout.write(errors_page())
