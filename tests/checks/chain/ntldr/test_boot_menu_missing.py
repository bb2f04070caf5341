r"""A boot.ini for a machine that has none: only for the one Windows that there is."""

import pytest
from tests.boot.test_chain import DamagedFileSystem, entry, loader, menu, of_release, path, windows
from tests.checks.guests import followed
from tests.fakes import FakeFileSystem, FakePartition, machine_of, volume_of

from bootgraft.boot.chain import follow
from bootgraft.changes import WriteFile
from bootgraft.checks.chain.ntldr.boot_menu_missing import BOOTS_OTHER, MISSING, NO_DEFAULT, find
from bootgraft.checks.finding import Finding
from bootgraft.machine import Machine


def machine(boot_ini: bytes | None, *volumes: FakeFileSystem) -> Machine:
    return machine_of([FakePartition(loader(boot_ini), active=True), *(FakePartition(each) for each in volumes)])


def fault_of(machine: Machine) -> Finding:
    (fault,) = find(followed(machine))
    return fault


def change_of(fault: Finding) -> WriteFile:
    (change,) = fault.changes
    assert isinstance(change, WriteFile)
    return change


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
    assert fault.id == MISSING
    assert (change_of(fault).before, change_of(fault).file.path) == (None, "\\boot.ini")
    wanted = path(0, 3, "\\WINNT")
    assert change_of(fault).data.decode().split("\r\n") == [
        "[boot loader]", "timeout=30", f"default={wanted}", "[operating systems]", wanted + line, "",
    ]  # fmt: skip
    fixed = followed(machine(change_of(fault).data, volume_of("\\x"), windows("\\WINNT")))
    assert fixed.chain.default is not None
    assert list(find(fixed)) == []


def test_one_that_lists_nothing_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 1))
    fault = fault_of(machine(b"[boot loader]\r\ntimeout=5\r\n", windows("\\WINDOWS")))
    assert change_of(fault).old == b"[boot loader]\r\ntimeout=5\r\n"
    assert change_of(fault).before is not None


@pytest.mark.parametrize("version", [(6, 1), (10, 0)])
def test_no_boot_ini_for_a_windows_that_ntldr_does_not_start(
    version: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    of_release(monkeypatch, version)
    fault = fault_of(machine(None, windows("\\WINDOWS")))
    assert fault.changes == ()
    assert "no Windows that ntldr starts" in "; ".join(fault.evidence)


def test_no_boot_ini_for_reactos(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 2), "ReactOS")
    assert fault_of(machine(None, windows("\\ReactOS"))).changes == ()


def test_what_is_not_certain_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fault_of(machine(None, windows("\\WINDOWS"))).changes == (), "nothing says which release it is"
    of_release(monkeypatch, (5, 1))
    assert fault_of(machine(None, windows("\\WINDOWS", "\\WINNT"))).changes == ()
    assert fault_of(machine(None, windows("\\WINDOWS"), windows("\\WINDOWS"))).changes == ()
    assert fault_of(machine(None, windows("\\WINDOWS"), DamagedFileSystem({"\\x": b""}))).changes == ()


def test_a_default_is_added_where_an_entry_leads_to_the_only_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 1))
    text = menu(None, entry(0, 5), entry(0, 2, "\\windows"), 'C:\\="DOS"')
    fault = fault_of(machine(text, windows("\\WINDOWS")))
    assert fault.id == NO_DEFAULT
    added = f"[boot loader]\r\ndefault={path(0, 2, chr(92) + 'windows')}\r\n".encode()
    assert change_of(fault).data == text.replace(b"[boot loader]\r\n", added)
    fixed = follow(machine(change_of(fault).data, windows("\\WINDOWS")))
    assert fixed.default is not None


def test_no_default_is_added_where_no_entry_leads_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    of_release(monkeypatch, (5, 1))
    fault = fault_of(machine(menu(None, entry(0, 5)), windows("\\WINDOWS")))
    assert fault.changes == ()
    assert f"put {path(0, 5)} behind default= below [boot loader] of boot.ini." in fault.explanation
    both = fault_of(machine(menu(None, entry(0, 2), entry(0, 3)), windows("\\WINDOWS"), windows("\\WINDOWS")))
    assert both.changes == ()
    assert "put the path of its entry behind default=" in both.explanation


def test_a_default_that_is_no_windows_is_left_alone_and_the_line_to_change_is_named() -> None:
    fault = fault_of(machine(menu("C:\\", entry(0, 2), 'C:\\="DOS"'), windows("\\WINDOWS")))
    assert (fault.id, fault.changes) == (BOOTS_OTHER, ())
    assert f"put {path(0, 2)} behind default= in line 3 of boot.ini." in fault.explanation
