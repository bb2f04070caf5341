"""Files, folders and archives, well-meant and hostile."""

import gzip
import io
import os
import random
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.explain import logs

from bootgraft.errors import LogError
from bootgraft.events import silent
from bootgraft.explain import bundle
from bootgraft.explain.bundle import Bundle
from bootgraft.explain.explanation import Explanation, explain
from bootgraft.explain.logreport import ConversionOutcome


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name) if compression == zipfile.ZIP_STORED else name, content)
    return file.getvalue()


def names(path: Path) -> list[str]:
    found = Bundle(path)
    return [each.name for each in found.files() if list(each.chunks)]


def told(path: Path) -> Explanation:
    return explain((path,), silent)


def refused(path: Path) -> LogError:
    with pytest.raises(LogError) as caught:
        told(path)
    assert caught.value.exit_status == 3
    assert caught.value.where == str(path)
    return caught.value


AGENT = {"vmware-converter-agent-1.log": logs.AGENT_60.encode()}
SERVER = {"vmware-converter-server-1.log": logs.SERVER_60.encode()}


@pytest.mark.parametrize("name", ["agent.log", "agent.log.gz", "no-suffix", "logs.zip"])
def test_a_file_is_told_by_its_content(name: str, tmp_path: Path) -> None:
    raw = logs.AGENT_50.encode()
    content = {"agent.log.gz": gzip.compress(raw), "logs.zip": zipped({"a/agent.log": raw})}.get(name, raw)
    (tmp_path / name).write_bytes(content)
    report = told(tmp_path / name).report
    assert (report.outcome, report.files) == (ConversionOutcome.FAILED, 1)


def test_a_folder_with_rotated_logs_in_their_order(tmp_path: Path) -> None:
    for name in ("agent-10.log", "agent-9.log", "b/agent-1.log.2.gz", "b/agent-1.log", "picture.png", "notes"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(b"x\n") if name.endswith(".gz") else b"x\n")
    assert names(tmp_path) == ["agent-9.log", "agent-10.log", "b/agent-1.log", "b/agent-1.log.2.gz"]


def test_what_is_no_ordinary_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "real.log").write_text(logs.AGENT_50)
    (tmp_path / "link.log").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.log")
    assert names(tmp_path) == ["real.log"]
    assert "neither a file, a folder nor a pipe" in refused(tmp_path / "link.log").what


@pytest.fixture
def pipe() -> Iterator[tuple[Path, int]]:
    """The name of a pipe's end to read from, as a shell's ``<(command)`` makes it, and the end to write to."""
    reader, writer = os.pipe()
    yield Path(f"/proc/self/fd/{reader}"), writer
    os.close(reader)


RAW = logs.AGENT_50.encode()


@pytest.mark.parametrize("content", [RAW, gzip.compress(RAW), zipped({"a/agent.log": RAW})], ids=["plain", "gz", "zip"])
def test_a_pipe_is_read_once(content: bytes, pipe: tuple[Path, int]) -> None:
    path, writer = pipe
    os.write(writer, content)
    os.close(writer)
    report = told(path).report
    assert (report.outcome, report.messages) == (ConversionOutcome.FAILED, 7)


def test_an_empty_pipe_is_no_log(pipe: tuple[Path, int]) -> None:
    path, writer = pipe
    os.close(writer)
    assert "no line of VMware Converter" in refused(path).what


def test_an_archive_from_a_pipe_has_a_bound(pipe: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_NESTED", 100)
    path, writer = pipe
    os.write(writer, zipped({"a.log": RAW}))
    os.close(writer)
    assert "is larger than" in refused(path).what


def test_several_files_are_logs_of_one_conversion(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = tmp_path / "a" / "vmware.log", tmp_path / "b" / "vmware.log"
    first.write_text(logs.AGENT_50)
    second.write_text(logs.WORKER_50)
    report = explain((first, second), silent).report
    assert (report.files, report.conversion.disk_files) == (2, ("E1Win72.vmdk",))
    assert {each.first.file for each in report.matches} == {str(first)}


def test_a_log_that_only_tells_of_a_conversion_says_where_the_other_one_is(tmp_path: Path) -> None:
    line = (
        "2025-09-19 20:30:15,109 ERROR [a.b.C] (API-Job-Executor-3:ctx-1) (logid:abc) The virt-v2v conversion failed\n"
    )
    (tmp_path / "management-server.log").write_text(line)
    error = refused(tmp_path / "management-server.log")
    assert error.what.endswith("only what is said of one: The virt-v2v conversion failed")
    assert "agent.log" in (error.advice or "")


def test_a_line_that_is_not_read_to_its_end_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x" * 70000 + "\n" + logs.AGENT_50)
    assert told(tmp_path / "a.log").notes == ("1 line is longer than 64 KiB; what is beyond that was not read",)


def test_the_bundle_that_converter_exports(tmp_path: Path) -> None:
    """The cause is in the agent's log, two archives deep: https://qiita.com/items/a080345414f4bdf98392."""
    inner = zipped({"agentTask-task-6.zip": zipped(AGENT), "vmware-converter-worker-1.log": logs.WORKER_50.encode()})
    path = tmp_path / "logs.zip"
    path.write_bytes(zipped({**SERVER, "worker-diagnostics-task-4-omo.zip": inner}))
    found = told(path)
    assert found.report.primary is not None
    assert found.report.primary.rule.id == "converter-host-not-resolved"
    assert found.report.primary.last.file == (
        "logs.zip/worker-diagnostics-task-4-omo.zip/agentTask-task-6.zip/vmware-converter-agent-1.log"
    )
    assert (found.report.files, found.notes) == (3, ())


def test_other_archives_within_archives_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    path.write_bytes(zipped({**SERVER, "more.zip": zipped(AGENT), "x.tar.gz": gzip.compress(b"x")}))
    found = told(path)
    assert found.report.files == 1
    assert [note.split(" is ")[0] for note in found.notes] == ["logs.zip/more.zip", "logs.zip/x.tar.gz"]
    path.write_bytes(zipped({"more.zip": zipped(AGENT)}))
    assert "archive in an archive" in refused(path).what


def test_archives_within_archives_have_a_bottom(tmp_path: Path) -> None:
    content = zipped(AGENT)
    for _ in range(5):
        content = zipped({"agentTask-task-6.zip": content})
    (tmp_path / "deep.zip").write_bytes(content)
    assert "archive in an archive" in refused(tmp_path / "deep.zip").what


@pytest.mark.parametrize("name", ["../a.log", "a/../../b.log", "/a.log", "C:\\a.log", "a\\..\\b.log", "\\\\h\\a.log"])
def test_members_that_point_out_of_the_archive(name: str, tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    path.write_bytes(zipped({**SERVER, name: b"x"}, zipfile.ZIP_STORED))
    assert "points out of it" in refused(path).what


def test_zip_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "BOMB_FREE", 1 << 18)
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped({"a.log": bytes(1 << 19)}))
    assert "bomb.zip/a.log unpacks to over 250 times its size" in refused(path).what
    path = tmp_path / "bomb.log.gz"
    path.write_bytes(gzip.compress(b"x\n" * (1 << 19)))
    assert "unpacks to over 250 times its size" in refused(path).what


def test_members_that_share_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "BOMB_FREE", 1 << 18)
    monkeypatch.setattr(bundle, "BOMB_RATIO", 2)
    noise = random.Random(3).randbytes(60000).hex().encode()  # packs to half
    path = tmp_path / "shared.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.log", noise)
        first = archive.filelist[0]
        for number in range(1, 9):
            twin = zipfile.ZipInfo(f"{number}.log")
            for name in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(twin, name, getattr(first, name))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    assert "unpacks to over 2 times its size" in refused(path).what


def test_all_together_may_not_be_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "logs.zip"
    path.write_bytes(zipped({f"{number}.log": bytes(1000) for number in range(20)}))
    monkeypatch.setattr(bundle, "MAX_UNPACKED", 10000)
    assert "unpacks to more than" in refused(path).what
    monkeypatch.setattr(bundle, "MAX_FILES", 10)
    assert "more than 10 logs" in refused(path).what
    monkeypatch.setattr(bundle, "MAX_MEMBERS", 10)
    assert "too many members" in refused(path).what


def test_a_folder_with_too_many_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        (tmp_path / f"{number}.log").touch()
    monkeypatch.setattr(bundle, "MAX_FILES", 10)
    assert "more than 10 logs" in refused(tmp_path).what
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(bundle, "MAX_FILES", 100)
    monkeypatch.setattr(bundle, "MAX_FOLDERS", 2)
    assert "more than 2 folders" in refused(tmp_path).what


def test_a_gzipped_log_that_is_cut_off_tells_what_is_before_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "agent.log.gz"
    noise = random.Random(1).randbytes(20000).hex().encode()
    path.write_bytes(gzip.compress(logs.AGENT_50.encode() + noise)[:-2000])
    found = told(path)
    assert found.report.outcome is ConversionOutcome.FAILED
    (note,) = found.notes
    assert note.startswith("agent.log.gz is damaged or cut off")


@pytest.mark.parametrize("damaged", [zipped(AGENT)[:-30], b"PK\x03\x04"])
def test_a_damaged_archive_among_other_logs_is_named_and_left_out(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / "agent.log").write_text(logs.AGENT_60)
    (tmp_path / "cut-off.zip").write_bytes(damaged)
    alone = told(tmp_path / "agent.log")
    found = told(tmp_path)
    assert found.report.outcome == alone.report.outcome == ConversionOutcome.FAILED
    assert found.notes == (
        *alone.notes,
        "the archive cut-off.zip is damaged (its directory is missing): it was not read",
    )
    assert "is damaged" in refused(tmp_path / "cut-off.zip").what


UNSAFE = {
    "bomb": zipped({"a.log": bytes(1 << 19)}),
    "many": zipped({f"{number}.log": b"" for number in range(21)}),
    "out": zipped({"../a.log": b"x"}),
}


@pytest.mark.parametrize("kind", UNSAFE)
def test_an_unsafe_archive_among_other_logs_is_named_and_left_out(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "BOMB_FREE", 1 << 18)
    monkeypatch.setattr(bundle, "MAX_MEMBERS", 20)
    (tmp_path / "agent.log").write_text(logs.AGENT_60)
    (tmp_path / "unsafe.zip").write_bytes(UNSAFE[kind])
    found, alone = told(tmp_path), refused(tmp_path / "unsafe.zip")
    assert (found.report.outcome, found.report.files) == (ConversionOutcome.FAILED, 1)
    assert found.notes == (f"{alone.what}: it was not read",)
    given = explain((tmp_path / "unsafe.zip", tmp_path / "agent.log"), silent)  # as a shell makes it of *
    assert (given.report.outcome, given.notes) == (found.report.outcome, found.notes)


def test_an_unsafe_archive_in_one_that_converter_exports_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MAX_NESTED", 1000)
    large = zipped({"a.log": random.Random(4).randbytes(2000)})
    for number, nested in enumerate((UNSAFE["out"], large)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(zipped({**AGENT, "agentTask-task-6.zip": nested}))
        found = told(path)
        assert found.report.outcome is ConversionOutcome.FAILED
        assert [note.endswith(": it was not read") for note in found.notes] == [True]


def test_a_gzip_bomb_among_other_logs_is_read_up_to_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "BOMB_FREE", 1 << 18)
    (tmp_path / "z-agent.log").write_text(logs.AGENT_60)
    (tmp_path / "bomb.log.gz").write_bytes(gzip.compress(bytes(1 << 21)))
    found = Bundle(tmp_path)
    sizes = {each.name: sum(map(len, each.chunks)) for each in found.files()}
    assert 1 << 18 <= sizes["bomb.log.gz"] < 1 << 20
    assert sizes["z-agent.log"] == len(logs.AGENT_60)
    assert found.notes == ["bomb.log.gz unpacks to over 250 times its size, as no log does: no more of it was read"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_log_that_may_not_be_read_among_others_is_named(tmp_path: Path) -> None:
    (tmp_path / "agent.log").write_text(logs.AGENT_60)
    (tmp_path / "secret.log").touch(0o000)
    found = told(tmp_path)
    assert found.report.outcome is ConversionOutcome.FAILED
    assert found.notes == (f"{tmp_path}/secret.log was not read (Permission denied)",)


def test_encrypted_and_odd_members_are_named(tmp_path: Path) -> None:
    content = bytearray(zipped(SERVER))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "secret.zip").write_bytes(content)
    assert "encrypted" in refused(tmp_path / "secret.zip").what
    (tmp_path / "odd.zip").write_bytes(zipped(SERVER, zipfile.ZIP_LZMA))
    assert "packed in an unusual way" in refused(tmp_path / "odd.zip").what


def test_links_in_an_archive_are_no_logs(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.log")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "no log is in it" in refused(tmp_path / "logs.zip").what


def test_archives_that_were_changed_at_random_end_in_a_story_or_one_message(tmp_path: Path) -> None:
    dice = random.Random(20260611)
    old = gzip.compress(logs.AGENT_60.encode())
    whole = zipped({**SERVER, "worker-diagnostics-1.zip": zipped(AGENT), "old.log.gz": old})
    path = tmp_path / "logs.zip"
    ends: set[ConversionOutcome | None] = set()
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(dice.randint(1, 6)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content[: dice.choice((len(content), dice.randrange(len(content))))])
        try:
            ends.add(told(path).report.outcome)
        except LogError:
            ends.add(None)
    assert {None, ConversionOutcome.FAILED} <= ends


def test_what_is_no_log_and_what_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "missing.log").what
    assert "no log is in it" in refused(tmp_path).what
    (tmp_path / "disk.img").write_bytes(random.Random(2).randbytes(100000))
    assert "no line of VMware Converter or virt-v2v" in refused(tmp_path / "disk.img").what
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    assert "its directory is missing" in refused(tmp_path / "bad.zip").what
