"""Install sections, services and registry lines of an INF."""

import pytest
from tests.drivers.inf.infs import inf

from bootgraft.changes import RegistryData
from bootgraft.drivers.inf.install import add_reg, del_reg, directives, install_section, number, services
from bootgraft.drivers.inf.text import InfFile
from bootgraft.errors import DriverSourceError
from bootgraft.registry.values import ValueType, dword_data, multi_data, text_data
from bootgraft.windows.pe import Architecture


def nothing(_name: str) -> InfFile | None:
    return None


@pytest.mark.parametrize(
    ("sections", "arch", "expected"),
    [
        ("[a][a.NT][a.NTx86]", Architecture.X86, "a.NTx86"),
        ("[a][a.NT][a.NTx86]", Architecture.X64, "a.NT"),
        ("[a][a.NTx86]", Architecture.X64, "a"),
        ("[a.ntAMD64]", Architecture.X64, "a.NTamd64"),
        ("[a.NTarm64][a]", Architecture.ARM64, "a.NTarm64"),
        ("[a.NTx86]", Architecture.X64, None),
    ],
)
def test_the_first_section_that_exists(sections: str, arch: Architecture, expected: str | None) -> None:
    assert install_section(inf(sections), "a", arch) == expected


def test_services_belong_to_the_section_with_its_suffix() -> None:
    text = "[a.NT]\n[a.NT.Services]\nAddService=one,2,s1\nAddService = two , 0 , s2\n[a.Services]\nAddService=no,2,s"
    found = services(inf(text), "a.NT", nothing)
    assert [(each.name, each.is_function_driver, each.section) for each in found] == [
        ("one", True, "s1"),
        ("two", False, "s2"),
    ]


def test_a_null_driver_has_no_name() -> None:
    (found,) = services(inf("[a.Services]\nAddService = , 0x00000002"), "a", nothing)
    assert (found.name, found.is_function_driver) == ("", True)


def data(flags: str, *values: str) -> RegistryData | None:
    (line,) = add_reg(inf(f"[a]\nAddReg=r\n[r]\nHKR,key,name,{','.join((flags, *values))}"), "a", nothing)
    return line.data


@pytest.mark.parametrize(
    ("flags", "values", "kind", "expected"),
    [
        ("", ('"x y"',), 1, text_data("x y")),
        ("0", ("x",), 1, text_data("x")),
        ("0", (), 1, text_data("")),
        ("0x20000", ("%%SystemRoot%%\\x",), 2, text_data("%SystemRoot%\\x")),
        ("0x00010001", ("0x0A",), 4, dword_data(10)),
        ("0x10001", ("10",), 4, dword_data(10)),
        ("65537", ("-1",), 4, dword_data(2**32 - 1)),
        ("0x10001", ("", ""), 4, b""),
        ("0x10001", ("78", "56", "34", "12"), 4, dword_data(0x12345678)),
        ("1", ("0a", "0xFF", "10"), 3, b"\x0a\xff\x10"),
        ("0x10000", ("a", "b c"), 7, multi_data(["a", "b c"])),
        ("0x10000", (), 7, multi_data([])),
        ("0x20001", (), 0, b""),
        ("0xB0001", ("1", "0", "0", "0", "0", "0", "0", "0"), 11, (1).to_bytes(8, "little")),
        ("0x10003", ("7",), 4, dword_data(7)),
    ],
)
def test_types_of_values(flags: str, values: tuple[str, ...], kind: int, expected: bytes) -> None:
    assert data(flags, *values) == RegistryData(kind, expected)


@pytest.mark.parametrize("values", [("0x40000", "x"), ("1", "xyz"), ("1", "100"), ("0x10001", "12z"), ("zz", "1")])
def test_what_is_no_value_is_named_with_its_line(values: tuple[str, ...]) -> None:
    with pytest.raises(DriverSourceError) as caught:
        data(*values)
    assert caught.value.where == "test.inf, line 4"


def test_keys_flags_and_deletions() -> None:
    text = """
[a]
AddReg = r, s
DelReg = d
[r]
HKR, Sub
HKR, Sub, , 0x10
hkr, Sub, x, 0x2, once
HKLM, "SOFTWARE\\X", , , default
HKR, , gone, 0x4
[s]
HKR, , more, 0x10008, added
HKR, , there, 0x20, changed
[d]
HKR, , old
HKR, whole\\key
"""
    found = list(add_reg(inf(text), "a", nothing))
    assert [(line.root, line.key, line.name) for line in found] == [
        ("HKR", "Sub", ""),
        ("HKR", "Sub", ""),
        ("HKR", "Sub", "x"),
        ("HKLM", "SOFTWARE\\X", ""),
        ("HKR", "", "gone"),
        ("HKR", "", "more"),
        ("HKR", "", "there"),
    ]
    assert [line.data is None for line in found] == [True, True, False, False, True, False, False]
    assert [line.delete for line in found] == [False, False, False, False, True, False, False]
    assert [(line.no_clobber, line.append, line.overwrite_only) for line in found[2:]] == [
        (True, False, False),
        (False, False, False),
        (False, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert [(line.name, line.delete) for line in del_reg(inf(text), "a", nothing)] == [("old", True)]


def test_needs_are_looked_for_here_and_then_in_what_is_included() -> None:
    other = inf("[far]\nAddReg=f\nNeeds=farther\n[farther]\nAddReg=g\n[f]\n[g]", "other.inf")
    mine = inf("[a]\nInclude=missing.inf, Other.inf\nNeeds=near, far\nAddReg=x\n[near]\nAddReg=n\n[x]\n[n]")
    found = directives(mine, "a", "AddReg", lambda name: other if name == "Other.inf" else None)
    assert [(where.name, line.field(0)) for where, line in found] == [
        ("test.inf", "x"),
        ("test.inf", "n"),
        ("other.inf", "f"),
        ("other.inf", "g"),
    ]


def test_a_missing_section_is_named_with_its_inf() -> None:
    text = "[a]\nInclude=mshdc.inf\nNeeds=atapi_inst\n"
    with pytest.raises(DriverSourceError, match=r"\[a\] needs \[atapi_inst\] of mshdc.inf"):
        list(directives(inf(text), "a", "AddReg", nothing))


def test_needs_that_go_in_circles_end_and_too_many_are_refused() -> None:
    circle = inf("[a]\nNeeds=b\nAddReg=x\n[b]\nNeeds=a\nAddReg=y\n")
    assert len(list(directives(circle, "a", "AddReg", nothing))) == 2
    chain = "".join(f"[s{n}]\nNeeds=s{n + 1}\n" for n in range(50)) + "[s50]\n"
    with pytest.raises(DriverSourceError, match="more than 32 other sections"):
        list(directives(inf(chain), "s0", "AddReg", nothing))


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("7", 7), ("0x10", 16), ("-2", 2**32 - 2), ("0XfF", 255)])
def test_numbers(text: str, expected: int) -> None:
    found = inf(f"[a]\nx={text}")
    assert number(found, found.section("a")[0], 0) == expected


def test_types_are_those_of_the_registry() -> None:
    assert data("0x10001", "1") == RegistryData(ValueType.REG_DWORD, dword_data(1))
