"""What is missing, what that disables, and what to install."""

import json
import shutil

import msgspec
import pytest
from tests.report.contract import faults

from bootgraft.cli import doctor
from bootgraft.cli.main import main
from bootgraft.confinement import trial
from bootgraft.sharedlibrary import SharedLibrary
from bootgraft.storage.devices import _libnbd
from bootgraft.storage.devices.nbd import LIBNBD


def test_the_json_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert faults(document, "doctor") == []
    assert [part["name"] for part in document["parts"]] == [
        "libntfs-3g",
        "libnbd",
        "qemu-nbd",
        "qemu-img",
        "libwim",
        "libarchive",
    ]
    assert status == int(any(part["fault"] for part in document["parts"]))


def test_a_program_that_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "qemu-nbd" else f"/usr/bin/{name}")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "MISSING  qemu-nbd: the program qemu-nbd is not on the PATH\n" in out
    assert "         without it: no images but raw and flat ones\n" in out
    assert "         install it: apt install qemu-utils\n" in out
    assert "ok       qemu-img /usr/bin/qemu-img\n" in out
    assert out.endswith("Something is missing.\n")


@pytest.mark.parametrize("name", ["libntfs-3g", "libnbd", "libwim", "libarchive"])
def test_a_library_that_is_missing(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(library: SharedLibrary, _ffi: object) -> str | None:
        return f"{library.soname} cannot be loaded" if library.soname.startswith(name) else None

    monkeypatch.setattr(doctor, "_fault", missing)
    assert main(["doctor"]) == 1
    assert f"MISSING  {name}: {name}.so." in capsys.readouterr().out


def test_all_is_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor, "_fault", lambda _library, _ffi: None)
    monkeypatch.setattr("bootgraft.filesystems.ntfs.version.library_version", lambda: "1:2022.10.3-5+deb13u3")
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "MISSING" not in out
    assert out.endswith("Everything is there.\n")


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("1:2022.10.3-1+deb12u3", "lacks fixes for volumes made to corrupt memory (CVE-2026-42616 to"),
        ("1:2022.10.3-1.2ubuntu3.2", "is unknown (CVE-2023-52890"),
    ],
)
def test_an_outdated_library_is_a_warning_and_nothing_missing(
    version: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor, "_fault", lambda _library, _ffi: None)
    monkeypatch.setattr("bootgraft.filesystems.ntfs.version.library_version", lambda: version)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert words in out
    assert "MISSING" not in out
    assert "without it" not in out
    assert "apt install --only-upgrade 'libntfs-3g*'" in out
    assert main(["doctor", "--json"]) == 0
    part = json.loads(capsys.readouterr().out)["parts"][0]
    assert (part["fault"], part["warning"].startswith(("version", "whether"))) == (None, True)


def test_a_repair_says_what_its_library_lacks_where_it_is_asked_to_say_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bootgraft.filesystems.ntfs.version.library_version", lambda: "2022.10.3")
    repair = ["repair", "/nonexistent.img", "--target", "vmware:lsilogic"]
    assert main([*repair, "-v"]) == 3
    assert "libntfs-3g, which reads the volumes: version 2022.10.3 lacks fixes" in capsys.readouterr().err
    assert main(repair) == 3
    assert "libntfs-3g" not in capsys.readouterr().err


def test_a_library_that_cannot_be_there() -> None:
    library = msgspec.structs.replace(LIBNBD, soname="libdoesnotexist.so.99")
    assert "libdoesnotexist.so.99" in str(doctor._fault(library, _libnbd.ffi))


@pytest.mark.parametrize("missing", ["Landlock", "seccomp", "capabilities"])
def test_what_of_the_cage_is_not_there(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is to be installed for it, and work goes on without it."""
    found = trial.CageSupport(
        no_new_privileges=True,
        landlock=0 if missing == "Landlock" else 7,
        seccomp=missing != "seccomp",
        capabilities=missing != "capabilities",
    )
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor, "_fault", lambda _library, _ffi: None)
    monkeypatch.setattr(trial, "try_on", lambda: found)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"without  {missing}: th" in out
    assert "ok       no_new_privs\n" in out
    assert ("ok       Landlock (version 7)\n" in out) == (missing != "Landlock")
