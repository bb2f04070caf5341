r"""A boot.ini for a machine that has none: only for the one Windows that there is."""

import pytest
from tests.boot.test_chain import DamagedFileSystem, entry, loader, menu, of_release, path, windows
from tests.fakes import FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.boot.chain import follow
from bootgraft.boot.menufault import MenuFault, MenuFaultKind
from bootgraft.machine import Machine


def machine(boot_ini: bytes | None, *volumes: FakeFileSystem) -> Machine:
    return machine_of([FakePartition(loader(boot_ini), active=True), *(FakePartition(each) for each in volumes)])


def fault_of(followed: Machine) -> MenuFault:
    fault = follow(followed).menu_fault
    assert fault is not None
    return fault


@pytest.mark.parametrize(
    ("version", "name", "line"),
    [
        ((4, 0), "", '="Windows NT 4.0"'),
        ((5, 0), "Microsoft Windows 2000", '="Microsoft Windows 2000" /fastdetect'),
        ((5, 1), "Microsoft Windows XP", '="Microsoft Windows XP" /fastdetect'),
        ((5, 2), 'Windows "Server"', '="Windows NT 5.2" /fastdetect'),
        ((5, 2), "Windows f\xfcr Server", '="Windows NT 5.2" /fastdetect'),
    ],
)
def test_the_new_boot_ini(version: tuple[int, int], name: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, version, name)
    fault = fault_of(machine(None, volume_of("\\x"), windows("\\WINNT")))
    assert fault.kind is MenuFaultKind.MISSING
    assert fault.change is not None
    assert (fault.change.before, fault.change.file.path) == (None, "\\boot.ini")
    wanted = path(0, 3, "\\WINNT")
    assert fault.change.data.decode().split("\r\n") == [
        "[boot loader]", "timeout=30", f"default={wanted}", "[operating systems]", wanted + line, "",
    ]  # fmt: skip
    mended = follow(machine(fault.change.data, volume_of("\\x"), windows("\\WINNT")))
    assert mended.default is not None
    assert mended.menu_fault is None


def test_one_that_lists_nothing_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 1))
    fault = fault_of(machine(b"[boot loader]\r\ntimeout=5\r\n", windows("\\WINDOWS")))
    assert fault.change is not None
    assert fault.change.old == b"[boot loader]\r\ntimeout=5\r\n"
    assert fault.change.before is not None


@pytest.mark.parametrize("version", [(6, 1), (10, 0)])
def test_no_boot_ini_for_a_windows_that_ntldr_does_not_start(
    version: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    of_release(monkeypatch, version)
    fault = fault_of(machine(None, windows("\\WINDOWS")))
    assert fault.change is None
    assert "no Windows that ntldr starts" in "; ".join(fault.evidence)


def test_no_boot_ini_for_reactos(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 2), "ReactOS")
    assert fault_of(machine(None, windows("\\ReactOS"))).change is None


def test_what_is_not_certain_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fault_of(machine(None, windows("\\WINDOWS"))).change is None, "nothing says which release it is"
    of_release(monkeypatch, (5, 1))
    assert fault_of(machine(None, windows("\\WINDOWS", "\\WINNT"))).change is None
    assert fault_of(machine(None, windows("\\WINDOWS"), windows("\\WINDOWS"))).change is None
    assert fault_of(machine(None, windows("\\WINDOWS"), DamagedFileSystem({"\\x": b""}))).change is None


def test_a_default_is_added_where_an_entry_leads_to_the_only_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 1))
    text = menu(None, entry(0, 5), entry(0, 2, "\\windows"), 'C:\\="DOS"')
    fault = fault_of(machine(text, windows("\\WINDOWS")))
    assert fault.kind is MenuFaultKind.NO_DEFAULT
    assert fault.change is not None
    added = f"[boot loader]\r\ndefault={path(0, 2, chr(92) + 'windows')}\r\n".encode()
    assert fault.change.data == text.replace(b"[boot loader]\r\n", added)
    mended = follow(machine(fault.change.data, windows("\\WINDOWS")))
    assert mended.default is not None


def test_no_default_is_added_where_no_entry_leads_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 1))
    fault = fault_of(machine(menu(None, entry(0, 5)), windows("\\WINDOWS")))
    assert fault.change is None
    assert f"put {path(0, 5)} behind default= below [boot loader] of boot.ini." in fault.advice
    both = fault_of(machine(menu(None, entry(0, 2), entry(0, 3)), windows("\\WINDOWS"), windows("\\WINDOWS")))
    assert both.change is None
    assert "put the path of its entry behind default=" in both.advice
