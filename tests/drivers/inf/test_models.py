"""Decorations of models sections, and the choice among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.drivers.inf.infs import SERVER_2003, SEVEN_X64, XP, inf

from bootgraft.drivers.inf.models import Decoration, all_models, models_for, parse_decoration
from bootgraft.drivers.inf.target_windows import DOMAIN_CONTROLLER, SERVER, WORKSTATION, TargetWindows
from bootgraft.windows.pe import Architecture

W2000 = TargetWindows("2000", Architecture.X86, (5, 0), 2195)
VISTA = TargetWindows("Vista", Architecture.X86, (6, 0), 6002, WORKSTATION)
TEN = TargetWindows("10", Architecture.X64, (10, 0), 19041, WORKSTATION)


@pytest.mark.parametrize(
    ("text", "decoration"),
    [
        ("NT", Decoration("NT")),
        ("ntX86", Decoration("ntX86", Architecture.X86)),
        ("NTamd64.6.1", Decoration("NTamd64.6.1", Architecture.X64, (6, 1))),
        ("NT.5", Decoration("NT.5", None, (5, 0))),
        ("NTx86.5.1.1", Decoration("NTx86.5.1.1", Architecture.X86, (5, 1), 1)),
        ("NTx86.5.1..0x80", Decoration("NTx86.5.1..0x80", Architecture.X86, (5, 1), None, 0x80)),
        ("NT....0x80", Decoration("NT....0x80", suites=0x80)),
        ("NTamd64.10.0...14393", Decoration("NTamd64.10.0...14393", Architecture.X64, (10, 0), build=14393)),
        ("NTarm64.10.0", Decoration("NTarm64.10.0", Architecture.ARM64, (10, 0))),
        (" NTamd64 ", Decoration("NTamd64", Architecture.X64)),
    ],
)
def test_decorations(text: str, decoration: Decoration) -> None:
    assert parse_decoration(text) == decoration


@pytest.mark.parametrize("text", ["", "x86", "NT$ARCH$", "NTmips", "NT.x", "NT.0xzz", "NTx86.5.1.1.1.1.1", "NT 5"])
def test_what_is_no_decoration(text: str) -> None:
    assert parse_decoration(text) is None


@given(st.text(alphabet="ntxamd86.0123a$ ", max_size=30))
def test_any_text_is_a_decoration_or_none(text: str) -> None:
    found = parse_decoration(text)
    assert found is None or isinstance(found.fits(TEN), bool)


# Microsoft's own examples ("INF Manufacturer Section") and what else can be asked of the rules.
CHOICES = [
    ("NT, NT.5, NT.5.5, NT....0x80", XP, "NT.5"),
    ("NT, NT.5, NT.5.5, NT....0x80", replace(XP, suites=0x80), "NT.5"),
    ("NTx86....0x80, NTamd64", replace(XP, suites=0x80), "NTx86....0x80"),
    ("NTx86....0x80, NTamd64", XP, ""),
    ("NTx86....0x80, NTamd64", SEVEN_X64, "NTamd64"),
    ("NT, NT.7.8", XP, "NT"),
    ("NTx86.6.0, NTx86.5.1", XP, "NTx86.5.1"),
    ("NTx86.6.0, NTx86.5.1", VISTA, "NTx86.6.0"),
    ("NTx86.5.1", W2000, ""),
    ("NTx86", W2000, ""),
    ("NT.5.1, NTx86", XP, "NT.5.1"),
    ("NT, NTx86", XP, "NTx86"),
    ("NTx86.5.2.1, NTx86.5.2.3, NTx86.5.2", SERVER_2003, "NTx86.5.2.3"),
    ("NTx86.5.2.1, NTx86.5.2.3, NTx86.5.2", replace(SERVER_2003, product_type=DOMAIN_CONTROLLER), "NTx86.5.2"),
    ("NTx86.5.1.3, NTx86.5.2", replace(SERVER_2003, product_type=SERVER), "NTx86.5.2"),
    ("NTamd64.10.0, NTamd64.10.0...14393, NTamd64.10.0...22000", TEN, "NTamd64.10.0...14393"),
    ("NTamd64.10.0, NTamd64.10.0...14393", replace(TEN, build=10240), "NTamd64.10.0"),
    ("NTamd64.6.1, NTamd64.6.3", TEN, "NTamd64.6.3"),
    ("NTamd64.6.1, NTamd64.6.3", SEVEN_X64, "NTamd64.6.1"),
    ("NTx86, NT", SEVEN_X64, None),
    ("NTia64", SEVEN_X64, None),
    ("NTamd64.10.0...14393", replace(TEN, arch=Architecture.ARM64), None),
]


@pytest.mark.parametrize(("targets", "target_windows", "expected"), CHOICES)
def test_the_section_closest_to_the_windows(targets: str, target_windows: TargetWindows, expected: str | None) -> None:
    names = ["", *(name.strip() for name in targets.split(","))]
    sections = "".join(f"[M{'.' if name else ''}{name}]\nd=i,id\n" for name in names)
    found = models_for(inf(f"[Manufacturer]\nm=M,{targets}\n{sections}"), target_windows)
    assert [model.decoration.text for model in found] == ([] if expected is None else [expected])


@pytest.mark.parametrize("empty", ["[M.NTx86.6.0]\n", ""])
def test_an_empty_or_absent_section_excludes(empty: str) -> None:
    text = f"[Manufacturer]\nm=M,NTx86.5.1,NTx86.6.0\n[M]\nd=i,id\n[M.NTx86.5.1]\nd=i,id\n{empty}"
    assert models_for(inf(text), VISTA) == ()
    assert [model.section for model in models_for(inf(text), XP)] == ["M.NTx86.5.1"]


def test_each_manufacturer_is_asked_by_itself() -> None:
    text = """
[Manufacturer]
%A% = First, NTx86
Second
Third =
[First.NTx86]
"One" = Install1, PCI\\ONE, PCI\\COMPATIBLE, , PCI\\LAST
no device = Install
= , PCI\\NOTHING
[Second]
Two = Install2, PCI\\TWO
[Strings]
A = "Maker A"
"""
    found = models_for(inf(text), XP)
    assert [(m.section, m.description, m.install, m.ids) for m in found] == [
        ("First.NTx86", "One", "Install1", ("PCI\\ONE", "PCI\\COMPATIBLE", "PCI\\LAST")),
        ("Second", "Two", "Install2", ("PCI\\TWO",)),
    ]


def test_all_models_are_those_of_every_section() -> None:
    text = "[Manufacturer]\nm=M,NTx86,NTamd64\n[M.NTx86]\nd=i,a\n[M.NTamd64]\nd=i,b\n[M]\nd=i,c\n"
    assert [(model.decoration.text, model.ids) for model in all_models(inf(text))] == [
        ("", ("c",)),
        ("NTx86", ("a",)),
        ("NTamd64", ("b",)),
    ]
