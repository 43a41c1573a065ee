"""Where the workers of a sweep meet: a journal file, or a database by its URL.

Optuna's journal file is one line for each change.  A worker that is killed in the middle of a write leaves
half a line, which would break the study for everybody, and a lock, for which everybody would wait.  So the
lock is the kernel's, which ends with its process, and whoever writes next cuts half a line off.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from capture.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_TAIL = 1 << 20  # bytes in which the last line break is looked for first


def open_storage(where: str) -> BaseStorage:
    """The storage at a path or URL.  Raises UserError where there is none and none can be made."""
    warnings.filterwarnings("ignore", module="optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if "://" in where:
        return _database(where)
    try:
        os.makedirs(os.path.dirname(os.path.abspath(where)), exist_ok=True)
        return JournalStorage(SafeJournal(where))
    except OSError as error:
        raise UserError(f"--storage {where}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"--storage {where}: this is not the journal of a sweep") from None


def _database(url: str) -> BaseStorage:
    kind, _, rest = url.partition("://")
    if kind in ("postgresql", "postgres"):
        kind = "postgresql"
        if find_spec("psycopg2") is None:
            if find_spec("psycopg") is None:
                raise UserError("--storage postgresql://... needs psycopg: pip install 'psycopg[binary]'")
            kind = "postgresql+psycopg"
    try:
        return optuna.storages.get_storage(
            RDBStorage(f"{kind}://{rest}", engine_kwargs={"pool_pre_ping": True})
        )
    except ImportError as error:
        raise UserError(f"--storage {kind}://...: {error}") from None
    except Exception as error:  # each driver has errors of its own
        raise UserError(f"--storage {kind}://...: {reason(error)}") from None


def errors() -> tuple[type[Exception], ...]:
    """What a storage raises that can't be reached."""
    found: list[type[Exception]] = [OSError, StorageInternalError]
    if database := sys.modules.get("sqlalchemy.exc"):
        found.append(database.SQLAlchemyError)
    return tuple(found)


def reason(error: Exception) -> str:
    """What has gone wrong, in one line."""
    text = str(getattr(error, "orig", None) or error).strip().splitlines()
    return text[0] if text else type(error).__name__


class SafeJournal(JournalFileBackend):
    """A journal file that torn lines and killed workers don't break."""

    def __init__(self, path: str) -> None:
        super().__init__(path, JournalFileOpenLock(path))
        self._place = (0, 0)  # how many logs have been read, and where the next one begins
        self._lock_fd = -1

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The logs from this number on, up to half a line."""
        number, offset = self._place if self._place[0] <= log_number_from else (0, 0)
        with open(self._file_path, "rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                try:
                    log = json.loads(line)
                except ValueError:
                    continue  # for everybody the same
                number += 1
                self._place = (number, offset)
                if number > log_number_from:
                    yield log

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write the logs behind the last whole line."""
        data = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with self._locked(), open(self._file_path, "rb+") as file:
            _cut_half_line(file)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only one that writes: by the kernel's lock, by a file of Optuna's where there are none."""
        if self._lock_fd < 0 and fcntl is not None:
            # Of a file of its own: the lock would go as soon as the process closes the journal.
            self._lock_fd = os.open(f"{self._file_path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if fcntl is None:
                raise OSError(errno.ENOTSUP, "no locks")
            fcntl.lockf(self._lock_fd, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            lock = JournalFileOpenLock(f"{self._file_path}.own")
            lock.acquire()
            try:
                yield
            finally:
                lock.release()
            return
        try:
            yield
        finally:
            fcntl.lockf(self._lock_fd, fcntl.LOCK_UN)


def _cut_half_line(file: Any) -> None:
    """Cut off what a killed worker has written of a line; leave the file at its end."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return
    start = end
    while start:
        start = max(0, start - _TAIL)
        file.seek(start)
        place = file.read(min(_TAIL, end - start)).rfind(b"\n")
        if place >= 0 or start == 0:
            file.truncate(start + place + 1)
            break
    file.seek(0, os.SEEK_END)
