"""Device elements: every kind, cut short at every byte, and pointed elsewhere without touching the rest."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.machines import bcd

from bootgraft.boot.bootmgr.bcd_device import (
    BootDevice,
    FileDevice,
    LocateDevice,
    OtherDevice,
    PartitionDevice,
    on_partition,
    options_of,
    parse_device,
    partition_element,
    partition_fields,
    retargeted,
)
from bootgraft.errors import BootConfigError
from bootgraft.machine import GptPartition, MbrPartition

DISK, PART, OPTIONS = (
    "6F1C1B64-3E21-4A1F-9A3C-0B7C5D0E8A11",
    "0D2B7E51-8C40-4B67-8F00-51E2A0C3D003",
    "ae5534e0-a924-466c-b836-758539a3ee3a",
)
MBR, GPT = bcd.mbr_device(0xA33B6C03, 105906176), bcd.gpt_device(DISK, PART)
WIM = r"\Recovery\WindowsRE\Winre.wim"
RAMDISK = bcd.ramdisk_device(GPT, WIM, OPTIONS)
VIRTUAL_DISK = bcd.virtual_disk_device(MBR, r"\vm\disk.vhd")


def test_every_kind() -> None:
    assert parse_device(bcd.boot_device(), name="x") == BootDevice()
    assert parse_device(MBR, name="x") == PartitionDevice(MbrPartition(0xA33B6C03, 105906176))
    assert parse_device(GPT, name="x") == PartitionDevice(GptPartition(DISK, PART))
    assert parse_device(bcd.locate_device(0x22000002), name="x") == LocateDevice(0x22000002, "", None)
    assert parse_device(RAMDISK, name="x") == FileDevice("RAM disk", PartitionDevice(GptPartition(DISK, PART)), WIM)
    assert (options_of(RAMDISK), options_of(GPT), options_of(b"")) == (OPTIONS, None, None)


def test_what_people_read() -> None:
    assert str(parse_device(MBR, name="x")) == "the partition at byte 105906176 of the disk with signature a33b6c03"
    assert str(parse_device(GPT, name="x")) == f"the partition {{{PART}}} of the disk {{{DISK}}}"
    assert (
        str(parse_device(RAMDISK, name="x"))
        == f"a RAM disk from {WIM} on the partition {{{PART}}} of the disk {{{DISK}}}"
    )


@pytest.mark.parametrize("kind", [2, 3, 4, 7, 9, 0xFFFFFFFF])
def test_a_kind_that_no_windows_starts_from(kind: int) -> None:
    data = MBR[:0x10] + kind.to_bytes(4, "little") + MBR[0x14:]
    assert isinstance(parse_device(data, name="x"), OtherDevice)


@pytest.mark.parametrize("device", [MBR, GPT, RAMDISK, bcd.locate_device(0x12000002), bcd.boot_device()])
def test_cut_short_at_every_byte(device: bytes) -> None:
    for length in range(len(device)):
        with pytest.raises(BootConfigError, match="damaged"):
            parse_device(device[:length], name="the element")


def test_a_ramdisk_in_itself_is_no_endless_walk() -> None:
    device = GPT
    for _ in range(3):
        device = bcd.ramdisk_device(device, WIM, OPTIONS)
    assert isinstance(parse_device(device, name="x"), FileDevice)
    with pytest.raises(BootConfigError, match="nested more than 4 deep"):
        parse_device(bcd.ramdisk_device(device, WIM, OPTIONS), name="x")


def test_a_locate_device_whose_parent_is_itself() -> None:
    data = bytearray(bcd.locate_device(0x12000002).ljust(0x60, b"\0"))
    data[0x28:0x2C] = (0x10).to_bytes(4, "little")
    with pytest.raises(BootConfigError, match="lies inside"):
        parse_device(bytes(data), name="x")


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_device_or_one_clear_error(data: bytes) -> None:
    with contextlib.suppress(BootConfigError):
        parse_device(data, name="x")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_damage_to_a_real_shape_gives_a_device_or_one_clear_error(data: st.DataObject) -> None:
    device = bytearray(data.draw(st.sampled_from([MBR, GPT, RAMDISK, bcd.locate_device(0x12000002)])))
    for _ in range(data.draw(st.integers(1, 4))):
        device[data.draw(st.integers(0, len(device) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BootConfigError):
        str(parse_device(bytes(device), name="x"))


GUIDS = st.uuids().map(lambda value: str(value).upper())


@given(
    st.one_of(
        st.builds(MbrPartition, st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)),
        st.builds(GptPartition, GUIDS, GUIDS),
    ),
    st.sampled_from([MBR, GPT, RAMDISK, VIRTUAL_DISK]),
)
@settings(max_examples=100, deadline=None)
def test_pointed_at_another_partition(identity: MbrPartition | GptPartition, device: bytes) -> None:
    old = on_partition(parse_device(device, name="x"))
    assert old is not None
    changed = retargeted(device, old[0], identity, name="x")
    assert len(changed) == len(device)
    assert on_partition(parse_device(changed, name="x")) == (identity, old[1])
    fields = partition_fields(identity)
    assert changed.count(fields) == 1
    at = changed.index(fields)
    assert changed[:at] + changed[at + 40 :] == device[:at] + device[at + 40 :]
    assert retargeted(changed, identity, old[0], name="x") == device
    whole = partition_element(identity)
    if isinstance(identity, GptPartition):
        assert whole == bcd.gpt_device(identity.disk_guid, identity.partition_guid)
    else:
        assert whole == bcd.mbr_device(identity.signature, identity.offset)
    assert device not in (MBR, GPT) or changed == whole


def test_another_partition_is_left_alone() -> None:
    other = GptPartition(PART, DISK)
    assert retargeted(RAMDISK, other, GptPartition(DISK, DISK), name="x") == RAMDISK
    assert on_partition(parse_device(bcd.boot_device(), name="x")) is None
