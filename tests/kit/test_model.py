"""Every kit, run on a model of the machine: installed, verified, taken back to the last value."""

import copy
from collections.abc import Sequence

import pytest
from tests.kit.cases import DRIVER, KITS, NAMES, OTHER
from tests.kit.cmdmodel import CCS, HERE, WINDOWS, Model

from bootgraft.kit.render import render
from bootgraft.registry.regfile import RegValue
from bootgraft.registry.values import ValueType, dword_data, text_data

VERSIONS = {
    "nt4": "Windows NT Version 4.0  ",
    "2000": "Microsoft Windows 2000 [Version 5.00.2195]",
    "2003": "Microsoft Windows [Version 5.2.3790]",
    "7": "Microsoft Windows [Version 6.1.7601]",
    "8.1": "Microsoft Windows [Version 6.3.9600]",
    "10": "Microsoft Windows [Version 10.0.19045.3803]",
}
SYMMPI = f"{CCS}\\Services\\symmpi".casefold()
PLACE = f"{WINDOWS}\\system32\\drivers\\symmpi.sys".casefold()
STAGED = "HKEY_LOCAL_MACHINE\\SYSTEM\\DriverDatabase\\DriverPackages\\symmpi.inf_1\\Configurations\\x".casefold()


def pnputil(*, binds: bool = True, status: int = 0) -> object:
    """The driver store: the package becomes oem5.inf."""

    def run(machine: Model, words: Sequence[str]) -> int:
        published = f"{WINDOWS}\\inf\\oem5.inf".casefold()
        if words[0] in ("/delete-driver", "-d"):
            assert words[1] == "oem5.inf"
            machine.files.pop(published)
            machine.keys.pop(STAGED, None)
            return 0
        assert words in (["/add-driver", "package\\symmpi.inf", "/install"], ["-i", "-a", "package\\symmpi.inf"])
        machine.files[published] = b""
        if binds:
            machine.keys[STAGED] = {"service": string("Service", "symmpi")}
        return status

    return run


def number(name: str, value: int) -> RegValue:
    return RegValue(name, ValueType.REG_DWORD, dword_data(value))


def string(name: str, value: str) -> RegValue:
    return RegValue(name, ValueType.REG_SZ, text_data(value))


def machine(name: str, **more: object) -> Model:
    files = {(HERE + path).casefold(): data for path, data in render(KITS[name])}
    files[f"{WINDOWS}\\system32\\pnputil.exe".casefold()] = b""
    files[f"{WINDOWS}\\inf\\oem4.inf".casefold()] = b""
    keys: dict[str, dict[str, RegValue]] = {f"{CCS}\\Control\\ComputerName".casefold(): {}}
    arch = "AMD64" if name in ("7", "8.1", "10") else "x86"
    ansi = "ascii" if name == "nt4" else None
    settings = {"pnputil": pnputil(), "processor": arch, **more}
    return Model(files, keys, VERSIONS[name], ansi=ansi, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_onto_a_bare_machine_and_back(name: str) -> None:
    model = machine(name)
    before = copy.deepcopy((model.files, model.keys))
    assert model.run("install.cmd") == 0, model.said
    assert "Done: installed and verified" in " ".join(model.said)
    assert model.files[PLACE] == DRIVER.data
    assert model.keys[SYMMPI]["start"].data == dword_data(0)
    bound = [each for each in model.keys if "criticaldevicedatabase\\" in each]
    assert len(bound) == (2 if name in ("2000", "2003", "7") else 0)
    assert model.run("install.cmd") == 1
    assert "Run uninstall.cmd first" in " ".join(model.said)
    assert model.run("uninstall.cmd") == 0, model.said
    after = {each: values for each, values in model.keys.items() if not _is_parent(each)}
    assert (model.files, after) == before
    assert model.run("uninstall.cmd") == 1


PARENTS = {
    each.casefold()
    for each in (
        CCS.rpartition("\\")[0],
        CCS,
        f"{CCS}\\Services",
        f"{CCS}\\Services\\symmpi\\Parameters",
        f"{CCS}\\Control",
        f"{CCS}\\Control\\CriticalDeviceDatabase",
    )
}


def _is_parent(key: str) -> bool:
    """A key that an import made on the way, as regedit does."""
    return key in PARENTS


@pytest.mark.parametrize("name", NAMES)
def test_what_was_there_comes_back(name: str) -> None:
    model = machine(name)
    model.files[PLACE] = b"old"
    model.keys[SYMMPI] = {"start": number("Start", 3), "own": string("Own", "mine"), "tag": number("Tag", 7)}
    other = f"{CCS}\\{OTHER}".casefold()
    model.keys[other] = {"service": string("Service", "lsi_other")}
    override = f"{SYMMPI}\\startoverride"
    model.keys[override] = {"0": number("0", 3)}
    before = copy.deepcopy((model.files, {key: model.keys[key] for key in (SYMMPI, other, override)}))
    assert model.run("install.cmd") == 0, model.said
    assert model.files[PLACE] == DRIVER.data
    assert model.keys[SYMMPI].keys() >= {"start", "own", "group"}
    assert "tag" not in model.keys[SYMMPI]
    assert model.keys[other]["service"].data == text_data("lsi_other")
    assert (override in model.keys) == (name not in ("8.1", "10"))
    assert model.run("uninstall.cmd") == 0, model.said
    assert (model.files, {key: model.keys[key] for key in (SYMMPI, other, override)}) == before


@pytest.mark.parametrize("name", NAMES)
def test_another_windows_or_processor_is_left_alone(name: str) -> None:
    for change in ({"version": "Microsoft Windows [Version 6.0.6002]"}, {"processor": "ARM64"}):
        model = machine(name)
        for attribute, value in change.items():
            setattr(model, attribute, value)
        before = copy.deepcopy((model.files, model.keys))
        assert model.run("install.cmd") == 1
        assert "This is another Windows" in " ".join(model.said)
        assert (model.files, model.keys) == before


@pytest.mark.parametrize("name", NAMES)
def test_without_the_rights_nothing_is_changed(name: str) -> None:
    probe = f"{WINDOWS}\\system32\\drivers\\bootgraft.tmp".casefold()
    model = machine(name, denied=frozenset({probe}))
    before = copy.deepcopy((model.files, model.keys))
    assert model.run("install.cmd") == 1
    assert "Administrators only" in " ".join(model.said)
    assert (model.files, model.keys) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_driver_that_cannot_be_written(name: str) -> None:
    model = machine(name, denied=frozenset({PLACE}))
    model.files[PLACE] = b"in use"
    assert model.run("install.cmd") == 1
    assert "FAILED at: copying system32\\DRIVERS\\symmpi.sys." in model.said
    assert model.run("uninstall.cmd") == 0
    assert model.files[PLACE] == b"in use"
    model.files[PLACE] = DRIVER.data  # the same one is loaded: nothing need be written
    assert model.run("install.cmd") == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_that_runs_from_the_controller_keeps_its_driver(name: str) -> None:
    model = machine(name)
    assert model.run("install.cmd") == 0
    model.keys[f"{SYMMPI}\\enum"] = {"0": string("0", "PCI\\x"), "count": number("Count", 1)}
    before = copy.deepcopy(model.keys)
    assert model.run("uninstall.cmd") == 1
    assert "it may run from it" in " ".join(model.said)
    assert model.keys == before


@pytest.mark.parametrize("name", ["8.1", "10"])
def test_what_pnputil_says(name: str) -> None:
    unbound = machine(name, pnputil=pnputil(binds=False, status=259))
    assert unbound.run("install.cmd") == 2
    assert "NOT PROVEN TO BOOT" in " ".join(unbound.said)
    assert unbound.run("uninstall.cmd") == 0
    assert f"{WINDOWS}\\inf\\oem5.inf".casefold() not in unbound.files
    refused = machine(name, pnputil=pnputil(status=5))
    assert refused.run("install.cmd") == 1
    assert "(pnputil)" in " ".join(refused.said)
    assert PLACE not in refused.files
