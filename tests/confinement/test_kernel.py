"""The calls that Python does not have."""

import os
from pathlib import Path

import pytest

from bootgraft.confinement import _libc_build, kernel


def test_what_cffi_needs_is_what_the_build_writes() -> None:
    assert _libc_build.TARGET.read_text() == _libc_build.generate()


def test_a_call_that_fails_says_why() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        kernel.control(99999)
    with pytest.raises(OSError, match="Function not implemented"):
        kernel.call(99999)


def test_a_process_has_a_name() -> None:
    kept = Path("/proc/self/comm").read_bytes()[:-1]
    kernel.name_process(b"a name that is longer")
    try:
        assert Path(f"/proc/{os.getpid()}/task/{os.getpid()}/comm").read_text() == "a name that is \n"
    finally:
        kernel.name_process(kept)
