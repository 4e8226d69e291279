"""Storage of a study: a file, or a database that several machines reach."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from edgeemo.errors import StudyError, install_command
from edgeemo.utils.text import first_line

_SQLITE = (".db", ".sqlite", ".sqlite3")
_CONNECT_SECONDS = 10
"""Seconds to wait for the first reply of a database."""

_BUSY_SECONDS = 60
"""Seconds to wait while another process writes to an SQLite file."""

_WITH_CONNECT_TIMEOUT = ("psycopg2", "psycopg", "pymysql", "mysqldb")
"""Drivers with an option "connect_timeout"."""


def open_storage(optuna: Any, storage: str) -> Any:
    """Return Optuna's storage for a file or URL.

    Args:
        optuna: The package optuna.
        storage: A URL that SQLAlchemy takes, such as ``postgresql://user@host/database``, or a
            ``redis://`` one; or a path: of an SQLite file if it ends in .db, .sqlite or .sqlite3,
            else of a journal, to which processes on several machines may append in a shared folder.

    Returns:
        An ``optuna.storages.BaseStorage``.

    Raises:
        StudyError: If the file is something else.
        Exception: Any that the database raises.
    """
    journal = optuna.storages.journal
    if storage.startswith(("redis://", "rediss://")):
        return optuna.storages.JournalStorage(journal.JournalRedisBackend(storage))
    if "://" in storage:
        return _open_database(optuna, storage)
    path = Path(storage)
    if path.suffix.lower() in _SQLITE:
        return _open_database(optuna, f"sqlite:///{path}")
    _check_journal(path)
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path)))


def hide_password(storage: str) -> str:
    """Return a storage without its password, for messages."""
    return re.sub(r"(://[^/@:]*):[^@]*@", r"\1:***@", storage)


def describe_cause(error: BaseException) -> str:
    """Return the root cause of an exception in a few words."""
    while True:
        cause = getattr(error, "orig", None) or error.__cause__
        if not isinstance(cause, BaseException):
            break
        error = cause
    if isinstance(error, ModuleNotFoundError):
        return f"the driver {error.name} is not installed ({install_command(error.name or '')})"
    return first_line(getattr(error, "strerror", None) or error)


def _open_database(optuna: Any, url: str) -> Any:
    """Open a database; its tables are made if they are missing."""
    from sqlalchemy.exc import SQLAlchemyError

    kwargs = _configure_engine(url)
    try:
        return optuna.storages.RDBStorage(url, engine_kwargs=kwargs)
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError):
        time.sleep(1)  # another process may have made the tables in the meantime
        return optuna.storages.RDBStorage(url, engine_kwargs=kwargs)


def _configure_engine(url: str) -> dict[str, Any]:
    """Return arguments of SQLAlchemy's engine against endless waits and lost connections."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": _BUSY_SECONDS}}
    kwargs: dict[str, Any] = {"pool_pre_ping": True}
    if parsed.get_driver_name() in _WITH_CONNECT_TIMEOUT:
        kwargs["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    return kwargs


def _check_journal(path: Path) -> None:
    """Refuse to append to a file that is no journal."""
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as stream:
            if stream.read(1) != b"{":
                raise StudyError(
                    f"{path}: not the file of a study; choose another --storage, or end the name "
                    "of an SQLite file in .db"
                )
