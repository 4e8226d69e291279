"""Where a study is kept: a file, or a database that several machines reach."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from edgeemo.errors import StudyError, install_command
from edgeemo.utils.text import first_line

_SQLITE = (".db", ".sqlite", ".sqlite3")
_PATIENCE = 10
"""Seconds to wait for a database's first answer."""

_BUSY = 60
"""Seconds to wait while another process writes to an SQLite file."""

_TAKES_TIMEOUT = ("psycopg2", "psycopg", "pymysql", "mysqldb")
"""Drivers that call the longest wait "connect_timeout"."""


def opened(optuna: Any, storage: str) -> Any:
    """Optuna's storage for what a user names.

    Args:
        optuna: The package.
        storage: A URL that SQLAlchemy takes, such as ``postgresql://user@host/database``, or a
            ``redis://`` one; or a path: of an SQLite file if it ends in .db, .sqlite or .sqlite3,
            else of a journal, to which processes on several machines may append in a shared folder.

    Returns:
        An ``optuna.storages.BaseStorage``.

    Raises:
        StudyError: If the file is something else.
        Exception: Of whatever kind the database raises.
    """
    journal = optuna.storages.journal
    if storage.startswith(("redis://", "rediss://")):
        return optuna.storages.JournalStorage(journal.JournalRedisBackend(storage))
    if "://" in storage:
        return _database(optuna, storage)
    path = Path(storage)
    if path.suffix.lower() in _SQLITE:
        return _database(optuna, f"sqlite:///{path}")
    _check_journal(path)
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path)))


def shown(storage: str) -> str:
    """The storage as a message may show it: without a password."""
    return re.sub(r"(://[^/@:]*):[^@]*@", r"\1:***@", storage)


def describe_cause(error: BaseException) -> str:
    """What an exception and those behind it come to, in a few words."""
    while True:
        deeper = getattr(error, "orig", None) or error.__cause__
        if not isinstance(deeper, BaseException):
            break
        error = deeper
    if isinstance(error, ModuleNotFoundError):
        return f"the driver {error.name} is not installed ({install_command(error.name or '')})"
    return first_line(getattr(error, "strerror", None) or error)


def _database(optuna: Any, url: str) -> Any:
    """A database, whose tables are made if need be."""
    from sqlalchemy.exc import SQLAlchemyError

    kwargs = _engine(url)
    try:
        return optuna.storages.RDBStorage(url, engine_kwargs=kwargs)
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError):
        time.sleep(1)  # where another process made the tables at this very moment, they are there
        return optuna.storages.RDBStorage(url, engine_kwargs=kwargs)


def _engine(url: str) -> dict[str, Any]:
    """What SQLAlchemy's engine needs so that it neither waits for ever nor uses a dead line."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": _BUSY}}
    kwargs: dict[str, Any] = {"pool_pre_ping": True}
    if parsed.get_driver_name() in _TAKES_TIMEOUT:
        kwargs["connect_args"] = {"connect_timeout": _PATIENCE}
    return kwargs


def _check_journal(path: Path) -> None:
    """Refuse to append to a file that is no journal."""
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as stream:
            if stream.read(1) != b"{":
                raise StudyError(
                    f"{path}: not a study's file; choose another --storage, or end its name in "
                    ".db if it is an SQLite file"
                )
