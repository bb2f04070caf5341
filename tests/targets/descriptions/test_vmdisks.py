"""Where a description's disks lie: beside it, or where the user allowed; never elsewhere."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from bootgraft.errors import ImageError, UsageError, VmDescriptionError
from bootgraft.targets.descriptions import proxmox as proxmox_format
from bootgraft.targets.descriptions import pvesm, vmx
from bootgraft.targets.descriptions.vmdescription import VmDescription, VmDisk
from bootgraft.targets.descriptions.vmdisks import file_name, locate, match


def description(folder: Path, *names: str, doubt: str = "") -> VmDescription:
    """A machine with disks of these names."""
    disks = tuple(VmDisk(name, f"scsi0:{number}", f"vmware:{number}", number + 1) for number, name in enumerate(names))
    return VmDescription(folder / "vm.vmx", vmx.FORMAT, disks, None, (), doubt)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A machine's folder with two disks, and another one outside it."""
    inside = tmp_path / "vm"
    (inside / "sub").mkdir(parents=True)
    for path in (inside / "a.vmdk", inside / "b.vmdk", inside / "sub" / "c.vmdk", tmp_path / "outside.vmdk"):
        path.touch()
    return inside


def test_beside_it(folder: Path) -> None:
    found = locate(description(folder, "a.vmdk", "sub/c.vmdk"), ())
    assert found.locations == (str(folder / "a.vmdk"), str(folder / "sub" / "c.vmdk"))
    assert (found.controllers, found.notes) == (("vmware:0", "vmware:1"), ())


def test_as_the_user_would_type_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert locate(description(Path(), "a.vmdk"), ()).locations == ("a.vmdk",)


@pytest.mark.parametrize(
    "name",
    [
        r"C:\Disks\a.vmdk", r"\\server\share\a.vmdk", "[datastore1] server1/a.vmdk", "/vmfs/volumes/x/server1/a.vmdk",
        "local:100/a.vmdk", "local-lvm:a.vmdk",
    ],
)  # fmt: skip
def test_a_path_of_another_computers_stands_for_the_file_beside_it(name: str, folder: Path) -> None:
    found = locate(description(folder, name), ())
    assert found.locations == (str(folder / "a.vmdk"),)
    assert found.notes == (f"scsi0:0: {name} is not here; {folder / 'a.vmdk'} was taken for it",)


def test_outside_only_where_it_is_allowed(folder: Path) -> None:
    for name in ("../outside.vmdk", str(folder.parent / "outside.vmdk")):
        machine = description(folder, name)
        with pytest.raises(ImageError, match="lies outside its own folder") as fault:
            locate(machine, ())
        assert fault.value.advice.endswith(f"--allow-path {folder.parent}")
        assert Path(locate(machine, (folder.parent,)).locations[0]).samefile(folder.parent / "outside.vmdk")


def test_a_link_leads_nowhere_else(folder: Path) -> None:
    (folder / "link.vmdk").symlink_to(folder.parent / "outside.vmdk")
    with pytest.raises(ImageError, match="lies outside its own folder"):
        locate(description(folder, "link.vmdk"), ())


@pytest.mark.parametrize("name", ["no.vmdk", "rbd://pool/x", "nbd:unix:/tmp/s", "http://127.0.0.1/x", "C:\\", "..", ""])
def test_not_here(name: str, folder: Path) -> None:
    with pytest.raises((VmDescriptionError, ImageError)) as fault:
        locate(description(folder, name), ())
    assert fault.value.advice


def test_no_disk_and_no_order(folder: Path) -> None:
    with pytest.raises(VmDescriptionError, match="this description has no hard disk"):
        locate(description(folder), ())
    with pytest.raises(VmDescriptionError, match="the order of its disks is not specified: it has two buses") as fault:
        locate(description(folder, "a.vmdk", "b.vmdk", doubt="it has two buses"), ())
    assert fault.value.advice.startswith("Give them too, in BIOS order")
    assert fault.value.choices == [[str(folder / "a.vmdk"), str(folder / "b.vmdk")]]


def test_images_given_with_it_are_in_the_users_order(folder: Path) -> None:
    images = [str(folder / "b.vmdk"), str(folder.parent / "vm" / "a.vmdk")]
    found = match(description(folder, "/x/a.vmdk", r"C:\b.vmdk", doubt="?"), images)
    assert (found.locations, found.controllers) == (tuple(images), ("vmware:1", "vmware:0"))
    assert found.places == ("scsi0:1", "scsi0:0")
    (note,) = found.notes
    assert note == (
        "the disks are taken in the order in which they were given: b.vmdk, a.vmdk; the command line comes before the "
        "description, whose order is a.vmdk, b.vmdk (and it does not say the order for sure: ?)"
    )


def test_images_in_the_order_of_the_description_need_no_word(folder: Path) -> None:
    images = [str(folder / name) for name in ("a.vmdk", "b.vmdk")]
    assert match(description(folder, "a.vmdk", "b.vmdk", doubt="?"), images).notes == ()


def test_a_disk_that_is_not_attached_is_named_where_one_is_looked_for(folder: Path) -> None:
    machine = replace(description(folder), unattached=(VmDisk("local:a.vmdk", "unused0", None, 7),))
    named = "so that it cannot start from it: unused0: local:a.vmdk"
    with pytest.raises(VmDescriptionError, match="no hard disk") as empty:
        locate(machine, ())
    assert empty.value.advice.endswith(named)
    with pytest.raises(UsageError, match="names: none") as other:
        match(machine, [str(folder / "a.vmdk")])
    assert other.value.advice.endswith(named)


@pytest.mark.parametrize("images", [["a.vmdk"], ["a.vmdk", "c.vmdk"], ["a.vmdk", "a.vmdk"], []])
def test_images_that_are_others(images: list[str], folder: Path) -> None:
    with pytest.raises(UsageError, match=r"are not the disks that the description names: a\.vmdk, b\.vmdk"):
        match(description(folder, "a.vmdk", "b.vmdk"), images)


def test_names_of_files() -> None:
    names = {"a": "a", "/x/a": "a", r"C:\x\a b": "a b", "[ds] x/a": "a", "[ds] a": "a", "s:1/a": "a", "s:a": "a"}
    assert {name: file_name(VmDisk(name, "", None, 1)) for name in names} == names


@pytest.mark.parametrize("name", ["scsi0:1", "local-lvm:vm-100-disk-1", "vm-100-disk-1"])
def test_the_user_says_where_a_disk_is_by_its_place_or_name(name: str, folder: Path) -> None:
    machine = description(folder, "a.vmdk", "local-lvm:vm-100-disk-1")
    there = str(folder.parent / "outside.vmdk")
    assert locate(machine, (), {name: there}).locations == (str(folder / "a.vmdk"), there)
    found = match(machine, [there, str(folder / "a.vmdk")], {name: there})
    assert found.places == ("scsi0:1", "scsi0:0")


@pytest.mark.parametrize(
    ("name", "said"), [("scsi0:7", "no disk of"), ("a.vmdk", "more than one disk of"), ("", "no disk of")]
)
def test_what_the_user_says_is_a_disk_of_the_description(name: str, said: str, folder: Path) -> None:
    machine = description(folder, "a.vmdk", "[store] x/a.vmdk")
    with pytest.raises(UsageError, match=said) as fault:
        locate(machine, (), {name: "x"})
    assert "scsi0:0 (a.vmdk), scsi0:1 ([store] x/a.vmdk)" in fault.value.advice
    with pytest.raises(UsageError, match=said):
        match(machine, ["x", "y"], {name: "x"})


def test_an_image_is_known_by_its_name_before_the_link_is_followed(folder: Path) -> None:
    """As volumes of LVM are: /dev/pve/vm-100-disk-0 is a link to /dev/dm-5."""
    link = folder / "vm-100-disk-0"
    link.symlink_to(folder / "b.vmdk")
    assert match(description(folder, "local-lvm:vm-100-disk-0"), [str(link)]).locations == (str(link),)


@pytest.fixture
def proxmox_host(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program pvesm, which notes how it was called and answers with the volume of the machine."""
    program = folder.parent / "bin" / "pvesm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {folder}/calls\necho {folder.parent}/outside.vmdk\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return folder


def proxmox(folder: Path, *names: str) -> VmDescription:
    disks = tuple(VmDisk(name, f"scsi{number}", "kvm:lsi", number + 1) for number, name in enumerate(names))
    return VmDescription(folder / "100.conf", proxmox_format.FORMAT, disks, None, ())


def test_proxmox_is_asked_where_a_volume_is(proxmox_host: Path) -> None:
    there = proxmox_host.parent / "outside.vmdk"
    found = locate(proxmox(proxmox_host, "local-lvm:vm-100-disk-0"), (proxmox_host.parent,))
    assert found.locations == (str(there),)
    assert found.notes == (f"scsi0: local-lvm:vm-100-disk-0 is {there}",)
    assert (proxmox_host / "calls").read_text() == "path\nlocal-lvm:vm-100-disk-0\n"


def test_what_a_strangers_description_names_is_not_taken(proxmox_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could be another machine's volume; the host's own descriptions are not a stranger's."""
    machine = proxmox(proxmox_host, "local-lvm:vm-200-disk-0")
    with pytest.raises(VmDescriptionError, match="is not here") as fault:
        locate(machine, ())
    assert "--disk scsi0=PATH" in fault.value.advice
    monkeypatch.setattr(pvesm, "_OWN", proxmox_host)
    assert locate(machine, ()).locations == (str(proxmox_host.parent / "outside.vmdk"),)


@pytest.mark.parametrize(
    "name", ["-x:y", "local:-y", "a:b c", "a:$(id)", "a:b;c", "a:b\nc", "local:", "a:b" + "c" * 9999]
)
def test_a_hostile_name_is_no_word_of_a_command(name: str, proxmox_host: Path) -> None:
    with pytest.raises((VmDescriptionError, ImageError)):
        locate(proxmox(proxmox_host, name), (proxmox_host.parent,))
    calls = proxmox_host / "calls"
    assert not calls.exists() or calls.read_text().split("\n") == ["path", name, ""]


def test_a_volume_without_a_path_is_not_here(proxmox_host: Path) -> None:
    program = proxmox_host.parent / "bin" / "pvesm"
    for answer in ("echo rbd:pool/vm-100-disk-0", "exit 2", "echo /nowhere; exit 2", "echo /no/such/file"):
        program.write_text(f"#!/bin/sh\n{answer}\n")
        with pytest.raises(VmDescriptionError, match="is not here"):
            locate(proxmox(proxmox_host, "ceph:vm-100-disk-0"), (Path("/"),))
