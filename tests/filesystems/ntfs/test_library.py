"""The bindings: generated from their source, laid out as the headers say, and what is said where the library fails."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bootgraft.errors import MissingDependencyError
from bootgraft.filesystems.ntfs import _libntfs, _libntfs_build
from bootgraft.filesystems.ntfs import library as ntfs_library
from bootgraft.filesystems.ntfs import version as ntfs_version

HEADERS = Path("/usr/include/ntfs-3g")
STRUCTURES = {
    "ntfs_device_operations": "struct ntfs_device_operations",
    "ntfs_device": "struct ntfs_device",
    "_ntfs_volume": "ntfs_volume",
    "_ntfs_inode": "ntfs_inode",
    "_runlist_element": "runlist_element",
    "_ntfs_attr": "ntfs_attr",
    "_ntfs_attr_search_ctx": "ntfs_attr_search_ctx",
}


def test_the_generated_module_is_what_its_source_gives() -> None:
    assert _libntfs_build.TARGET.read_text() == _libntfs_build.generate()


def test_the_structures_are_laid_out_as_the_headers_say(tmp_path: Path) -> None:
    """A C program prints the offset and size of every declared field; cffi's must be the same."""
    compiler = shutil.which("gcc")
    if compiler is None or not HEADERS.exists():
        pytest.skip("gcc and the headers of libntfs-3g-dev are needed")
    ffi = _libntfs.ffi
    expected, lines = [], []
    for tag, name in STRUCTURES.items():
        kind = ffi.typeof(f"struct {tag}")
        for field, place in kind.fields:
            expected.append((tag, field, place.offset, ffi.sizeof(place.type)))
            lines.append(
                f'printf("{tag} {field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));'
            )
        if tag not in _libntfs_build.PREFIXES:
            expected.append((tag, "-", ffi.sizeof(kind), 0))
            lines.append(f'printf("{tag} - %zu 0\\n", sizeof({name}));')
    headers = ("types", "layout", "device", "volume", "inode", "attrib", "runlist")
    system = "".join(f"#include <{header}.h>\n" for header in ("stddef", "stdio", "string", "time", "sys/types"))
    library = "".join(f"#include <ntfs-3g/{header}.h>\n" for header in headers)
    source = system + library + "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n"
    (tmp_path / "layout.c").write_text(source)
    subprocess.run(
        [
            compiler,
            "-w",
            "-DHAVE_TIME_H",
            "-DHAVE_SYS_STAT_H",
            "-DHAVE_STDINT_H",
            "-o",
            tmp_path / "layout",
            tmp_path / "layout.c",
        ],
        check=True,
    )
    printed = subprocess.run([tmp_path / "layout"], capture_output=True, text=True, check=True).stdout
    found = [(tag, field, int(at), int(size)) for tag, field, at, size in map(str.split, printed.splitlines())]
    assert found == expected


def test_every_declared_function_is_in_the_library() -> None:
    library = ntfs_library.load()
    names = set(re.findall(r"\b(\w+)\(", _libntfs_build.DECLARATIONS)) - {"void", "ntfs_log_handler"}
    for name in names - {"int", "int64_t"}:
        assert getattr(library.lib, name)


def test_a_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = msgspec.structs.replace(ntfs_library.LIBNTFS, soname="libntfs-3g.so.4711")
    monkeypatch.setattr(ntfs_library, "LIBNTFS", missing)
    with pytest.raises(MissingDependencyError, match="apt install libntfs-3g89") as caught:
        ntfs_library.Library()
    assert "libntfs-3g.so.4711" in caught.value.what


def test_nothing_is_written_to_standard_error() -> None:
    """The library's own complaint about a volume that is none ends up in the error, not on the terminal."""
    script = """if True:
        from bootgraft.filesystems.ntfs.volume import mount_ntfs
        class Zeros:
            size = 1 << 20
            def read(self, offset, length): return bytes(length)
        try:
            mount_ntfs(Zeros(), writable=True, name="disk 0 partition 1")
        except Exception as error:
            print(type(error).__name__, error)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("FileSystemError disk 0 partition 1: the volume cannot be mounted as NTFS")


@pytest.mark.parametrize(
    ("version", "lacking", "unknown"),
    [
        ("1:2021.8.22-3ubuntu1", 4, 0),
        ("1:2021.8.22-3ubuntu1.1", 3, 0),
        ("1:2021.8.22-3ubuntu1.2", 2, 0),
        ("1:2021.8.22-3ubuntu1.4", 0, 2),
        ("1:2022.5.17-1", 0, 3),
        ("1:2022.10.3-1.2ubuntu3", 2, 0),
        ("1:2022.10.3-1.2ubuntu3.2", 0, 2),
        ("2022.10.3", 2, 0),
        ("1:2022.10.3-1+deb12u1", 2, 0),
        ("1:2022.10.3-1+deb12u3", 1, 0),
        ("1:2022.10.3-1+deb12u4", 0, 0),
        ("1:2022.10.3-1+deb12u11", 0, 0),
        ("1:2022.10.3-5", 2, 0),
        ("1:2022.10.3-5+deb13u1", 0, 2),
        ("1:2022.10.3-5+deb13u3", 0, 0),
        ("1:2022.10.3-5+deb13u10", 0, 0),
        ("2022.10.3-6.fc41", 2, 0),
        ("2022.10.3-9.fc43", 0, 2),
        ("2026.2.25-2.fc44", 0, 1),
        ("2026.2.25", 1, 0),
        ("2026.7.7-1.el10", 0, 0),
        ("2027.1.1", 0, 0),
        ("no number", 0, 0),
    ],
)
def test_versions_without_fixes(version: str, lacking: int, unknown: int) -> None:
    fixes = ntfs_version.fixes_of(version)
    assert (len(fixes.lacking), len(fixes.unknown)) == (lacking, unknown)
    said = ntfs_version.warning_of(version)
    assert (said is None) is (not lacking and not unknown)
    assert ("is unknown" in (said or "")) is bool(unknown)


def test_the_command_that_updates_is_that_of_the_package_manager() -> None:
    assert ntfs_version.update_command("2022.10.3-5.fc40").startswith("dnf upgrade")
    assert ntfs_version.update_command("1:2022.10.3-5").startswith("apt update")


def test_the_installed_version_is_told_by_the_package_manager() -> None:
    if shutil.which("dpkg-query") is None:
        pytest.skip("this is no Debian")
    assert re.match(r"1:20\d\d\.", ntfs_version.library_version() or "")


def test_without_a_package_manager_there_is_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert ntfs_version.library_version() is None
