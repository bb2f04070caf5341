"""``uninstall.cmd``: puts back what install.cmd replaced, and removes what was not there before it."""

from collections.abc import Iterator

from bootgraft.kit.batch import MARK, BatchDialect
from bootgraft.kit.contents import Kit
from bootgraft.kit.install import backup_name
from bootgraft.windows.versions import WINDOWS_10

_WITH_DELETE_DRIVER = WINDOWS_10


def uninstall_script(kit: Kit) -> list[str]:
    """The lines of the script."""
    return list(_Uninstall(kit).lines())


class _Uninstall:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._say = BatchDialect(kit)

    def lines(self) -> Iterator[str]:
        say = self._say
        yield from say.head("Takes back")
        yield 'if not exist "%BACKUP%" goto nothing'
        yield f"if not exist {MARK} goto unchanged"
        yield from self._is_idle()
        yield "set AT=restoring the values of driver.reg"
        yield from say.apply("undo\\values.reg")
        for number in range(1, 1 + len(self._kit.entries)):
            yield from self._key(number)
        for number, path in enumerate(self._kit.entries, start=1):
            yield from self._key_is_back(number, path)
        for number, file in enumerate(self._kit.files, start=1):
            yield from self._file(number, file.path)
        if self._kit.staged:
            yield from self._unstage()
        yield ":unchanged"
        yield 'rmdir /s /q "%BACKUP%"'
        yield "echo Done: this machine is as it was before install.cmd."
        yield from say.ending(status=0)
        yield from self._endings()

    def _is_idle(self) -> Iterator[str]:
        """A machine that already runs from the new controller must keep its driver; an older one may be in use."""
        first = next((n for n, key in enumerate(self._kit.keys, 1) if self._is_service(key.path)), None)
        if first is None or self._kit.required:
            return
        path = f"Services\\{self._kit.service}\\Enum"
        yield f'if exist "%BACKUP%\\{first:02d}.reg" goto idle'
        if self._say.has_reg:
            yield f"reg query {self._say.key(path)} /v 0 >nul 2>nul"
            yield "if not errorlevel 1 goto inuse"
        else:
            yield from self._say.holds(path, (), "idle")
            yield 'type "%BACKUP%\\check.reg" | find "Count" | find "dword:00000000" >nul'
            yield "if errorlevel 1 goto inuse"
        yield ":idle"

    def _is_service(self, path: str) -> bool:
        return path.casefold() == f"services\\{self._kit.service}".casefold()

    def _key(self, number: int) -> Iterator[str]:
        """What was there comes back as it was exported; what was not goes."""
        yield f"set AT=restoring key {number:02d} of README.txt"
        yield f'if exist "%BACKUP%\\{number:02d}.reg" goto old{number:02d}'
        yield from self._say.apply(f"undo\\{number:02d}.reg", checked=False)
        yield f"goto key{number:02d}"
        yield f":old{number:02d}"
        yield from self._say.apply(f'"%BACKUP%\\{number:02d}.reg"')
        yield f":key{number:02d}"

    def _key_is_back(self, number: int, path: str) -> Iterator[str]:
        yield f"set AT=verifying that key {number:02d} of README.txt is back"
        yield f'if exist "%BACKUP%\\{number:02d}.reg" goto back{number:02d}'
        yield from self._say.holds(path, (), f"done{number:02d}")
        yield "goto failed"
        yield f":back{number:02d}"
        yield from self._say.holds(path, (), "failed")
        yield f":done{number:02d}"

    def _file(self, number: int, path: str) -> Iterator[str]:
        backup, place = backup_name(self._kit, number), self._say.place(path)
        yield f"set AT=restoring {path}"
        yield f"if exist {backup} goto bak{number:02d}"
        yield f"if exist {place} del {place}"
        yield f"if exist {place} goto failed"
        yield f"goto file{number:02d}"
        yield f":bak{number:02d}"
        yield f"copy {backup} {place} >nul"
        yield f"if not errorlevel 1 goto file{number:02d}"
        yield f"fc /b {backup} {place} >nul"
        yield "if errorlevel 1 goto failed"
        yield f":file{number:02d}"

    def _unstage(self) -> Iterator[str]:
        """What pnputil published for the kit, and nothing that was in the driver store before it."""
        option = "/delete-driver" if self._kit.target_windows.version >= _WITH_DELETE_DRIVER else "-d"
        yield 'if not exist "%BACKUP%\\published.txt" goto unchanged'
        yield f'for /f "usebackq" %%f in ("%BACKUP%\\published.txt") do "%SYS%\\pnputil.exe" {option} %%f'

    def _endings(self) -> Iterator[str]:
        say = self._say
        yield ":nothing"
        yield "echo There is no folder %BACKUP%: the kit is not installed on this machine."
        yield "goto bad"
        if not self._kit.required:
            yield ":inuse"
            yield f"echo This machine has a device that {self._kit.service} drives now: it may run from it."
            yield "echo Nothing was changed."
            yield "goto bad"
        yield ":failed"
        yield "echo FAILED at: %AT%."
        yield "echo Restart the machine and run uninstall.cmd again. The folder %BACKUP% has what was there."
        yield ":bad"
        yield from say.ending(status=1)
        yield from say.refusals()
        yield from say.last()
