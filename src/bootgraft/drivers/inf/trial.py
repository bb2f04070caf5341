"""Whether a package's driver would be loaded by the Windows that it is for: by its signature, and by its imports."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.drivers.package import DriverPackage, PackageFile
from bootgraft.windows.driver_files import judge_driver, unsatisfied
from bootgraft.windows.exports import ExportTables
from bootgraft.windows.installation import Installation
from bootgraft.windows.pe import read_pe
from bootgraft.windows.signatures.acceptance import STATUS, Acceptance, Judgement, Rules, judge_file
from bootgraft.windows.signatures.catalog import read_catalog
from bootgraft.windows.signatures.der import DerError
from bootgraft.windows.signatures.signature import read_signatures
from bootgraft.windows.versions import SERVER_2003

_STORPORT = "storport.sys"
_FIRST_WITH_STORPORT = SERVER_2003
NOT_TRIED = Judgement(Acceptance.ACCEPTED, "", "")
"""How a Windows takes a driver that does not look at signatures, or that is not asked."""

Lacks = Callable[[Sequence[PackageFile]], tuple[str, ...]]
"""What a Windows lacks of what these files import, each for people."""


class Trial(Struct, frozen=True):
    """The Windows that packages are tried for: its loader's rules, and what it has that drivers import from."""

    rules: Rules
    lacks: Lacks

    def judge(self, package: DriverPackage) -> Judgement:
        """How its loader takes the package: as the file that it takes worst."""
        if not self.rules.enforced:
            return NOT_TRIED
        judged = [judge_file(read_signatures(file.data), self.rules) for file in _loaded_at_boot(package)]
        return max(judged, key=lambda each: each.acceptance, default=NOT_TRIED)

    def fault(self, package: DriverPackage, judgement: Judgement) -> str | None:
        """Why the package is no use there, for people; None where there is no contradicting evidence."""
        if judgement.acceptance is Acceptance.REFUSED and not judgement.hangs_on_secure_boot:
            return f"{judgement.reason}: {self.rules.product} would stop with {STATUS}"
        lacking = self.lacks(package.files)
        return f"its driver needs {'; '.join(lacking)}" if lacking else None


def trial_for(target_windows: TargetWindows) -> Trial:
    """For a Windows of which only the name is known: whether Secure Boot will be on is not."""

    def lacks(files: Sequence[PackageFile]) -> tuple[str, ...]:
        needing = (file for file in files if target_windows.version < _FIRST_WITH_STORPORT and _imports_storport(file))
        return tuple(f"{_STORPORT}, which {target_windows.name} does not have" for _ in list(needing)[:1])

    return Trial(_rules_of(target_windows), lacks)


def trial_in(installation: Installation, rules: Rules) -> Trial:
    """For an installed Windows: what its own files export decides."""
    filesystem, directory = installation.volume.filesystem(), installation.directory
    tables = ExportTables(filesystem)

    def lacks(files: Sequence[PackageFile]) -> tuple[str, ...]:
        brought = {file.path.rpartition("\\")[2].casefold() for file in files}
        found: list[str] = []
        for file in files:
            driver = judge_driver(file.data, filesystem, directory, f"{directory}\\{file.path}", tables=tables)
            others = tuple(each for each in driver.imports if each.name.casefold() not in brought)
            found += unsatisfied(replace(driver, imports=others), installation.arch)
        return tuple(found)

    return Trial(rules, lacks)


def covers(package: DriverPackage, version: tuple[int, int]) -> bool:
    """Whether the package's catalog says that it is meant for this NT version; who signed it is not looked at."""
    content = () if package.inf is None else package.inf.content
    for name, data in content:
        if name.casefold().endswith(".cat"):
            try:
                return read_catalog(data).covers(version)
            except DerError:
                return False
    return False


def _loaded_at_boot(package: DriverPackage) -> tuple[PackageFile, ...]:
    """The files of the package that the loader reads: those of its services, and what they import from."""
    files = {file.path.rpartition("\\")[2].casefold(): file for file in package.files}
    images = (
        value.data.data.decode("utf-16-le", "replace").rstrip("\0").rpartition("\\")[2].casefold()
        for key in package.keys
        for value in key.values
        if value.name.casefold() == "imagepath" and value.data is not None
    )
    pending = [name for name in dict.fromkeys((*images, *list(files)[:1])) if name in files]
    loaded: dict[str, PackageFile] = {}
    while pending:
        name = pending.pop()
        if name not in loaded:
            loaded[name] = files[name]
            imports = (each.casefold() for each in read_pe(files[name].data, name=name).imports)
            pending += [each for each in imports if each in files]
    return tuple(loaded.values())


def _rules_of(target_windows: TargetWindows) -> Rules:
    return Rules(
        product=target_windows.name,
        version=target_windows.version,
        build=target_windows.build,
        arch=target_windows.arch,
    )


def _imports_storport(file: PackageFile) -> bool:
    return any(each.casefold() == _STORPORT for each in read_pe(file.data, name=file.path).imports)
