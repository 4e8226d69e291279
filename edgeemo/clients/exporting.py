"""From verified files to files for other programs: make them, prove them equal, write them."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.clients.c_array import FOLDER, make_c_array
from edgeemo.clients.forms import choose_tflite, make_forms
from edgeemo.clients.images import open_images
from edgeemo.clients.notes import list_notes
from edgeemo.clients.options import ClientOptions
from edgeemo.clients.proof import Witness
from edgeemo.clients.record import build_record
from edgeemo.clients.result import ClientExport, ClientFile
from edgeemo.errors import DatasetError, ImageError, ModelFolderError
from edgeemo.imaging.faces import build_crop_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.detector_file import find_detector_file
from edgeemo.model.folder import ModelFolder, to_json
from edgeemo.model.verified import VERIFY_JSON, find_verification
from edgeemo.utils.extras import require_packages
from edgeemo.utils.files import check_writable, new_folder, sha256_file
from edgeemo.utils.progress import Silent
from edgeemo.verify.comparison import compare_predictions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.clients.forms import FormFile
    from edgeemo.clients.images import ProofImages
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

CLIENT = "client"
"""Folder of the files for other programs in a model folder."""


def export_clients(
    folder: StrPath,
    *,
    options: ClientOptions | None = None,
    out: StrPath | None = None,
    data: StrPath | None = None,
    progress: Progress | None = None,
) -> ClientExport:
    """Make files for other programs of the verified files of a model folder.

    Each form is a folder that is written whole, with its labels and a ``verify.json``, after all
    files were proved to predict as the verified ones. The same files give the same bytes.

    Args:
        folder: A model folder, or a shipped model's.
        options: The forms; by default the general one.
        out: Folder to write the forms into; by default ``client`` in the model folder.
        data: Folder or .zip of the images; by default that of the training.
        progress: Gets the stages.

    Raises:
        ModelFolderError: If nothing was exported yet, or no file of a format is verified.
        ExportError: If a file's input or output is not as edgeemo exports it.
        ParityError: If a file predicts otherwise than the verified one; nothing is written.
        DatasetError: If a test image cannot be found or read.
        MissingExtraError: If onnx or an engine is not installed.
        OSError: If a file cannot be written.
    """
    options, opened = options or ClientOptions(), ModelFolder(Path(folder))
    progress = progress or Silent()
    opened.refuse_adopted()
    files = _find_verified(opened, options)
    place = Path(out) if out else opened.file(CLIENT)
    require_packages(("flatbuffers",), purpose="files for other programs")
    if any(path.suffix == ".onnx" for path in files) and "general" in options.forms:
        require_packages(("onnx",), purpose="the client form of .onnx files")
    check_writable(place)
    name, spec = opened.path.resolve().name, opened.read_spec()
    c_array, sources = None, dict[str, str]()
    if options.c_array:
        path = choose_tflite(files, purpose="--c-array")
        c_array, sources = make_c_array(path, name, place=place)
    progress.stage("Making the client files")
    forms = list(make_forms(files, name, options))
    proved: tuple[tuple[FormFile, ClientFile], ...] = ()
    images = ""
    if forms:
        with open_images(opened, None if data is None else Path(data), progress=progress) as shown:
            proved, images = _prove(forms, opened, shown, place, progress), shown.name
    _write(place, proved, sources)
    made = tuple(file for _, file in proved)
    notes = [*list_notes(spec, made), *(c_array.list_notes() if c_array else ())]
    return ClientExport(
        folder=place,
        images=images,
        files=made,
        c_array=c_array,
        notes=tuple(notes),
    )


def _find_verified(folder: ModelFolder, options: ClientOptions) -> list[Path]:
    exported = [path for path in folder.list_exported() if path.suffix[1:] in options.formats]
    if not exported:
        formats = " or ".join(f".{each}" for each in options.formats)
        raise ModelFolderError(
            f"{folder.path}: no exported {formats} file; run 'edgeemo export {folder.path}'"
        )
    found = {path: find_verification(path, sha256=sha256_file(path)) for path in exported}
    verified = [path for path, entry in found.items() if entry and entry.passed]
    if not verified:
        raise ModelFolderError(
            f"{folder.path}: no exported file is verified; run 'edgeemo verify {folder.path}'"
        )
    return verified


def _prove(
    forms: Sequence[FormFile],
    folder: ModelFolder,
    images: ProofImages,
    place: Path,
    progress: Progress,
) -> tuple[tuple[FormFile, ClientFile], ...]:
    """Return the files with their proof, of several candidates for a place the closest one."""
    witnesses = [
        Witness(verified=form.verified, client=form.model, same_size=form.same_size)
        for form in forms
    ]
    spec = folder.read_spec()
    if images.are_drawn:
        spec = replace(spec, faces=None)  # a drawn face need not be one to a detector
    detector = build_crop_detector(spec, file=find_detector_file(spec.faces, folder.path))
    progress.stage("Comparing with the verified files", total=len(images.sources))
    for source in images.sources:
        try:
            _compare(witnesses, source, spec, detector)
        except ImageError as error:
            if images.references:
                raise DatasetError(f"{error}; it is a test image: restore it") from None
        progress.advance()
    if not witnesses[0].scores:
        raise DatasetError(f"none of the {len(images.sources):,} {images.name} can be read")
    best: dict[str, tuple[FormFile, ClientFile]] = {}
    for form, witness in zip(forms, witnesses, strict=True):
        file = _conclude(form, witness, images, place)
        if form.place not in best or file.equality.is_closer(best[form.place][1].equality):
            best[form.place] = (form, file)
    return tuple(best.values())


def _compare(
    witnesses: Sequence[Witness],
    source: Path | bytes,
    spec: ModelSpec,
    detector: FaceDetector | None,
) -> None:
    pixels = preprocess(source, spec, detector=detector)
    own = {}
    for witness in witnesses:
        shape = witness.client.spec.input_shape
        if shape not in own:
            client = replace(witness.client.spec, faces=spec.faces)
            own[shape] = preprocess(source, client, detector=detector)
        witness.compare(pixels, own[shape])


def _conclude(form: FormFile, witness: Witness, images: ProofImages, place: Path) -> ClientFile:
    import numpy as np

    equality, measured = witness.conclude(), None
    if images.references:
        measured = compare_predictions(
            images.references, np.array(witness.scores), spec=form.verified.spec
        )
    return ClientFile(
        path=place / form.place,
        form=form.form,
        kind=form.kind,
        made_of=Path(form.verified.path).name,
        made_of_sha256=form.verified.sha256,
        size_bytes=form.model.size_bytes,
        sha256=form.model.sha256,
        engine=witness.engine,
        equality=equality,
        measured=measured,
    )


def _write(
    place: Path, proved: Sequence[tuple[FormFile, ClientFile]], sources: Mapping[str, str]
) -> None:
    """Write every folder whole, and rename them into place when all are complete."""
    folders: dict[str, dict[str, bytes | str]] = defaultdict(dict)
    records: dict[str, list[ClientFile]] = defaultdict(list)
    for form, file in proved:
        folder, _, name = form.place.rpartition("/")
        labels = "\n".join(form.model.spec.labels) + "\n"
        folders[folder] |= {name: form.content, "labels.txt": labels, "labelmap.txt": labels}
        records[folder].append(file)
    for folder, files in records.items():
        folders[folder][VERIFY_JSON] = to_json(build_record(files))
    if sources:
        folders[FOLDER] |= sources
    with ExitStack() as stack:
        for folder, contents in folders.items():
            partial = stack.enter_context(new_folder(place / folder, replace=True))
            for name, content in contents.items():
                text = content.encode() if isinstance(content, str) else content
                (partial / name).write_bytes(text)
