"""What an INF's raw text can name: never less than parsing finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drivers.inf.infs import GOOD

from bootgraft.drivers.inf.mentions import SIGNATURES, mentioned
from bootgraft.drivers.inf.models import all_models
from bootgraft.drivers.inf.text import parse_inf
from bootgraft.errors import DriverSourceError

ID = r"PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00"


def test_an_ordinary_inf_names_its_devices() -> None:
    found = mentioned(GOOD)
    assert found is not None
    assert ID.casefold() in found
    assert r"pci\ven_1af4&dev_1000" not in found


@pytest.mark.parametrize(
    "written",
    [f'"{ID}"', r'PCI\VEN_"1AF4&DEV_1001"&SUBSYS_00021AF4&REV_00', f"  {ID.lower()} \t", f"x,{ID},y", f"{ID} ; why"],
)
def test_however_an_id_is_written(written: str) -> None:
    found = mentioned(GOOD.replace(ID, written))
    assert found is None or ID.casefold() in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ID, "%DeviceId%"),
        (ID, r"PCI\VEN_1AF4&DEV_%d%&SUBSYS_00021AF4&REV_00"),
        (ID, f"\\\n {ID}"),
        (ID, "PCI\\VEN_1AF4&DEV_1001\\ ; why\n&SUBSYS_00021AF4&REV_00"),
        ("= Install", ", Install,%DeviceId%"),
        ("$Windows NT$", "$Windows 95$"),
        ("Signature=", 'Signature="x"\nSignature='),
        ("[Version]", "[Version"),
        ("[Service]", "[Service]\n[Unclosed"),
        ("[Service]", f"[Service]\nx={'y' * 5000}"),
        ("[Service]", "[Service]\nx=\0"),
        ("[Service]", "[HKR]"),
    ],
)
def test_what_only_parsing_can_tell(old: str, new: str) -> None:
    assert mentioned(GOOD.replace(old, new)) is None


@given(
    st.lists(
        st.sampled_from(
            ["d=i,", "PCI\\VEN_1", "&DEV_2", "%s%", '"', ",", "=", ";", "\\", "\n", " ", "[m]", "[", "AddService=a,"]
        ),
        max_size=24,
    )
)
@settings(max_examples=300)
def test_never_less_than_parsing_finds(pieces: list[str]) -> None:
    head = '[Version]\nSignature="$Windows NT$"\n[Manufacturer]\nx=M\n[Strings]\ns="PCI\\VEN_1"\n'
    text = f"{head}[M]\n{''.join(pieces)}\n"
    found = mentioned(text)
    if found is None:
        return
    inf = parse_inf(text.encode(), "x.inf")  # what may be refused is None before
    assert inf.value("Version", "Signature").casefold() in SIGNATURES
    try:
        ids = {each.casefold() for model in all_models(inf) for each in model.ids if "\\" in each}
    except DriverSourceError:
        return
    # No device's id has any of these, nor a blank at an end, which a quotation mark that is not closed keeps there.
    assert {each for each in ids if each == each.strip() and not set(each) & set('"=,;')} <= found
