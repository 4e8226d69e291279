"""From a folder of files to usable images in three splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.dataset.ingest.archive import check_data, check_source, open_data
    from edgeemo.dataset.ingest.ingestion import ingest_folder
    from edgeemo.dataset.ingest.lookup import locate_files
    from edgeemo.dataset.ingest.options import Dataset, IngestOptions, IngestSummary

__all__ = [
    "Dataset",
    "IngestOptions",
    "IngestSummary",
    "check_data",
    "check_source",
    "ingest_folder",
    "locate_files",
    "open_data",
]

__getattr__ = import_on_use(
    __name__,
    {
        "Dataset": "edgeemo.dataset.ingest.options",
        "IngestOptions": "edgeemo.dataset.ingest.options",
        "IngestSummary": "edgeemo.dataset.ingest.options",
        "check_data": "edgeemo.dataset.ingest.archive",
        "check_source": "edgeemo.dataset.ingest.archive",
        "ingest_folder": "edgeemo.dataset.ingest.ingestion",
        "locate_files": "edgeemo.dataset.ingest.lookup",
        "open_data": "edgeemo.dataset.ingest.archive",
    },
)
