"""Where Optuna keeps studies: a journal file or a database, and what is said where that cannot be used."""

import contextlib
import functools
import json
import sys
from collections.abc import Iterator

import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mnist_core.errors import SearchError
from mnist_core.files import reason

optuna.logging.set_verbosity(optuna.logging.ERROR)


# One for each place in a process: it keeps what it has read.
@functools.lru_cache(maxsize=16)
def opened(url: str) -> optuna.storages.BaseStorage:
    """The database at the URL, such as postgresql://user@host/name."""
    return optuna.storages.RDBStorage(url)


@functools.lru_cache(maxsize=16)
def journal(path: str) -> optuna.storages.BaseStorage:
    """The journal file, which is made where it is not there; its folder is."""
    lock = JournalFileOpenLock(path) if sys.platform == "win32" else None  # there links need rights of their own
    return optuna.storages.JournalStorage(JournalFileBackend(path, lock_obj=lock))


def without_password(url: str) -> str:
    """The URL as it may be shown; itself where it is none."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the storage"


@contextlib.contextmanager
def errors(where: str) -> Iterator[None]:
    """Raise SearchError for whatever a storage raises where it cannot be reached, read or written."""
    try:
        yield
    except ArgumentError as error:
        raise SearchError("The storage is no database's URL, such as postgresql://user@host/name.") from error
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = str(getattr(error, "orig", None) or error.__cause__ or error).strip().splitlines()
        raise SearchError(
            f"The database of the searches, {where}, cannot be used: {cause[0][:300] if cause else error}."
        ) from error
    except ImportError as error:
        module = getattr(error.__cause__, "name", None) or "its driver"
        raise SearchError(f"{where} needs {module}, which is not installed: pip install it.") from error
    except json.JSONDecodeError as error:
        raise SearchError(f"The searches in {where} are damaged: {error}.") from error
    except OSError as error:
        raise SearchError(f"The searches in {where} cannot be read or saved: {reason(error)}.") from error
