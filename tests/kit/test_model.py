"""Every kit, run on a model of the machine: installed, verified, reverted to the last value."""

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


def test_a_service_whose_name_begins_alike_proves_nothing() -> None:
    another = machine("10", pnputil=pnputil(binds=False, status=259))
    another.keys[STAGED] = {"service": string("Service", "symmpi2")}
    assert another.run("install.cmd") == 2
    assert "NOT PROVEN TO BOOT" in " ".join(another.said)


def wanted(name: str) -> list[str]:
    """The keys that the kit writes or removes, in the order of their numbers."""
    return [f"{CCS}\\{path}".casefold() for path in KITS[name].entries]


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_was_not_written_is_noticed(name: str) -> None:
    for number_of, key in enumerate(wanted(name), start=1):
        model = machine(name, stubborn=frozenset({key}))
        if number_of > len(KITS[name].keys) + len(KITS[name].further):
            model.keys[key] = {"0": number("0", 3)}
        elif key == SYMMPI:
            model.keys[key] = {"start": number("Start", 3)}
        assert model.run("install.cmd") == 1
        assert f" key {number_of:02d} of README.txt." in " ".join(model.said)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_did_not_go_is_noticed(name: str) -> None:
    for key in wanted(name)[: len(KITS[name].keys)]:
        model = machine(name)
        assert model.run("install.cmd") == 0
        model.stubborn = frozenset({key})
        children = {each for each in model.keys if each.startswith(f"{key}\\")}
        assert model.run("uninstall.cmd") == 1
        assert "FAILED at: verifying that key" in " ".join(model.said)
        model.stubborn = frozenset()
        assert model.run("uninstall.cmd") == 0
        assert not ({key, *children} - PARENTS) & set(model.keys)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_that_was_there_is_back(name: str) -> None:
    model = machine(name)
    for key in wanted(name):
        model.keys[key] = {"own": string("Own", key)}
    model.keys[f"{SYMMPI}\\enum"] = {"0": string("0", "PCI\\x"), "count": number("Count", 1)}
    before = copy.deepcopy({key: model.keys[key] for key in wanted(name)})
    assert model.run("install.cmd") == 0, model.said
    assert model.run("uninstall.cmd") == 0, model.said  # it was in use before the kit came
    assert {key: model.keys[key] for key in wanted(name)} == before


@pytest.mark.parametrize("name", NAMES)
def test_a_kit_that_is_not_whole(name: str) -> None:
    files = [path for path, _ in render(KITS[name]) if path.startswith(("files", "undo\\values", "driver.reg"))]
    for path in [*files, *(["package\\symmpi.inf"] if KITS[name].staged else [])]:
        model = machine(name)
        del model.files[(HERE + path).casefold()]
        assert model.run("install.cmd") == 1
        assert (PLACE in model.files, SYMMPI in model.keys) == (False, False)


@pytest.mark.parametrize("name", NAMES)
def test_a_backup_that_cannot_be_written(name: str) -> None:
    backup = f"{HERE}backup-OLD\\".casefold()
    for denied in (f"{backup}complete.txt", f"{backup}01-symmpi.sys.bak"):
        model = machine(name, denied=frozenset({denied}))
        model.files[PLACE] = b"old"
        assert model.run("install.cmd") == 1
        assert "cannot be backed up" in " ".join(model.said)
        assert (model.files[PLACE], SYMMPI in model.keys) == (b"old", False)
        assert model.run("uninstall.cmd") == 0  # nothing to take back but that folder
        assert not [each for each in model.files if each.startswith(backup)]
        assert model.files[PLACE] == b"old"


@pytest.mark.parametrize("name", ["7", "8.1", "10"])
def test_from_a_32_bit_command_prompt(name: str) -> None:
    model = machine(name, processor="x86", beneath="AMD64")
    assert model.run("install.cmd") == 1
    assert "This is a 32-bit command prompt" in " ".join(model.said)
    for file in ("cmd.exe", "pnputil.exe"):
        model.files[f"{WINDOWS}\\Sysnative\\{file}".casefold()] = b""
    assert model.run("install.cmd") == 0, model.said
    place = f"{WINDOWS}\\Sysnative\\drivers\\symmpi.sys".casefold()
    assert (model.files[place], PLACE in model.files) == (DRIVER.data, False)
    assert model.run("uninstall.cmd") == 0
    assert place not in model.files


def test_a_32_bit_kit_is_none_for_a_64_bit_windows() -> None:
    model = machine("2003", beneath="AMD64")
    assert model.run("install.cmd") == 1
    assert "This is another Windows" in " ".join(model.said)
