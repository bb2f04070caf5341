"""A library that is missing, no library, for another processor, or without a function that is bound: one error."""

import subprocess
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from bootgraft.drivers.archives import _libarchive
from bootgraft.drivers.archives.libarchive import LIBARCHIVE
from bootgraft.errors import MissingDependencyError
from bootgraft.filesystems.ntfs import _libntfs, _libwim
from bootgraft.filesystems.ntfs.library import LIBNTFS
from bootgraft.filesystems.ntfs.wof import LIBWIM
from bootgraft.sharedlibrary import SharedLibrary
from bootgraft.storage.devices import _libnbd
from bootgraft.storage.devices.nbd import LIBNBD

BOUND = ((LIBNTFS, _libntfs), (LIBWIM, _libwim), (LIBARCHIVE, _libarchive), (LIBNBD, _libnbd))
ELF_OF_S390 = b"\x7fELF\x02\x02\x01".ljust(16, b"\0") + b"\x00\x03\x00\x16\x00\x00\x00\x01" + bytes(600)


@pytest.mark.parametrize(("library", "bound"), BOUND, ids=lambda each: getattr(each, "soname", None))
def test_the_installed_one_has_all_that_is_bound(library: SharedLibrary, bound: ModuleType) -> None:
    assert library.load(bound.ffi)


@pytest.mark.parametrize(("library", "bound"), BOUND, ids=lambda each: getattr(each, "soname", None))
@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"no library at all" * 99, ELF_OF_S390])
def test_what_is_no_library_here(library: SharedLibrary, bound: ModuleType, content: bytes, tmp_path: Path) -> None:
    made = tmp_path / library.soname
    made.write_bytes(content)
    with pytest.raises(MissingDependencyError) as caught:
        msgspec.structs.replace(library, soname=str(made)).load(bound.ffi)
    assert f"{library.soname}, which {library.purpose}, cannot be loaded (" in caught.value.what
    assert f"apt install {library.packages[0]} " in caught.value.advice


@pytest.mark.parametrize(("library", "bound"), BOUND, ids=lambda each: getattr(each, "soname", None))
def test_one_that_lacks_a_function_is_named_with_it(library: SharedLibrary, bound: ModuleType, tmp_path: Path) -> None:
    last = dir(library.load(bound.ffi))[-1]
    made = tmp_path / library.soname
    there = "".join(f"int {each};" for each in dir(library.load(bound.ffi)) if each != last)
    try:
        compiling = ["gcc", "-shared", "-fno-builtin", "-nostdlib", "-x", "c", "-", "-o", str(made)]
        subprocess.run(compiling, input=there, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("there is no gcc")
    with pytest.raises(MissingDependencyError, match=rf"{library.soname}, .* has no {last}: ") as caught:
        msgspec.structs.replace(library, soname=str(made)).load(bound.ffi)
    assert f"apt install --reinstall {library.packages[0]} " in caught.value.advice
