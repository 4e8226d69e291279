"""From a folder of files to usable images in three splits; practice faces.

    >>> from edgeemo.dataset import ingest_folder, open_data
    >>> with open_data(Path("faces.zip")) as folder:  # doctest: +SKIP
    ...     dataset = ingest_folder(folder)

`ingest_folder` and the packages `check` and `write` require the ``data`` extra; the rest runs
on the light install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.dataset.face_sample import FaceSample, sample_faces
    from edgeemo.dataset.ingest import (
        Collection,
        CollectionPart,
        Dataset,
        IngestOptions,
        IngestSummary,
        check_collections,
        check_data,
        check_images,
        check_source,
        ingest_collections,
        ingest_folder,
        locate_files,
        name_collections,
        open_collections,
        open_data,
        open_images,
        parse_collection,
        read_decisions,
    )
    from edgeemo.dataset.synthetic import (
        DATA_FOLDER,
        PRACTICE_FOLDER,
        choose_data,
        draw_faces,
        draw_golden_images,
        ensure_practice_faces,
    )
    from edgeemo.dataset.write import FACES_JSON, read_faces_json

__all__ = [
    "DATA_FOLDER",
    "FACES_JSON",
    "PRACTICE_FOLDER",
    "Collection",
    "CollectionPart",
    "Dataset",
    "FaceSample",
    "IngestOptions",
    "IngestSummary",
    "check_collections",
    "check_data",
    "check_images",
    "check_source",
    "choose_data",
    "draw_faces",
    "draw_golden_images",
    "ensure_practice_faces",
    "ingest_collections",
    "ingest_folder",
    "locate_files",
    "name_collections",
    "open_collections",
    "open_data",
    "open_images",
    "parse_collection",
    "read_decisions",
    "read_faces_json",
    "sample_faces",
]

__getattr__ = import_on_use(
    __name__,
    {
        "DATA_FOLDER": "edgeemo.dataset.synthetic",
        "FACES_JSON": "edgeemo.dataset.write",
        "FaceSample": "edgeemo.dataset.face_sample",
        "sample_faces": "edgeemo.dataset.face_sample",
        "PRACTICE_FOLDER": "edgeemo.dataset.synthetic",
        "Collection": "edgeemo.dataset.ingest",
        "CollectionPart": "edgeemo.dataset.ingest",
        "Dataset": "edgeemo.dataset.ingest",
        "IngestOptions": "edgeemo.dataset.ingest",
        "IngestSummary": "edgeemo.dataset.ingest",
        "check_collections": "edgeemo.dataset.ingest",
        "ingest_collections": "edgeemo.dataset.ingest",
        "name_collections": "edgeemo.dataset.ingest",
        "open_collections": "edgeemo.dataset.ingest",
        "parse_collection": "edgeemo.dataset.ingest",
        "check_data": "edgeemo.dataset.ingest",
        "check_images": "edgeemo.dataset.ingest",
        "check_source": "edgeemo.dataset.ingest",
        "choose_data": "edgeemo.dataset.synthetic",
        "draw_faces": "edgeemo.dataset.synthetic",
        "draw_golden_images": "edgeemo.dataset.synthetic",
        "ensure_practice_faces": "edgeemo.dataset.synthetic",
        "ingest_folder": "edgeemo.dataset.ingest",
        "locate_files": "edgeemo.dataset.ingest",
        "open_data": "edgeemo.dataset.ingest",
        "open_images": "edgeemo.dataset.ingest",
        "read_decisions": "edgeemo.dataset.ingest",
        "read_faces_json": "edgeemo.dataset.write",
    },
)
