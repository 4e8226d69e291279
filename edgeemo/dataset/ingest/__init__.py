"""From a folder of files to usable images in three splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.dataset.ingest.collection import (
        Collection,
        check_collections,
        name_collections,
        open_collections,
        parse_collection,
    )
    from edgeemo.dataset.ingest.decisions import Decisions, read_decisions
    from edgeemo.dataset.ingest.ingestion import ingest_folder
    from edgeemo.dataset.ingest.lookup import locate_files
    from edgeemo.dataset.ingest.mixture import ingest_collections
    from edgeemo.dataset.ingest.options import (
        CollectionPart,
        Dataset,
        IngestOptions,
        IngestSummary,
    )
    from edgeemo.dataset.ingest.sources import (
        check_data,
        check_images,
        check_source,
        open_data,
        open_images,
    )

__all__ = [
    "Collection",
    "CollectionPart",
    "Dataset",
    "Decisions",
    "IngestOptions",
    "IngestSummary",
    "check_collections",
    "check_data",
    "check_images",
    "check_source",
    "ingest_collections",
    "ingest_folder",
    "locate_files",
    "name_collections",
    "open_collections",
    "open_data",
    "open_images",
    "parse_collection",
    "read_decisions",
]

__getattr__ = import_on_use(
    __name__,
    {
        "Collection": "edgeemo.dataset.ingest.collection",
        "CollectionPart": "edgeemo.dataset.ingest.options",
        "check_collections": "edgeemo.dataset.ingest.collection",
        "ingest_collections": "edgeemo.dataset.ingest.mixture",
        "name_collections": "edgeemo.dataset.ingest.collection",
        "open_collections": "edgeemo.dataset.ingest.collection",
        "parse_collection": "edgeemo.dataset.ingest.collection",
        "Dataset": "edgeemo.dataset.ingest.options",
        "Decisions": "edgeemo.dataset.ingest.decisions",
        "read_decisions": "edgeemo.dataset.ingest.decisions",
        "IngestOptions": "edgeemo.dataset.ingest.options",
        "IngestSummary": "edgeemo.dataset.ingest.options",
        "check_data": "edgeemo.dataset.ingest.sources",
        "check_images": "edgeemo.dataset.ingest.sources",
        "check_source": "edgeemo.dataset.ingest.sources",
        "ingest_folder": "edgeemo.dataset.ingest.ingestion",
        "locate_files": "edgeemo.dataset.ingest.lookup",
        "open_data": "edgeemo.dataset.ingest.sources",
        "open_images": "edgeemo.dataset.ingest.sources",
    },
)
