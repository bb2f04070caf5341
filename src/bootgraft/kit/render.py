"""A kit as files."""

from bootgraft.kit.batch import script
from bootgraft.kit.contents import Kit
from bootgraft.kit.install import install_script
from bootgraft.kit.readme import readme
from bootgraft.kit.regfiles import reg_files
from bootgraft.kit.uninstall import uninstall_script


def render(kit: Kit) -> tuple[tuple[str, bytes], ...]:
    r"""The files of the kit, by path with ``\``; the same kit comes to the same bytes.

    Raises DriverSourceError for what the dialect of that Windows cannot say.
    """
    files = [
        ("install.cmd", script(install_script(kit))),
        ("uninstall.cmd", script(uninstall_script(kit))),
        *reg_files(kit),
        *((f"files\\{file.path}", file.data) for file in kit.files),
        *((f"package\\{path}", data) for path, data in kit.staged),
    ]
    return (("README.txt", readme(kit, files)), *files)
