"""Children that do not do what they should: scripts that stand in for the interpreter."""

import sys
from pathlib import Path

_HEAD = """#!{python} -I
import json, os, signal, socket, struct, sys
parent = socket.socket(fileno=int(sys.argv[-1]))

def exactly(length):
    data = b""
    while len(data) < length:
        data += parent.recv(length - len(data))
    return data

def receive():
    kind, length = struct.unpack("<BI", exactly(5))
    return kind, exactly(length)

def send(kind, payload=b""):
    parent.sendall(struct.pack("<BI", kind, len(payload)) + payload)

JOB, READ, DATA, FAULT, EVENT, RUN, DONE = range(1, 8)
CHECK = dict(schema="bootgraft-check/1", verdict="boots", image_verdict="boots", stop_code=None, target=None,
    firmware=None, windows=None, findings=[], alternatives=[], fragments=[])
OUTCOME = dict(status=0, document=CHECK, text=[], proven=False, summary="", witnesses=[])
receive()
"""


def fake_child(folder: Path, body: str) -> Path:
    """An executable that takes the job and then does ``body``, which may use everything of the head above."""
    script = folder / "child"
    script.write_text(_HEAD.format(python=sys.executable) + body + "\n")
    script.chmod(0o755)
    return script
