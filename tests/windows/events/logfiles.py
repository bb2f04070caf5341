"""Log files in memory."""

from tests.fakes import FakeFileSystem

from bootgraft.filesystems.base import OpenFile

PATH = "\\log"


def file_of(data: bytes) -> OpenFile:
    return OpenFile(FakeFileSystem({PATH: data}), PATH)


def everything(_source: str, _identifier: int) -> bool:
    return True


def never(_found: object) -> bool:
    return False
