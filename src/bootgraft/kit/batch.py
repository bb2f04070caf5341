r"""The words of cmd.exe that both scripts of a kit are made of, for Windows that have ``reg.exe`` and those without.

What may be used, by Windows (Microsoft, "Command-line reference", and ``cmd /?`` of each): NT 4 has neither ``%~dp0``
nor ``exit /b`` nor ``reg.exe``; 2000 has no ``reg.exe`` on its disk. ``copy`` asks nothing inside a script, so it needs
no ``/y``, which NT 4 has not. ``mkdir`` leaves ERRORLEVEL alone where it succeeds, ``regedit`` always. cmd.exe waits
for a windowed program inside a script. ``type`` turns UTF-16 with a byte order mark into the console's code page, so
what regedit exported can be searched. A 32-bit cmd.exe of a 64-bit Windows sees ``SysWOW64`` as ``system32``; the real
one is ``Sysnative`` there. ``HKLM\SYSTEM`` is the same for both.
"""

from collections.abc import Iterator, Sequence

from bootgraft.kit.contents import Kit
from bootgraft.windows.pe import Architecture
from bootgraft.windows.versions import WINDOWS_2000

_PROCESSORS = {
    Architecture.X86: "x86",
    Architecture.X64: "AMD64",
    Architecture.ARM64: "ARM64",
    Architecture.IA64: "IA64",
}
"""What PROCESSOR_ARCHITECTURE says."""
_SYSTEM32 = "system32\\"
_CRITICAL = "Control\\CriticalDeviceDatabase\\"
_WITH_EXTENSIONS = WINDOWS_2000
MARK = '"%BACKUP%\\complete.txt"'
"""The file that says that all is backed up."""


def script(lines: Sequence[str]) -> bytes:
    """The file of these lines. Raises UnicodeEncodeError where one is not ASCII: no code page then matters."""
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


class BatchDialect:
    """How one Windows says what a script needs. Every method yields lines."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.has_reg = kit.has_reg_exe
        self.has_extensions = kit.target_windows.version >= _WITH_EXTENSIONS

    def head(self, what: str) -> Iterator[str]:
        """The beginning: where the script is, which Windows it runs on, and by whom."""
        kit = self.kit
        yield "@echo off"
        windows = kit.target_windows
        yield f"rem {what} the {kit.service} driver for {kit.target} in {windows.name} ({windows.arch})."
        yield "rem Made by bootgraft. README.txt says how to use it."
        yield "setlocal"
        if self.has_extensions:
            yield 'pushd "%~dp0"'
            yield "if errorlevel 1 goto elsewhere"
        yield "set PATH=%SystemRoot%\\system32;%SystemRoot%"
        yield f"set CCS={'HKLM' if self.has_reg else 'HKEY_LOCAL_MACHINE'}\\SYSTEM\\CurrentControlSet"
        yield f"set CDD=%CCS%\\{_CRITICAL[:-1]}"
        yield "set BACKUP=backup-%COMPUTERNAME%"
        yield "if not exist driver.reg goto elsewhere"
        yield "if not exist undo\\values.reg goto elsewhere"
        yield f'ver | find " {kit.target_windows.version[0]}.{kit.target_windows.version[1]}" >nul'
        yield "if errorlevel 1 goto otherwindows"
        yield from self._processor()
        yield 'echo bootgraft >"%SYS%\\drivers\\bootgraft.tmp"'
        yield 'if not exist "%SYS%\\drivers\\bootgraft.tmp" goto rights'
        yield 'del "%SYS%\\drivers\\bootgraft.tmp"'

    def _processor(self) -> Iterator[str]:
        yield "set CPU=%PROCESSOR_ARCHITECTURE%"
        yield "set SYS=%SystemRoot%\\system32"
        if self.kit.target_windows.arch is not Architecture.X86:
            yield 'if "%PROCESSOR_ARCHITEW6432%"=="" goto native'
            yield 'if not exist "%SystemRoot%\\Sysnative\\cmd.exe" goto wow64'
            yield "set CPU=%PROCESSOR_ARCHITEW6432%"
            yield "set SYS=%SystemRoot%\\Sysnative"
            yield ":native"
        else:
            yield 'if not "%PROCESSOR_ARCHITEW6432%"=="" goto otherwindows'
        yield f'if not "%CPU%"=="{_PROCESSORS[self.kit.target_windows.arch]}" goto otherwindows'

    def refusals(self) -> Iterator[str]:
        """What is said where the head refuses to go on."""
        kit = self.kit
        yield ":elsewhere"
        if self.has_extensions:
            yield "echo The files of the kit are not beside this script. Copy the whole kit to a local disk."
        else:
            yield "echo Change to the folder of the kit first (cd), then start this script there."
        yield "goto bad"
        yield ":otherwindows"
        yield f"echo This kit is for {kit.target_windows.name}, {kit.target_windows.arch}. This is another Windows:"
        yield "ver"
        yield "echo Nothing was changed."
        yield "goto bad"
        if kit.target_windows.arch is not Architecture.X86:
            yield ":wow64"
            yield "echo This is a 32-bit command prompt. Start the script from the 64-bit one:"
            yield "echo %SystemRoot%\\system32\\cmd.exe in the Start menu. Nothing was changed."
            yield "goto bad"
        yield ":rights"
        yield "echo Administrators only: %SYS%\\drivers cannot be written. Nothing was changed."
        yield "goto bad"

    def ending(self, *, status: int) -> Iterator[str]:
        """Leave the script with this exit status."""
        if self.has_extensions:
            yield "popd"
            yield f"exit /b {status}"
            return
        # NT 4 has no exit /b: the last command's ERRORLEVEL is the script's.
        yield 'find "REGEDIT4" driver.reg >nul' if status == 0 else 'find "nothing" <nul >nul'
        yield "goto end"

    def last(self) -> Iterator[str]:
        """The very end of the script."""
        if not self.has_extensions:
            yield ":end"

    def key(self, path: str) -> str:
        """A key, by its path below the control set, in quotes."""
        if path.casefold().startswith(_CRITICAL.casefold()):
            return f'"%CDD%\\{path[len(_CRITICAL) :]}"'
        return f'"%CCS%\\{path}"'

    def place(self, path: str) -> str:
        """A file, by its path below the Windows directory, in quotes."""
        if path.casefold().startswith(_SYSTEM32):
            return f'"%SYS%\\{path[len(_SYSTEM32) :]}"'
        return f'"%SystemRoot%\\{path}"'

    def export(self, path: str, to: str, absent: str) -> Iterator[str]:
        """Export a key; go to ``absent`` where there is none."""
        if self.has_reg:
            yield f"reg query {self.key(path)} >nul 2>nul"
            yield f"if errorlevel 1 goto {absent}"
            yield f"reg export {self.key(path)} {to} >nul 2>nul"
            yield f"if not exist {to} goto nobackup"
            return
        yield f"regedit /e {to} {self.key(path)}"
        yield f"if not exist {to} goto {absent}"
        yield f'type {to} | find "[HKEY" >nul'
        yield f"if errorlevel 1 del {to}"

    def apply(self, file: str, *, checked: bool = True) -> Iterator[str]:
        """Import a .reg file. regedit does not tell whether it could: what comes of it is verified."""
        if not self.has_reg:
            yield f"regedit /s {file}"
            return
        yield f"reg import {file} >nul 2>nul"
        if checked:
            yield "if errorlevel 1 goto failed"

    def holds(self, path: str, words: Sequence[str], otherwise: str) -> Iterator[str]:
        """Go to ``otherwise`` where the key is not there, or has no value like the words, of which one is its name."""
        if self.has_reg:
            value = "" if not words else f" /v {words[0]}"
            finds = "".join(f' | find "{word}"' for word in words[1:])
            yield f"reg query {self.key(path)}{value} 2>nul{finds} >nul"
            yield f"if errorlevel 1 goto {otherwise}"
            return
        finds = "".join(f' | find /i "{word}"' for word in words) or ' | find "[HKEY"'
        yield 'if exist "%BACKUP%\\check.reg" del "%BACKUP%\\check.reg"'
        yield f'regedit /e "%BACKUP%\\check.reg" {self.key(path)}'
        yield f'if not exist "%BACKUP%\\check.reg" goto {otherwise}'
        yield f'type "%BACKUP%\\check.reg"{finds} >nul'
        yield f"if errorlevel 1 goto {otherwise}"

    def number(self, value: int) -> str:
        """How a REG_DWORD is shown."""
        return f"0x{value:x}" if self.has_reg else f"dword:{value:08x}"
