"""Kits run by another cmd.exe and another reg.exe: Wine's, into a fresh prefix, where it is installed.

Wine's ``type`` cannot read UTF-16 and it has no pnputil, so the kits with ``reg.exe`` and without a package for the
driver store are run. Its ``fc`` compares nothing: contents of files are compared here.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from msgspec import Struct
from tests.kit.cases import DRIVER, LSI, OTHER, OWN, package, target_windows

from bootgraft.kit.contents import Kit
from bootgraft.kit.plan import plan_inbox_kit, plan_kit
from bootgraft.kit.render import render
from bootgraft.targets.controllers import find_controller
from bootgraft.windows.pe import Architecture

_PLACES = (shutil.which("wine64"), "/usr/lib/wine/wine64", shutil.which("wine"))
WINE = next((each for each in _PLACES if each and Path(each).exists()), None)
pytestmark = pytest.mark.skipif(WINE is None, reason="Wine (wine64) is not installed: no cmd.exe to run a kit with")
CCS = "HKLM\\SYSTEM\\CurrentControlSet"
SECONDS = 120


class Prefix(Struct, frozen=True):
    """A Windows of Wine's."""

    folder: Path

    @property
    def drivers(self) -> Path:
        return self.folder / "drive_c" / "windows" / "system32" / "drivers"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "WINEPREFIX": str(self.folder),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
            "DISPLAY": "",
        }

    def run(self, *words: str, cwd: Path | None = None) -> tuple[int, str]:
        with TemporaryFile() as said:  # a pipe would be held by what Wine leaves running for the next program
            done = subprocess.run(
                [str(WINE), *words],
                env=self.environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
            said.seek(0)
            return done.returncode, said.read().decode("latin-1").replace("\r\n", "\n")

    def has(self, path: str) -> bool:
        return self.run("reg", "query", f"{CCS}\\{path}")[0] == 0

    def value(self, path: str, name: str) -> str:
        status, said = self.run("reg", "query", f"{CCS}\\{path}", "/v", name)
        return said.split()[-1] if status == 0 else ""

    def set(self, path: str, name: str, kind: str, data: str) -> None:
        status, _ = self.run("reg", "add", f"{CCS}\\{path}", "/v", name, "/t", kind, "/d", data, "/f")
        assert status == 0


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefix]:
    made = Prefix(tmp_path_factory.mktemp("wine") / "prefix")
    made.run("wineboot", "-i")
    assert made.drivers.is_dir()
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)  # 700 MB; its server may still write there


def put(kit: Kit, folder: Path) -> Path:
    for name, data in render(kit):
        path = folder / name.replace("\\", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def seven() -> Kit:
    """The kit for what Wine says that it is."""
    return plan_kit((package(),), LSI, target_windows("7", Architecture.X64))


def test_installed_verified_and_taken_back(prefix: Prefix, tmp_path: Path) -> None:
    folder = put(seven(), tmp_path / "a kit")
    status, said = prefix.run("cmd", "/c", "install.cmd", cwd=folder)
    assert (status, "Done: installed and verified" in said) == (0, True), said
    assert (prefix.drivers / "symmpi.sys").read_bytes() == DRIVER.data
    assert prefix.value("Services\\symmpi", "Start") == "0x0"
    assert prefix.value("Services\\symmpi", "ImagePath") == "system32\\DRIVERS\\symmpi.sys"
    assert prefix.value("Services\\symmpi\\Parameters\\PnpInterface", "5") == "0x1"
    assert [prefix.value(key, "Service") for key in (OWN, OTHER)] == ["symmpi", "symmpi"]

    again = prefix.run("cmd", "/c", "install.cmd", cwd=folder)
    assert (again[0], "Run uninstall.cmd first" in again[1]) == (1, True)

    status, said = prefix.run("cmd", "/c", "uninstall.cmd", cwd=folder)
    assert (status, "as it was before" in said) == (0, True), said
    assert [prefix.has(key) for key in ("Services\\symmpi", OWN, OTHER)] == [False, False, False]
    assert not (prefix.drivers / "symmpi.sys").exists()
    assert list(folder.glob("backup*")) == []
    status, said = prefix.run("cmd", "/c", "uninstall.cmd", cwd=folder)
    assert (status, "is not installed on this machine" in said) == (1, True)


def test_what_was_there_comes_back_and_another_devices_binding_stays(prefix: Prefix, tmp_path: Path) -> None:
    folder = put(seven(), tmp_path / "kit")
    prefix.set("Services\\symmpi", "Start", "REG_DWORD", "3")
    prefix.set("Services\\symmpi", "Own", "REG_SZ", "mine")
    prefix.set(OTHER, "Service", "REG_SZ", "lsi_other")
    (prefix.drivers / "symmpi.sys").write_bytes(b"old")
    assert prefix.run("cmd", "/c", "install.cmd", cwd=folder)[0] == 0
    assert prefix.value("Services\\symmpi", "Start") == "0x0"
    assert prefix.value(OTHER, "Service") == "lsi_other"
    assert (prefix.drivers / "symmpi.sys").read_bytes() == DRIVER.data
    assert prefix.run("cmd", "/c", "uninstall.cmd", cwd=folder)[0] == 0
    values = {name: prefix.value("Services\\symmpi", name) for name in ("Start", "Own", "Group")}
    assert values == {"Start": "0x3", "Own": "mine", "Group": ""}
    assert not prefix.has("Services\\symmpi\\Parameters\\PnpInterface")
    assert (prefix.value(OTHER, "Service"), prefix.has(OWN)) == ("lsi_other", False)
    assert (prefix.drivers / "symmpi.sys").read_bytes() == b"old"


def test_a_kit_for_another_windows_changes_nothing(prefix: Prefix, tmp_path: Path) -> None:
    folder = put(plan_kit((package(),), LSI, target_windows("2003", Architecture.X64)), tmp_path / "kit")
    status, said = prefix.run("cmd", "/c", "install.cmd", cwd=folder)
    assert (status, "This is another Windows" in said) == (1, True)
    assert list(folder.glob("backup*")) == []


def test_drivers_of_windows_itself_are_started(prefix: Prefix, tmp_path: Path) -> None:
    made = plan_inbox_kit(find_controller("kvm:nvme"), target_windows("10", Architecture.X64))
    folder = put(made, tmp_path / "kit")
    status, _ = prefix.run("reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f")
    assert status == 0
    status, said = prefix.run("cmd", "/c", "install.cmd", cwd=folder)
    assert (status, "has not all of these services: stornvme disk" in said) == (1, True), said
    for service in made.required:
        prefix.set(f"Services\\{service}", "Start", "REG_DWORD", "3")
        prefix.set(f"Services\\{service}\\StartOverride", "0", "REG_DWORD", "3")
    assert prefix.run("cmd", "/c", "install.cmd", cwd=folder)[0] == 0
    assert prefix.value("Services\\stornvme", "Start") == "0x0"
    assert not prefix.has("Services\\stornvme\\StartOverride")
    assert prefix.run("cmd", "/c", "uninstall.cmd", cwd=folder)[0] == 0
    assert prefix.value("Services\\stornvme", "Start") == "0x3"
    assert prefix.value("Services\\stornvme\\StartOverride", "0") == "0x3"
