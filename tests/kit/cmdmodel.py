"""A model of cmd.exe with a registry, for the kits that Wine cannot run: those with regedit, and those with pnputil.

It knows exactly the words that the scripts use, and fails on any other. A machine is files and keys by path, both
without regard to case; regedit's exports are written and read by the code for .reg text, which has oracles of its own.
"""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct, field

from bootgraft.registry.regexport import export_keys
from bootgraft.registry.regfile import RegKey, RegValue, parse

WINDOWS = "C:\\WINNT"
HERE = "D:\\kit\\"
CCS = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet"
_STEPS = 20_000
_WORDS = re.compile(r'(?:[^\s"]|"[^"]*")+')


class Model(Struct):
    """One machine, with the kit's folder as its current directory."""

    files: dict[str, bytes]
    keys: dict[str, dict[str, RegValue]]
    version: str
    processor: str = "x86"
    ansi: str | None = None
    pnputil: Callable[["Model", Sequence[str]], int] | None = None
    variables: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    errorlevel: int = 0
    denied: frozenset[str] = frozenset()  # files that cannot be written
    stubborn: frozenset[str] = frozenset()  # keys that cannot be written, of which regedit says nothing
    beneath: str = ""  # the processor of a 64-bit Windows, for a 32-bit cmd.exe

    def run(self, script: str) -> int:
        """Run a script of the kit to its end."""
        self.variables = {
            "systemroot": WINDOWS, "computername": "OLD", "processor_architecture": self.processor,
            "path": "C:\\other",
            **({"processor_architew6432": self.beneath} if self.beneath else {}),
        }  # fmt: skip
        self.said, self.errorlevel = [], 0
        lines = self.files[(HERE + script).casefold()].decode("ascii").split("\r\n")
        return self._run(lines, 0, "")

    def _run(self, lines: list[str], at: int, argument: str) -> int:
        for _ in range(_STEPS):
            if at >= len(lines):
                return self.errorlevel
            line = lines[at]
            at += 1
            if not line or line.startswith((":", "rem ", "@echo off")):
                continue
            each = re.fullmatch(r"for (?:/f \"usebackq\" )?%%f in \((.*)\) do (.*)", line)
            bodies = (
                [line] if each is None else [each[2].replace("%%~nxf", x).replace("%%f", x) for x in self._in(each[1])]
            )
            for body in bodies:
                jump = self._line(body.replace("%1", argument), lines)
                if isinstance(jump, str):
                    at = lines.index(f":{jump}")
                elif jump is not None:
                    return jump
        raise AssertionError("it never ends")

    def _in(self, items: str) -> list[str]:
        path = self._expand(items).strip('"')
        if "*" in path:
            return [name.rpartition("\\")[2] for name in self._matching(path)]
        return self.files[self._path(path)].decode().split()

    def _line(self, line: str, lines: list[str]) -> str | int | None:
        """Run one line: a label to go to, an exit status, or None to go on."""
        text = self._expand(line)
        condition = re.match(
            r'if (not )?(?:exist (?P<file>"[^"]*"|\S+)|errorlevel (?P<level>\d+)|"(?P<a>[^"]*)"=="(?P<b>[^"]*)") ', text
        )
        if condition:
            if condition["file"]:
                held = self._exists(condition["file"].strip('"'))
            elif condition["level"]:
                held = self.errorlevel >= int(condition["level"])
            else:
                held = condition["a"] == condition["b"]
            return None if held == bool(condition[1]) else self._line(text[condition.end() :], lines)
        if text.startswith("goto "):
            return text[5:]
        if text.startswith("exit /b "):
            return int(text[8:])
        if text.startswith("call :"):
            label, _, argument = text[6:].partition(" ")
            self._run(lines, lines.index(f":{label}"), argument)
            return None
        self._piped(text)
        return None

    def _piped(self, text: str) -> None:
        """A command, its output through filters, and where that goes."""
        target, append = None, False
        text = re.sub(r" 2>nul", "", text)
        found = re.search(r" ?(>>?)(\"[^\"]*\"|\S+)$", text)
        if found:
            target, append, text = found[2].strip('"'), found[1] == ">>", text[: found.start()]
        command, *filters = text.split(" | ")
        output = self._command(command)
        for each in filters:
            words = self._split(each)
            if words[:3] == ["findstr", "/i", "/e"]:
                end = words[-1].removeprefix("/c:").casefold()
                output = [line for line in output if line.casefold().endswith(end)]
            else:
                assert words[0] == "find", each
                output = [line for line in output if _has(line, words[-1], fold="/i" in words)]
            self.errorlevel = 0 if output else 1
        if target is None:
            self.said += output
        elif target != "nul" and self._path(target) not in self.denied:
            old = self.files.get(self._path(target), b"") if append else b""
            self.files[self._path(target)] = old + "".join(f"{line}\r\n" for line in output).encode()

    def _command(self, text: str) -> list[str]:
        words = self._split(text)
        name = words[0]
        if name in ("setlocal", "pushd", "popd", "rem"):
            return []
        if name == "echo":
            return [text[5:]]
        if name == "ver":
            return [self.version]
        if name == "set":
            variable, _, value = text[4:].partition("=")
            self.variables[variable.casefold()] = value
            return []
        if name.endswith("pnputil.exe"):
            assert self.pnputil is not None
            self.errorlevel = self.pnputil(self, words[1:])
            return []
        return getattr(self, f"_{name}")(words[1:]) or []

    # The programs. Each takes its words without quotes and returns lines.

    def _find(self, words: Sequence[str]) -> None:
        data = b"" if words[1] == "<nul" else self.files.get(self._path(words[1]))
        self.errorlevel = 2 if data is None else int(words[0] not in data.decode("latin-1"))

    def _findstr(self, words: Sequence[str]) -> None:
        wanted = words[2].removeprefix("/c:").casefold()
        lines = self.files[self._path(words[3])].decode().casefold().split("\r\n")
        self.errorlevel = 0 if wanted in lines else 1

    def _mkdir(self, words: Sequence[str]) -> None:
        self.files[self._path(words[0]) + "\\"] = b""

    def _rmdir(self, words: Sequence[str]) -> None:
        for name in [each for each in self.files if each.startswith(self._path(words[-1]) + "\\")]:
            del self.files[name]

    def _del(self, words: Sequence[str]) -> None:
        if self._path(words[0]) not in self.denied:
            del self.files[self._path(words[0])]

    def _copy(self, words: Sequence[str]) -> None:
        source, target = map(self._path, words)
        self.errorlevel = 1 if source not in self.files or target in self.denied else 0
        if not self.errorlevel:
            self.files[target] = self.files[source]

    def _fc(self, words: Sequence[str]) -> None:
        one, two = (self.files.get(self._path(each)) for each in words[1:])
        self.errorlevel = 0 if one == two else 1

    def _dir(self, words: Sequence[str]) -> list[str]:
        return [name.rpartition("\\")[2] for name in self._matching(words[1])]

    def _type(self, words: Sequence[str]) -> list[str]:
        data = self.files[self._path(words[0])]
        return data.decode("utf-16" if data[:2] == b"\xff\xfe" else "ascii").split("\r\n")

    def _regedit(self, words: Sequence[str]) -> None:
        """It says nothing of a file or key that is not there; an export of none is a header alone."""
        if words[0] == "/s":
            self._import(self.files[self._path(words[1])])
        else:
            assert words[0] == "/e"
            self.files[self._path(words[1])] = self._export(words[2])

    def _reg(self, words: Sequence[str]) -> list[str]:
        verb, path = words[0], words[1].replace("HKLM\\", "HKEY_LOCAL_MACHINE\\")
        self.errorlevel = 0
        if verb == "import":
            self._import(self.files[self._path(path)])
            return []
        if verb == "export":
            self.files[self._path(words[2])] = self._export(path)
            return []
        assert verb == "query"
        shown = []
        for key in (
            [path.casefold()] if "/s" not in words else [each for each in self.keys if each.startswith(path.casefold())]
        ):
            values = self.keys.get(key, {})
            if "/v" in words:
                values = {name: value for name, value in values.items() if name == words[-1].casefold()}
                if not values:
                    continue
            if key in self.keys:
                shown += [key, *(f"    {value.name}    {_shown(value)}" for value in values.values())]
        self.errorlevel = 0 if shown else 1
        return shown

    def _import(self, data: bytes) -> None:
        for key in parse(data, name="import").keys:
            path = key.path.casefold()
            if path in self.stubborn:
                continue
            if key.delete:
                for each in [each for each in self.keys if each == path or each.startswith(path + "\\")]:
                    if not any(f"{kept}\\".startswith(f"{each}\\") for kept in self.stubborn):
                        del self.keys[each]
                continue
            for end in [*[at for at, each in enumerate(path) if each == "\\"][2:], len(path)]:
                self.keys.setdefault(path[:end], {})
            for value in key.values:
                if value.delete:
                    self.keys[path].pop(value.name.casefold(), None)
                else:
                    self.keys[path][value.name.casefold()] = RegValue(value.name, value.type, value.data)

    def _export(self, path: str) -> bytes:
        top = path.casefold()
        below = sorted(each for each in self.keys if each == top or each.startswith(top + "\\"))
        return export_keys(
            (RegKey(path + each[len(top) :], values=tuple(self.keys[each].values())) for each in below), ansi=self.ansi
        )

    def _expand(self, text: str) -> str:
        text = text.replace("%ERRORLEVEL%", str(self.errorlevel)).replace("%~dp0", HERE)
        return re.sub(r"%(\w+)%", lambda name: self.variables.get(name[1].casefold(), ""), text)

    def _split(self, text: str) -> list[str]:
        return [each.replace('"', "") for each in _WORDS.findall(text)]

    def _path(self, name: str) -> str:
        return (name if name[1:2] == ":" else HERE + name).casefold()

    def _exists(self, name: str) -> bool:
        path = self._path(name)
        return path in self.files or f"{path}\\" in self.files

    def _matching(self, path: str) -> list[str]:
        start, _, end = path.casefold().partition("*")
        return [each for each in self.files if each.startswith(start) and each.endswith(end)]


def _has(line: str, word: str, *, fold: bool) -> bool:
    return word.casefold() in line.casefold() if fold else word in line


def _shown(value: RegValue) -> str:
    if value.type == 4:
        return f"REG_DWORD    0x{int.from_bytes(value.data, 'little'):x}"
    return f"REG_SZ    {value.data.decode('utf-16-le', 'replace').rstrip(chr(0))}"
