"""``install.cmd``: backs up what it replaces, copies, imports and verifies."""

from collections.abc import Iterator

from bootgraft.drivers.package import PackageKey
from bootgraft.kit.batch import MARK, BatchDialect
from bootgraft.kit.contents import Kit
from bootgraft.registry.values import ValueType, decode_utf16
from bootgraft.repair.wanted import is_binding
from bootgraft.windows.versions import WINDOWS_10

_WITH_ADD_DRIVER = WINDOWS_10
_PNPUTIL_DONE = (0, 259, 3010)
"""Exit statuses of pnputil: done; done, but no device wants it (ERROR_NO_MORE_ITEMS); done, restart (Microsoft,
"PnPUtil return values")."""


def install_script(kit: Kit) -> list[str]:
    """The lines of the script."""
    return list(_Install(kit).lines())


def backup_name(kit: Kit, number: int) -> str:
    """What the backup of the file of that number is called, in quotes."""
    name = kit.files[number - 1].path.rpartition("\\")[2]
    return f'"%BACKUP%\\{number:02d}-{name}.bak"'


class _Install:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._say = BatchDialect(kit)

    def lines(self) -> Iterator[str]:
        yield from self._say.head("Installs")
        yield from self._is_whole()
        yield from self._backup()
        if self._kit.staged:
            yield from self._stage()
        for number, file in enumerate(self._kit.files, start=1):
            yield from self._copy(number, file.path)
        yield "set AT=importing driver.reg"
        yield from self._say.apply("driver.reg")
        for number in range(1 + len(self._kit.keys), 1 + len(self._kit.keys) + len(self._kit.further)):
            yield f'if exist "%BACKUP%\\{number:02d}.reg" goto bound{number:02d}'
            yield f"set AT=importing further\\{number:02d}.reg"
            yield from self._say.apply(f"further\\{number:02d}.reg")
            yield f":bound{number:02d}"
        yield from self._verify()
        yield "echo Done: installed and verified. uninstall.cmd reverts it."
        yield "echo The machine may be converted now. Do not run uninstall.cmd on the converted one."
        yield from self._say.ending(status=0)
        yield from self._endings()

    def _is_whole(self) -> Iterator[str]:
        """Everything that the script will need, before anything is changed."""
        yield 'if exist "%BACKUP%" goto again'
        for file in self._kit.files:
            yield f"if not exist files\\{file.path} goto elsewhere"
        if self._kit.staged:
            yield f"if not exist package\\{self._kit.inf} goto elsewhere"
            yield 'if not exist "%SYS%\\pnputil.exe" goto otherwindows'
        for service in self._kit.required:
            yield from self._say.holds(f"Services\\{service}", (), "nodriver")

    def _backup(self) -> Iterator[str]:
        say = self._say
        yield "echo Backing up what is there ..."
        yield 'mkdir "%BACKUP%"'
        yield 'if not exist "%BACKUP%" goto nobackup'
        if not say.has_reg:  # a key that cannot be exported must not be taken for one that is not there
            yield from say.holds("Control\\ComputerName", (), "nobackup")
        for number, path in enumerate(self._kit.entries, start=1):
            yield from say.export(path, f'"%BACKUP%\\{number:02d}.reg"', f"key{number:02d}")
            yield f":key{number:02d}"
        for number, file in enumerate(self._kit.files, start=1):
            yield f"if not exist {say.place(file.path)} goto file{number:02d}"
            yield f"copy {say.place(file.path)} {backup_name(self._kit, number)} >nul"
            yield "if errorlevel 1 goto nobackup"
            yield f":file{number:02d}"
        if self._kit.staged:
            yield 'dir /b "%SystemRoot%\\inf\\oem*.inf" >"%BACKUP%\\before.txt" 2>nul'
        yield f"echo bootgraft >{MARK}"
        yield f"if not exist {MARK} goto nobackup"

    def _stage(self) -> Iterator[str]:
        """The package into the driver store; the name that it got there is kept for the way back."""
        kit = self._kit
        options = "/add-driver {} /install" if kit.target_windows.version >= _WITH_ADD_DRIVER else "-i -a {}"
        yield "echo Adding the package to the driver store ..."
        yield f"set AT=adding package\\{kit.inf} to the driver store (pnputil)"
        yield f'"%SYS%\\pnputil.exe" {options.format(f"package{chr(92)}{kit.inf}")}'
        yield "set PNPUTIL=%ERRORLEVEL%"
        yield 'for %%f in ("%SystemRoot%\\inf\\oem*.inf") do call :published %%~nxf'
        for status in _PNPUTIL_DONE:
            yield f'if "%PNPUTIL%"=="{status}" goto staged'
        yield "goto failed"
        yield ":published"
        yield 'findstr /i /x /c:"%1" "%BACKUP%\\before.txt" >nul'
        yield 'if errorlevel 1 echo %1>>"%BACKUP%\\published.txt"'
        yield "exit /b 0"
        yield ":staged"

    def _copy(self, number: int, path: str) -> Iterator[str]:
        """A driver that is loaded cannot be written, which is well where it is the same."""
        source, place = f"files\\{path}", self._say.place(path)
        yield f"set AT=copying {path}"
        yield f"copy {source} {place} >nul"
        yield f"if not errorlevel 1 goto copied{number:02d}"
        yield f"fc /b {source} {place} >nul"
        yield "if errorlevel 1 goto failed"
        yield f":copied{number:02d}"

    def _verify(self) -> Iterator[str]:
        yield "echo Verifying ..."
        for file in self._kit.files:
            yield f"set AT=verifying {file.path}"
            yield f"if not exist {self._say.place(file.path)} goto failed"
            yield f"fc /b files\\{file.path} {self._say.place(file.path)} >nul"
            yield "if errorlevel 1 goto failed"
        for number, key in enumerate((*self._kit.keys, *self._kit.further), start=1):
            words_of = self._words(key) if number <= len(self._kit.keys) else iter(((),))
            yield f"set AT=verifying key {number:02d} of README.txt"
            for words in words_of:
                yield from self._say.holds(key.path, words, "failed")
        for number, path in enumerate(self._kit.gone, start=1 + len(self._kit.keys) + len(self._kit.further)):
            yield f"set AT=removing key {number:02d} of README.txt"
            yield from self._say.holds(path, (), f"gone{number:02d}")
            yield "goto failed"
            yield f":gone{number:02d}"
        if not self._say.has_reg:
            yield 'del "%BACKUP%\\check.reg"'
        if self._kit.staged:
            yield "set DDB=HKLM\\SYSTEM\\DriverDatabase\\DriverPackages"
            # The whole name at the end of the line: Windows ships services whose names begin as another's (iaStorAVC).
            yield f'reg query "%DDB%" /s /v Service 2>nul | findstr /i /e /c:"    {self._kit.service}" >nul'
            yield "if errorlevel 1 goto unbound"

    def _words(self, key: PackageKey) -> Iterator[tuple[str, ...]]:
        """What must stand in one line of the key: of a service that it starts at boot, of a binding its service."""
        found = False
        for value in key.values:
            if value.data is None:
                continue
            if value.name.casefold() == "start" and len(value.data.data) == 4:
                found = True
                yield "Start", self._say.number(int.from_bytes(value.data.data, "little"))
            if value.name.casefold() == "service" and value.data.type == ValueType.REG_SZ and is_binding(key.path):
                found = True
                yield "Service", decode_utf16(value.data.data).partition("\0")[0]
        if not found:
            yield ()

    def _endings(self) -> Iterator[str]:
        say = self._say
        yield ":again"
        yield "echo The folder %BACKUP% is there: the kit was installed on this machine already,"
        yield "echo or its installation was broken off. Run uninstall.cmd first. Nothing was changed."
        yield "goto bad"
        if self._kit.required:
            yield ":nodriver"
            yield f"echo This Windows has not all of these services: {' '.join(self._kit.required)}."
            yield "echo Make a kit with --drivers. Nothing was changed."
            yield "goto bad"
        yield ":nobackup"
        yield "echo What is there cannot be backed up to %BACKUP% beside this script."
        yield "echo Is the kit on a disk that can be written? Copy it to a local one."
        yield "echo Nothing was changed. Delete that folder before the next attempt."
        yield "goto bad"
        if self._kit.staged:
            yield ":unbound"
            yield "echo Installed, but NOT PROVEN TO BOOT: the package is in the driver store, and this Windows"
            yield "echo has not bound it to the controller yet, as it does when it first meets one."
            yield "echo After the conversion run on the disk image, before the first start:"
            yield f"echo     bootgraft repair IMAGE --target {self._kit.target} --drivers SOURCE"
            yield "echo uninstall.cmd reverts the installation."
            yield from say.ending(status=2)
        yield ":failed"
        yield "echo FAILED at: %AT%."
        yield "echo Run uninstall.cmd: it puts the machine back as it was."
        yield ":bad"
        yield from say.ending(status=1)
        yield from say.refusals()
        yield from say.last()
