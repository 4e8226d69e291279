"""Options of where work is done and kept, checked before any slow work. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import OptionError
from edgeemo.utils.extras import require_packages

if TYPE_CHECKING:
    from edgeemo.utils.paths import StrPath


def check_options(*, cluster: str | None, keep: StrPath | None, resume: bool, again: bool) -> None:
    """Refuse options that exclude each other, and missing packages.

    Args:
        cluster: Of --cluster.
        keep: Of --keep.
        resume: Of --resume.
        again: Of --again.

    Raises:
        MissingExtraError: If a package is missing.
        OptionError: If --resume and --again are given together, or one without --keep.
    """
    if keep is None and (resume or again):
        raise OptionError(f"{'--resume' if resume else '--again'} requires --keep")
    if resume and again:
        raise OptionError("--resume excludes --again")
    if keep is not None:
        require_packages(("pyarrow",), purpose=f"--keep {keep}", extra="cluster")
    if cluster is not None:
        require_packages(("ray", "pyarrow"), purpose=f"--cluster {cluster}", extra="cluster")
