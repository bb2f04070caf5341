"""A command's hold on its images: whatever happens, everything is given back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.machines.build import BuiltMachine
from tests.machines.formats import ImageForm, snapshot_child

from bootgraft.cli.images.opening import refuse_unwritable
from bootgraft.cli.images.session import Session
from bootgraft.cli.options import Options
from bootgraft.errors import BootgraftError, ImageError, ReadOnlyError
from bootgraft.events import silent
from bootgraft.report.layout.lines import plain
from bootgraft.storage.images.imageformat import ImageFormat
from bootgraft.storage.images.opening import identify, open_image
from bootgraft.worker.ipc.job import Operation

Convert = Callable[[Path, ImageForm], Path]


def children() -> set[str]:
    own = Path("/proc/self/task")
    return {pid for task in own.iterdir() for pid in (task / "children").read_text().split()}


def descriptors() -> set[str]:
    return {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}


def options(*images: Path, **more: object) -> Options:
    base = Options("check", images=tuple(map(str, images)), targets=("vmware:lsilogic",))
    return replace(base, **more)


@pytest.mark.parametrize("form", [ImageForm.RAW, ImageForm.MONOLITHIC_SPARSE])
def test_everything_is_given_back(server1: BuiltMachine, convert_image: Convert, form: ImageForm) -> None:
    image = convert_image(server1.disk, form)
    before = children()
    with Session(options(image), writable=False, monitor=silent) as session:
        assert children() - before
        assert session.run(Operation.CHECK).status == 1
    assert children() == before
    assert not [each for each in descriptors() if str(image.parent) in each]


def test_it_is_given_back_when_the_work_fails(server1: BuiltMachine) -> None:
    before = children()
    with pytest.raises(RuntimeError), Session(options(server1.disk), writable=True, monitor=silent):
        raise RuntimeError
    assert children() == before
    with open_image(identify(str(server1.disk)), writable=True):  # the locks are gone too
        pass


def test_it_is_given_back_when_a_later_image_cannot_be_opened(server1: BuiltMachine, tmp_path: Path) -> None:
    before = children()
    for given in (options(server1.disk, tmp_path / "nope"), options(server1.disk, drivers=(str(tmp_path / "nope"),))):
        with pytest.raises(ImageError), Session(given, writable=True, monitor=silent):
            pass
    assert children() == before
    assert not [each for each in descriptors() if str(server1.disk) in each]


def test_the_format_given_overrides_the_one_detected(server1: BuiltMachine) -> None:
    with Session(options(server1.disk, format="raw"), writable=False, monitor=silent) as session:
        assert session.images[0].info.format is ImageFormat.RAW
    with pytest.raises(BootgraftError), Session(options(server1.disk, format="vmdk"), writable=False, monitor=silent):
        pass


def test_donors_are_only_read(server1: BuiltMachine, donor: BuiltMachine) -> None:
    donor.disk.chmod(0o400)
    given = options(server1.disk, drivers=(str(donor.disk),))
    with Session(given, writable=True, monitor=silent) as session:
        ((location, image),) = session._sources
        assert location == str(donor.disk)
        assert image is not None
        assert not image.writable


def test_the_names_of_images_reach_the_answer(server1: BuiltMachine) -> None:
    with Session(options(server1.disk), writable=False, monitor=silent) as session:
        assert f"bootgraft repair {server1.disk} " in plain(session.run(Operation.CHECK).text)


def test_an_image_with_a_snapshot_child_is_not_written(server1: BuiltMachine, convert_image: Convert) -> None:
    image = convert_image(server1.disk, ImageForm.MONOLITHIC_SPARSE)
    child = snapshot_child(image, image.parent)
    with pytest.raises(ReadOnlyError, match="is built on it") as caught:
        refuse_unwritable(identify(str(image)))
    assert str(child) in caught.value.what
    assert "--overlay" in caught.value.advice
    with Session(options(image), writable=False, monitor=silent):
        pass


def test_a_format_that_cannot_be_written(server1: BuiltMachine, convert_image: Convert) -> None:
    image = convert_image(server1.disk, ImageForm.STREAM_OPTIMIZED)
    with pytest.raises(ReadOnlyError, match="cannot be written in place"):
        refuse_unwritable(identify(str(image)))
