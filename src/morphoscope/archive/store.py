"""The archive as an open file: connections, transactions, and the counter that tells readers what is new.

Any number of threads and processes may read and write. Each thread has its own connection; a writer takes its turn.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from morphoscope.archive.network_share import network_share
from morphoscope.archive.tables import is_current, migrate
from morphoscope.errors import ArchiveError

PATIENCE_S = 60.0
"""How long a writer waits for its turn."""
_SQLITE_SIGNATURE = b"SQLite format 3\0"


class Archive:
    """An archive file. `with Archive.open("lab.archive") as archive: …`"""

    def __init__(self, path: Path) -> None:
        """Use `open`."""
        self.path = path
        self.caches: dict[str, object] = {}
        """What was worked out of the tables, by name; each holder checks it against `revision`."""
        self.cache_lock = threading.RLock()
        self._mine = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: str | Path, *, must_exist: bool = False) -> Archive:
        """Opens an archive, a new one where there is none. Raises ArchiveError for what is no archive or can't be one."""
        place = Path(path)
        _check_place(place, must_exist)
        archive = cls(place)
        try:
            connection = archive.connection
            if not is_current(connection):
                migrate(connection, str(place))
        except sqlite3.Error as error:
            archive.close()
            raise _unusable(place, error) from error
        except BaseException:
            archive.close()
            raise
        return archive

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, for reading. Outside of `writing` it changes nothing."""
        found: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = _connected(self.path)
            with self._lock:
                self._all.append(found)
        return found

    @property
    def revision(self) -> int:
        """Counts up with every transaction that changed something, whoever made it."""
        (revision,) = self.connection.execute("SELECT revision FROM archive").fetchone()
        return int(revision)

    @property
    def stamp(self) -> str:
        """Names the archive's present state, and no other state of any archive."""
        (stamp,) = self.connection.execute("SELECT stamp FROM archive").fetchone()
        return str(stamp)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the archive for several questions, whatever others write meanwhile. Nothing is to be written inside."""
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing. Inside, `revision` is already the new number.

        Raises ArchiveError where the disk is full or the file can't be written.
        """
        connection = self.connection
        if connection.in_transaction:  # a step of a larger one
            yield connection
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("UPDATE archive SET revision = revision + 1, stamp = lower(hex(randomblob(16)))")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise ArchiveError(
                f"{self.path}: the archive can't be written ({error}); expected a writable place with room. Make room or close "
                "the program that holds it; what was written until now is kept."
            ) from error

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._mine = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Closes it. Raises ArchiveError in place of SQLite's error about a damaged file or a full disk."""
        self.close()
        if isinstance(error, sqlite3.Error):
            raise _unusable(self.path, error) from error


def now() -> str:
    """The time as the archive writes it: ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _check_place(path: Path, must_exist: bool) -> None:
    if path.is_dir():
        raise ArchiveError(f"--archive {path}: it is a folder; expected a file such as {path / 'lab.archive'}. Add the name.")
    if share := network_share(path.parent):
        raise ArchiveError(
            f"--archive {path}: it lies on a network share ({share}), where SQLite's log can lose data; expected a disk of this "
            "machine. Put the archive on a local disk; the pictures may stay on the share."
        )
    if not path.exists():
        if must_exist:
            raise ArchiveError(
                f"--archive {path}: there is no such file; expected an archive. Make one with `morphoscope index PICTURES "
                f"--archive {path}`."
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(
                f"--archive {path}: its folder can't be made ({error.strerror}); expected a place to write. Choose another --archive."
            ) from error
        return
    with path.open("rb") as file:
        start = file.read(len(_SQLITE_SIGNATURE))
    if start and start != _SQLITE_SIGNATURE:
        raise ArchiveError(
            f"--archive {path}: it is no archive (it is no SQLite file); expected one that `morphoscope index` made, or a new name. "
            "Choose another --archive."
        )


def _connected(path: Path) -> sqlite3.Connection:
    """A connection in which every statement is its own transaction unless one is begun."""
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    # Changing the journal doesn't wait for its turn by itself.
    for attempt in range(100):
        try:
            (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 99:
                connection.close()
                raise
            time.sleep(0.05)
    if journal != "wal":
        connection.close()
        raise ArchiveError(
            f"--archive {path}: its file system has no shared memory for SQLite's log (journal mode '{journal}'); expected a disk of "
            "this machine. Put the archive on a local disk."
        )
    # In this mode a killed process loses nothing, and a power cut at most the last transactions, never the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA mmap_size = 1073741824")
    connection.execute("PRAGMA cache_size = -65536")
    return connection


def _unusable(path: Path, error: sqlite3.Error) -> ArchiveError:
    return ArchiveError(
        f"--archive {path}: the file can't be used ({error}); expected an archive in a folder that can be written. Check its "
        "rights, or take a copy that was made while nobody wrote."
    )
