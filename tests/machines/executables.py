"""Kernel-mode binaries (PE files) by GNU as, dlltool, windres and ld of binutils-mingw-w64."""

import tempfile
from pathlib import Path

from tests.machines.spec import Architecture, PortableExecutable
from tests.machines.tools import run

_PREFIX = {Architecture.X86: "i686-w64-mingw32-", Architecture.X64: "x86_64-w64-mingw32-"}
_UNDERSCORE = {Architecture.X86: "_", Architecture.X64: ""}  # how C names look to the assembler

# windres wants a C preprocessor, which would be a whole compiler; the resource script here needs none.
_NO_PREPROCESSOR = '#!/bin/sh\nfor last; do :; done\nexec cat "$last"\n'

_VERSION = """1 VERSIONINFO
FILEVERSION {commas}
PRODUCTVERSION {commas}
FILEOS 0x40004
FILETYPE 0x3
FILESUBTYPE 0x7
BEGIN
 BLOCK "StringFileInfo"
 BEGIN
  BLOCK "040904b0"
  BEGIN
   VALUE "FileDescription", "stand-in for {name}"
   VALUE "FileVersion", "{dots}"
   VALUE "OriginalFilename", "{name}"
   VALUE "ProductVersion", "{dots}"
  END
 END
 BLOCK "VarFileInfo"
 BEGIN
  VALUE "Translation", 0x409, 1200
 END
END
"""


def make_executable(binary: PortableExecutable, path: Path) -> None:
    """Link the binary: native subsystem, entry DriverEntry, relocatable, with its version resource."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prefix = _PREFIX[binary.arch]
        entry = f"{_UNDERSCORE[binary.arch]}DriverEntry"
        (work / "code.s").write_text(_assembly(binary))
        run(f"{prefix}as", work / "code.s", "-o", work / "code.o")
        objects = [work / "code.o"]
        if binary.version is not None:
            objects.append(_version_resource(binary, work))
        if binary.exports:
            objects.append(_definition(binary.name, binary.exports, work / "exports.def"))
        libraries = [_import_library(binary.arch, name, functions, work) for name, functions in binary.imports]
        command = [f"{prefix}ld", "--subsystem", "native", "--no-insert-timestamp", "-s", "--image-base", "0x10000"]
        run(*command, "-e", entry, "-o", path, *objects, *libraries)


def _assembly(binary: PortableExecutable) -> str:
    mark = _UNDERSCORE[binary.arch]
    functions = [function for _, names in binary.imports for function in names]
    reference = "*__imp__{}" if binary.arch is Architecture.X86 else "*__imp_{}(%rip)"
    # Some read-only data, for ld 2.44 makes a section for it where 2.40 does not: with it, files of both are as large.
    lines = ['.section .rdata,"dr"', " .long 0"]
    lines += [".text", f".globl {mark}DriverEntry", f"{mark}DriverEntry:"]
    lines += [f" call {reference.format(function)}" for function in functions]
    lines += [" ret"]
    for function in binary.exports:
        lines += [f".globl {mark}{function}", f"{mark}{function}:", " ret"]
    return "\n".join(lines) + "\n"


def _definition(name: str, functions: tuple[str, ...], path: Path) -> Path:
    path.write_text(f'LIBRARY "{name}"\nEXPORTS\n' + "".join(f"{function}\n" for function in functions))
    return path


def _import_library(arch: Architecture, name: str, functions: tuple[str, ...], work: Path) -> Path:
    library = work / f"{name}.a"
    definition = _definition(name, functions, work / f"{name}.def")
    run(f"{_PREFIX[arch]}dlltool", "-d", definition, "-l", library, "--temp-prefix", work / name)
    return library


def _version_resource(binary: PortableExecutable, work: Path) -> Path:
    assert binary.version is not None
    numbers = [str(number) for number in binary.version]
    script = work / "version.rc"
    script.write_text(_VERSION.format(name=binary.name, commas=",".join(numbers), dots=".".join(numbers)))
    preprocessor = work / "no-preprocessor"
    preprocessor.write_text(_NO_PREPROCESSOR)
    preprocessor.chmod(0o755)
    run(f"{_PREFIX[binary.arch]}windres", f"--preprocessor={preprocessor}", script, work / "version.o")
    return work / "version.o"
