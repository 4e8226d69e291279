"""The files of each form, made of the verified files, before they are proved and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from edgeemo.clients.onnx_form import make_onnx_form
from edgeemo.clients.tflite_form import make_client_spec, make_tflite_form
from edgeemo.errors import ModelFolderError
from edgeemo.model.container import read_engine_model, seal, unseal, unseal_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgeemo.clients.options import ClientOptions, Form
    from edgeemo.model.container import Kind, SealedModel

FRIGATE_SIDE = 224
"""Height and width of the images that Frigate gives to a classifier."""


@dataclass(frozen=True, kw_only=True)
class FormFile:
    """A file for another program, not yet written.

    Attributes:
        form: Its form.
        place: Its place in the folder of all forms, with forward slashes.
        kind: Its kind.
        verified: The verified file that it was made of.
        model: The file.
        same_size: The same form at the size of the verified file; `model` itself where it has it.
    """

    form: Form
    place: str
    kind: Kind
    verified: SealedModel
    model: SealedModel
    same_size: SealedModel

    @property
    def content(self) -> bytes:
        """Return the bytes of the file."""
        return self.model.content or b""


def make_forms(files: Sequence[Path], name: str, options: ClientOptions) -> Iterator[FormFile]:
    """Yield the files of the requested forms; several of one place are candidates for it.

    Args:
        files: The verified files, in the order of `edgeemo.model.folder.EXPORTED`.
        name: Name of the model.
        options: The forms.

    Raises:
        ModelFolderError: If no file is suitable for a form.
    """
    for form in options.forms:
        if form == "general":
            chosen = [path for path in files if path.suffix[1:] in options.formats]
            yield from (_make_general(path, options) for path in chosen)
        elif form == "frigate":
            path = choose_tflite(files, purpose="--client frigate")
            yield from (_make_frigate(path, name, averages) for averages in (False, True))
        else:
            path = choose_tflite(files, purpose="--client mediapipe")
            yield _make_tflite(path, form, f"mediapipe/{name}.tflite")


def choose_tflite(files: Sequence[Path], *, purpose: str) -> Path:
    """Return int8.tflite, else float32.tflite.

    Raises:
        ModelFolderError: If none of them is there.
    """
    names = {path.name: path for path in files}
    for name in ("int8.tflite", "float32.tflite"):
        if name in names:
            return names[name]
    raise ModelFolderError(
        f"{purpose} requires a verified int8.tflite or float32.tflite; run 'edgeemo export'"
    )


def _make_general(path: Path, options: ClientOptions) -> FormFile:
    if path.suffix == ".tflite":
        return _make_tflite(path, "general", f"general/{path.name}")
    layout = "" if options.layout == "nhwc" else f"-{options.layout}"
    place = f"general/{path.stem}{layout}.onnx"
    verified, kind = unseal(path), cast("Kind", path.stem)
    spec = verified.spec
    model = make_onnx_form(read_engine_model(path), spec, layout=options.layout)
    sealed = unseal_bytes(seal(model, make_client_spec(spec), format="onnx"), name=place)
    return FormFile(
        form="general", place=place, kind=kind, verified=verified, model=sealed, same_size=sealed
    )


def _make_tflite(path: Path, form: Form, place: str) -> FormFile:
    verified = unseal(path)
    sealed = _seal_tflite(path, verified, place)
    return FormFile(
        form=form,
        place=place,
        kind=cast("Kind", path.stem),
        verified=verified,
        model=sealed,
        same_size=sealed,
    )


def _make_frigate(path: Path, name: str, averages: bool) -> FormFile:
    verified, place = unseal(path), f"frigate/{name}/model.tflite"
    return FormFile(
        form="frigate",
        place=place,
        kind=cast("Kind", path.stem),
        verified=verified,
        model=_seal_tflite(path, verified, place, side=FRIGATE_SIDE, averages=averages),
        same_size=_seal_tflite(path, verified, place),
    )


def _seal_tflite(
    path: Path,
    verified: SealedModel,
    place: str,
    *,
    side: int | None = None,
    averages: bool = False,
) -> SealedModel:
    spec = verified.spec
    model = make_tflite_form(
        read_engine_model(path),
        spec,
        side=side,
        averages=averages,
    )
    own = make_client_spec(spec, side=side)
    return unseal_bytes(seal(model, own, format="tflite"), name=place)
