"""An export from beginning to end: check the arguments, convert, check the files, place them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import ModelFolderError, PartialExportError
from edgeemo.export.auto import AutoQuantiser
from edgeemo.export.calibration_images import calibrate
from edgeemo.export.choice_images import prepare_judge
from edgeemo.export.convert import Converter
from edgeemo.export.export_record import write_record
from edgeemo.export.exporter import Exporter
from edgeemo.export.file_checks import expect
from edgeemo.export.graph import build_deployed
from edgeemo.export.kept_layers import check_layers, list_layers
from edgeemo.export.options import ExportedFile, ExportOptions
from edgeemo.model.folder import CALIBRATION, open_folder
from edgeemo.model.keras import find_reference_model, hash_reference_model, load_reference_model
from edgeemo.utils.extras import EXPORTING, require_packages
from edgeemo.utils.files import check_writable, write_file
from edgeemo.utils.locks import hold
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from edgeemo.model.container import Format
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress


_NAMES: dict[Format, str] = {"tflite": "TFLite", "onnx": "ONNX"}


def export(
    folder: StrPath,
    *,
    options: ExportOptions | None = None,
    data: StrPath | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> tuple[ExportedFile, ...]:
    """Export the reference model of a model folder.

    Every file is converted and checked under a hidden name. When all have passed they are renamed
    into place, and ``export.json`` is written last. The same reference model gives the same bytes.

    Args:
        folder: The model folder, which receives the files: its path, or a `ModelFolder`.
        options: Kinds and formats to export; by default float32 in both formats.
        data: Folder or ZIP archive of the training images, which only int8 needs; by default the
            one recorded in the model folder.
        replace: Whether existing files are replaced.
        progress: Receiver of the progress and of warnings.

    Returns:
        The files, in the order of `edgeemo.model.folder.EXPORTED`. They are unverified.

    Raises:
        ModelFolderError: If the folder is missing or incomplete, or a file exists and `replace`
            is false.
        DatasetError: If int8 is requested and the training images are missing.
        ExportError: If the model cannot be converted, or a file fails its checks.
        PartialExportError: If that is so in one format; the files of the other are made.
        MissingExtraError: If a package of the `train` extra is not installed.
        OSError: If a file cannot be written, or another process is writing to the folder.
    """
    data = None if data is None else Path(data)
    options, opened = options or ExportOptions(), open_folder(folder)
    opened.refuse_adopted()
    _refuse_existing(opened, options, replace=replace)
    check_packages(options)
    check_writable(opened.path)
    with hold(opened.path):
        return _export(opened, options=options, data=data, progress=progress or Silent())


def _export(
    folder: ModelFolder, *, options: ExportOptions, data: Path | None, progress: Progress
) -> tuple[ExportedFile, ...]:
    source = find_reference_model(folder)
    spec = _add_source(folder.read_spec(), hash_reference_model(source))
    calibration = (
        calibrate(folder, options=options, data=data, progress=progress) if options.int8 else None
    )
    progress.stage("Loading the model")
    model = load_reference_model(folder)
    network, layers = build_deployed(model, spec), list_layers(model)
    check_layers(options.keep_float, layers.names)
    converter = Converter(network, spec, calibration.images if calibration else None, layers)
    chosen = {}
    if calibration and options.auto:
        judge = prepare_judge(folder, model, calibration=calibration, data=data, progress=progress)
        quantiser = AutoQuantiser(converter, judge, options.max_size_bytes, progress)
        chosen = quantiser.choose_all(options.formats)
    exporter = Exporter(
        converter=converter,
        expected=expect(
            model,
            spec,
            network=network,
            is_foreign=folder.read_training().arch == "imported",
        ),
        warnings=calibration.warnings if calibration else (),
        quantisation=options.order_quantisation(layers.names),
        chosen=chosen,
    )
    for warning in filter(None, (exporter.expected.warning, *exporter.warnings)):
        progress.note(f"warning: {warning}")
    paths = [folder.file(name) for name in options.file_names]
    with ExitStack() as places:
        files, failure = exporter.export_all(paths, places, progress)
        if calibration and any(file.kind == "int8" for file in files):
            write_file(folder.file(CALIBRATION), calibration.to_csv())
    write_record(
        folder,
        files,
        source=source,
        source_sha256=spec.provenance.source_sha256,
        calibration=calibration,
    )
    if failure:
        kept = files[0].format
        raise PartialExportError(
            f"{failure} (the {_NAMES[kept]} files are kept: --format {kept} exports these alone)",
            files=files,
        )
    return files


def _refuse_existing(folder: ModelFolder, options: ExportOptions, *, replace: bool) -> None:
    existing = [name for name in options.file_names if folder.file(name).exists()]
    if existing and not replace:
        raise ModelFolderError(
            f"{folder.path}: {', '.join(existing)} exists already; --force replaces it"
        )


def check_packages(options: ExportOptions) -> None:
    """Refuse to begin without the packages that an export needs.

    Raises:
        MissingExtraError: If one is not installed.
    """
    for format in ("tflite", *options.formats):
        require_packages(EXPORTING[format], purpose="exporting a model", extra="train")


def _add_source(spec: ModelSpec, source_sha256: str) -> ModelSpec:
    return changed(spec, provenance=changed(spec.provenance, source_sha256=source_sha256))
