"""Export of one model to its files: conversion, checks, and places."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from edgeemo.errors import ExportError
from edgeemo.export.description import add_description
from edgeemo.export.file_checks import Expectation, check
from edgeemo.export.options import ExportedFile
from edgeemo.model.container import SealedModel, seal
from edgeemo.utils.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.export.convert import Converter
    from edgeemo.model.container import Format, Kind
    from edgeemo.model.quantisation import Choice, Quantisation
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """Export of one model: conversion, checks, and the files.

    Attributes:
        converter: Converter of the network.
        expected: Predictions and sizes to hold the files against.
        warnings: Warnings about the int8 files.
        quantisation: How int8 files are quantised.
        chosen: How `--auto` has that of a format quantised, and how it chose that.
    """

    converter: Converter
    expected: Expectation
    warnings: tuple[str, ...]
    quantisation: Quantisation
    chosen: Mapping[Format, tuple[Quantisation, Choice]] = field(default_factory=dict)

    def export_all(
        self, paths: Sequence[Path], places: ExitStack, progress: Progress
    ) -> tuple[tuple[ExportedFile, ...], ExportError | None]:
        """Write every file under a hidden name that `places` renames when it closes.

        Where a format cannot be made, none of its files are, and the other format's are kept.

        Returns:
            The files, and why a format could not be made.

        Raises:
            ExportError: If none can be made.
        """
        progress.stage("Converting and checking", total=len(paths))
        files: list[ExportedFile] = []
        failures = []
        for format in dict.fromkeys(path.suffix for path in paths):
            try:
                with ExitStack() as own:
                    made = self._export_format(
                        [path for path in paths if path.suffix == format], own, progress
                    )
                    places.push(own.pop_all())
                files += made
            except ExportError as error:
                failures.append(error)
        failure = ExportError("; ".join(map(str, failures))) if failures else None
        if failure and not files:
            raise failure
        return tuple(files), failure

    def _export_format(
        self, paths: Sequence[Path], places: ExitStack, progress: Progress
    ) -> list[ExportedFile]:
        files = []
        for path in paths:
            progress.advance(0, detail=path.name)  # whoever watches knows it if this crashes
            files.append(self._export(path, places.enter_context(replacing(path))))
            progress.advance(detail=path.name)
        return files

    def _export(self, path: Path, partial: Path) -> ExportedFile:
        kind, format = cast("Kind", path.stem), cast("Format", path.suffix[1:])
        quantisation, choice = self.chosen.get(format, (self.quantisation, None))
        spec = self.converter.spec
        model = self.converter.convert(kind, format, quantisation=quantisation)
        content = seal(add_description(model, spec, format=format), spec, format=format)
        partial.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        candidate = SealedModel(
            path=str(partial), format=format, spec=spec, sha256=sha256, size_bytes=len(content)
        )
        is_int8 = kind == "int8"
        return ExportedFile(
            path=path,
            format=format,
            kind=kind,
            size_bytes=len(content),
            sha256=sha256,
            partitions=check(
                candidate, kind, self.expected, allow_float=is_int8 and quantisation.has_floats
            ),
            warnings=self.warnings if is_int8 else (),
            quantisation=quantisation if is_int8 else None,
            choice=choice if is_int8 else None,
        )
