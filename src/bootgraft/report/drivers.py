"""What a driver source holds and what would be chosen of it, as documents and for people."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from bootgraft.drivers.inf.choice import device_ids, driver_date, driver_version
from bootgraft.drivers.inf.install import install_section, services
from bootgraft.drivers.inf.models import Model, all_models
from bootgraft.drivers.inf.selection import PackageChoice
from bootgraft.drivers.inf.source import PackageTree
from bootgraft.drivers.inf.sourceinf import SourceInf
from bootgraft.drivers.inf.target_windows import TargetWindows
from bootgraft.errors import DriverSourceError
from bootgraft.events import Monitor, Progress, Unit, silent
from bootgraft.report.documents.drivers import (
    ChoiceDocument,
    ChosenDocument,
    DeviceDocument,
    HarvestDocument,
    InfDocument,
    ListDocument,
    PassedDocument,
    ShowDocument,
)
from bootgraft.report.layout.lines import Printed, Text, rows
from bootgraft.targets.controllers import CONTROLLERS, Controller
from bootgraft.text import counted, one_line
from bootgraft.windows.pe import Architecture

_TOLD = 6  # INFs that were passed over and are named for people


def list_document(tree: PackageTree, monitor: Monitor = silent) -> ListDocument:
    """Every INF of a source with the devices that it serves in any Windows."""
    infs, documents = tree.infs(), []
    progress = Progress(monitor, "looking up which devices they serve", len(infs), Unit.INFS)
    for each in infs:
        documents.append(_inf_document(each))
        progress.advance(1)
    return ListDocument(source=tree.origin, infs=tuple(documents))


def _inf_document(each: SourceInf) -> InfDocument:
    document = InfDocument(path=each.path, problem=each.fault or None)
    if each.inf is None:
        return document
    try:
        when = driver_date(each.inf)
        document = replace(
            document,
            class_name=each.inf.value("Version", "Class"),
            provider=each.inf.value("Version", "Provider"),
            date=None if when is None else when.isoformat(),
            version=".".join(map(str, driver_version(each.inf))),
        )
        models = all_models(each.inf)
        devices = tuple(_device_document(each, model) for model in models)
        return replace(document, devices=devices, targets=_targets(models))
    except DriverSourceError as error:
        return replace(document, problem=f"{error.what} ({error.where})")


def _device_document(each: SourceInf, model: Model) -> DeviceDocument:
    return DeviceDocument(
        windows=model.decoration.text, description=model.description, ids=model.ids, service=_service(each, model)
    )


def _service(each: SourceInf, model: Model) -> str | None:
    """The service that drives the device; None where there is none, or another INF would have to tell."""
    if each.inf is None:
        return None
    section = install_section(each.inf, model.install, model.decoration.arch or Architecture.X86)
    if section is None:
        return None
    try:
        lines = services(each.inf, section, lambda _: None)
    except DriverSourceError:
        return None
    return next((line.name or None for line in lines if line.is_function_driver), None)


def _targets(models: Sequence[Model]) -> tuple[str, ...]:
    """The controllers that one of these lines serves."""
    served = {each.casefold() for model in models for each in model.ids}
    return tuple(
        controller.target
        for controller in CONTROLLERS
        if any(each.casefold() in served for ids in device_ids(controller) for each in ids)
    )


def list_text(document: ListDocument, *, detailed: bool) -> Text:
    """What ``drivers list`` prints: first what serves a known controller, then the rest."""
    infs = document.infs
    serving = [each for each in infs if each.targets]
    count = counted(len(infs), "INF")
    known = f"{len(serving) or 'none'} of them for a controller that `bootgraft targets` knows"
    lines = [f"{document.source}: {count}, {known}."]
    for each in serving:
        lines += ["", *_inf_lines(each, detailed=detailed)]
    others = [each for each in infs if not each.targets]
    if others and (detailed or not serving):
        lines += ["", "for other devices"]
        lines += (f"  {each.path}  {_release(each)}" for each in others if not each.problem)
    problems = [each for each in infs if each.problem]
    if problems:
        lines.append("")
        lines += (f"cannot be read: {each.path}: {each.problem}" for each in problems)
    return _joined(lines)


def _inf_lines(each: InfDocument, *, detailed: bool) -> Iterator[str]:
    yield f"{each.path}  {_release(each)}"
    windows = dict.fromkeys(device.windows or "any x86 Windows" for device in each.devices)
    driving = dict.fromkeys(device.service for device in each.devices if device.service)
    yield f"    service {', '.join(driving) or 'none'}; for {', '.join(windows)}"
    yield f"    serves {', '.join(each.targets)}"
    if detailed:
        for device in each.devices:
            yield f"    {device.windows or '-'}: {', '.join(device.ids)}  {device.description}"


def _release(each: InfDocument) -> str:
    return "  ".join(part for part in (each.provider, each.date, each.version) if part)


def show_document(
    source: str, controller: Controller, choices: Sequence[tuple[TargetWindows, PackageChoice]]
) -> ShowDocument:
    """What would be chosen for a controller in each Windows."""
    return ShowDocument(
        source=source, target=controller.target, choices=tuple(_choice_document(*each) for each in choices)
    )


def _choice_document(target_windows: TargetWindows, choice: PackageChoice) -> ChoiceDocument:
    return ChoiceDocument(
        windows=target_windows.name,
        nt_version=f"{target_windows.version[0]}.{target_windows.version[1]}",
        build=target_windows.build,
        arch=target_windows.arch,
        chosen=_chosen_document(choice),
        notes=() if choice.package is None else choice.package.notes,
        passed_over=tuple(
            PassedDocument(inf=each.path, standing=each.standing.value, reason=each.reason) for each in choice.rejected
        ),
    )


def _chosen_document(choice: PackageChoice) -> ChosenDocument | None:
    chosen, package = choice.chosen, choice.package
    if chosen is None or package is None or package.inf is None:
        return None
    when = package.inf.driver_date
    return ChosenDocument(
        inf=chosen.path,
        id=chosen.id,
        match=chosen.match,
        decoration=chosen.model.decoration.text,
        install_section=package.inf.configuration,
        date=None if when is None else when.isoformat(),
        version=".".join(map(str, package.inf.driver_version)),
        service=package.service,
        files=tuple(file.path for file in package.files),
        keys=tuple(key.path for key in package.keys),
        device_ids=tuple(device.id for device in package.inf.devices),
        signature=choice.signature,
    )


def show_text(document: ShowDocument, *, detailed: bool) -> Text:
    """What ``drivers show`` prints."""
    found = sum(1 for each in document.choices if each.chosen)
    if detailed:
        return _joined(line for each in document.choices for line in ("", *_choice_lines(each, document)))[1:]
    lines: list[Printed] = [
        f"{document.source} has a driver for {document.target} in {found} of {len(document.choices)} Windows."
    ]
    lines.append("")
    lines += rows([(_windows(each), _chosen_text(each.chosen)) for each in document.choices])
    lines += ["", "Give --windows and --arch to see why, and what would be installed."]
    return _joined(lines)


def _chosen_text(chosen: ChosenDocument | None) -> str:
    return "-" if chosen is None else f"{chosen.inf}  {chosen.service} {chosen.version}"


def _windows(each: ChoiceDocument) -> str:
    return f"{each.windows} {each.arch}"


def _choice_lines(each: ChoiceDocument, document: ShowDocument) -> Iterator[str]:
    chosen = each.chosen
    where = f"{document.target} in {each.windows} (NT {each.nt_version}, {each.arch})"
    if chosen is None:
        yield f"Nothing in {document.source} serves {where}."
    else:
        yield f"{chosen.inf} would serve {where}."
        yield f"    why: {chosen.id} is a {chosen.match} of the controller"
        if chosen.signature:
            yield f"    signature: {chosen.signature}"
        yield f"    for: {chosen.decoration or 'any x86 Windows'}; installs [{chosen.install_section}]"
        yield f"    release: {'  '.join(part for part in (chosen.date, chosen.version) if part)}"
        yield f"    service: {chosen.service}"
        yield from (f"    file: {path}" for path in chosen.files)
        yield from (f"    key: {path}" for path in chosen.keys)
        yield from (f"    binds: {each}" for each in chosen.device_ids)
        yield from (f"    note: {note}" for note in each.notes[1:] if not note.startswith("Passed over:"))
    near = [passed for passed in each.passed_over if passed.standing != "other-devices"]
    yield from (f"passed over: {passed.inf}: {passed.reason}" for passed in near[:_TOLD])
    rest = len(each.passed_over) - len(near[:_TOLD])
    if rest:
        yield f"passed over: {rest} more; --json lists them all"


def harvest_text(document: HarvestDocument) -> Text:
    """What ``drivers harvest`` prints but for the next step, which names the folder."""
    files = [(each.name, f"{each.size} bytes, from {each.origin}") for each in document.files]
    head = f"{document.service}, the driver of {document.windows} for {document.target}:"
    return _joined((head, "", *rows(files, indent=2)))


def _joined(lines: Iterable[Printed]) -> Text:
    return tuple(one_line(each) if isinstance(each, str) else each for each in lines)
