r"""What loader, kernel and session manager read below ``Control`` before the first program runs.

As real hives of Windows NT 4, XP, 7, 8.1 and 10 hold it.
"""

from tests.machines.bindings import Keys
from tests.machines.registry_text import Expand, Multi, RegistryValue
from tests.machines.spec import Architecture

CODE_PAGES = ("437", "850", "1252", "10000")
_PROCESSORS = {Architecture.X86: "x86", Architecture.X64: "AMD64"}


def control_keys(version: tuple[int, int], arch: Architecture) -> Keys:
    """The keys below a control set."""
    return {
        r"Control\Nls\CodePage": _code_pages(),
        r"Control\Nls\Language": _languages(version),
        r"Control\Session Manager": _session_manager(version),
        r"Control\Session Manager\Environment": {
            "ComSpec": Expand(r"%SystemRoot%\system32\cmd.exe"), "OS": "Windows_NT",
            "Path": Expand(r"%SystemRoot%\system32;%SystemRoot%"), "PROCESSOR_ARCHITECTURE": _PROCESSORS[arch],
            "windir": Expand("%SystemRoot%"),
        },
        r"Control\Session Manager\KnownDLLs": {
            "DllDirectory": Expand(r"%SystemRoot%\system32"), "kernel32": "kernel32.dll", "user32": "user32.dll",
        },
        r"Control\Session Manager\Memory Management": {"PagingFiles": Multi((r"C:\pagefile.sys 384 768",))},
        r"Control\Session Manager\SubSystems": _subsystems(version),
    }  # fmt: skip


def _code_pages() -> dict[str, RegistryValue]:
    values: dict[str, RegistryValue] = {number: f"c_{number}.nls" for number in CODE_PAGES}
    return values | {"ACP": "1252", "OEMCP": "437", "MACCP": "10000", "OEMHAL": "vgaoem.fon"}


def _languages(version: tuple[int, int]) -> dict[str, RegistryValue]:
    values: dict[str, RegistryValue] = {"Default": "0409"}
    if version >= (5, 0):
        values["InstallLanguage"] = "0409"
    if version < (6, 2):
        values["0409"] = "l_intl.nls"
    return values


def _session_manager(version: tuple[int, int]) -> dict[str, RegistryValue]:
    values: dict[str, RegistryValue] = {
        "BootExecute": Multi(("autocheck autochk *",)), "CriticalSectionTimeout": 2592000,
        "ExcludeFromKnownDlls": Multi(()), "GlobalFlag": 0,
        "ObjectDirectories": Multi((r"\Windows", r"\RPC Control")), "ProtectionMode": 1 if version >= (5, 0) else 0,
    }  # fmt: skip
    if version >= (6, 0):
        values["NumberOfInitialSessions"] = 2
        values["SetupExecute"] = Multi(())
    return values


def _subsystems(version: tuple[int, int]) -> dict[str, RegistryValue]:
    servers = ["basesrv,1", "winsrv:UserServerDllInitialization,3"]
    servers.append("sxssrv,4" if version >= (6, 1) else "winsrv:ConServerDllInitialization,2")
    program = (
        r"%SystemRoot%\system32\csrss.exe ObjectDirectory=\Windows SharedSection=1024,3072 Windows=On "
        f"SubSystemType=Windows {' '.join(f'ServerDll={name}' for name in servers)} ProfileControl=Off "
        "MaxRequestThreads=16"
    )
    kernel_part = r"\SystemRoot\System32\win32k.sys" if version >= (6, 1) else r"%SystemRoot%\system32\win32k.sys"
    return {
        "Debug": Expand(""), "Kmode": Expand(kernel_part), "Required": Multi(("Debug", "Windows")),
        "Windows": Expand(program),
    }  # fmt: skip
