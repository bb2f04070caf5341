r"""Paths of the registry, as they lie on the volume."""

import pytest

from bootgraft.windows.roots import is_relative, on_volume


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("system32\\DRIVERS\\symmpi.sys", "\\WINNT\\system32\\DRIVERS\\symmpi.sys"),
        ("\\SystemRoot\\System32\\drivers\\storport.sys", "\\WINNT\\System32\\drivers\\storport.sys"),
        ("\\SYSTEMROOT\\x.sys", "\\WINNT\\x.sys"),
        ("%SystemRoot%\\system32\\x.sys", "\\WINNT\\system32\\x.sys"),
        ("%windir%\\x.sys", "\\WINNT\\x.sys"),
        ("\\??\\C:\\WINNT\\system32\\x.sys", "\\WINNT\\system32\\x.sys"),
        ("\\??\\c:\\winnt\\system32\\x.sys", "\\winnt\\system32\\x.sys"),
        ("C:\\WINNT\\x.sys", "\\WINNT\\x.sys"),
        ("\\DosDevices\\C:\\WINNT\\x.sys", "\\WINNT\\x.sys"),
        (' "system32/drivers/x.sys" ', "\\WINNT\\system32/drivers/x.sys".replace("/", "\\")),
        ("\\??\\C:\\Program Files\\x.sys", "\\??\\C:\\Program Files\\x.sys"),
        ("\\??\\C:\\WINNT.OLD\\x.sys", "\\??\\C:\\WINNT.OLD\\x.sys"),
        ("\\Device\\HarddiskVolume2\\x.sys", "\\Device\\HarddiskVolume2\\x.sys"),
        ("\\SystemRootless\\x.sys", "\\SystemRootless\\x.sys"),
        ("", "\\WINNT"),
    ],
)
def test_without_a_known_letter(path: str, expected: str) -> None:
    assert on_volume(path, "\\WINNT") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("\\??\\D:\\Program Files\\x.sys", "\\Program Files\\x.sys"),
        ("d:\\x.sys", "\\x.sys"),
        ("\\??\\C:\\WINDOWS\\x.sys", "\\??\\C:\\WINDOWS\\x.sys"),
    ],
)
def test_with_a_known_letter(path: str, expected: str) -> None:
    assert on_volume(path, "\\WINDOWS", drive_letter="D:") == expected


@pytest.mark.parametrize("path", ["system32\\DRIVERS\\symmpi.sys", "x.sys", "System32\\drivers\\a b.sys"])
def test_what_the_loader_takes_as_relative(path: str) -> None:
    assert is_relative(path)


@pytest.mark.parametrize(
    "path", ["\\SystemRoot\\x.sys", "%SystemRoot%\\x.sys", "C:\\x.sys", "\\x.sys", "system32/x.sys", '"x.sys"']
)
def test_what_it_does_not(path: str) -> None:
    assert not is_relative(path)
