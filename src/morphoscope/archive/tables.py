"""The tables of an archive, and the door through which an older file becomes a current one.

Pictures stay where they are: a row holds a path, what the file says and a hash of its bytes. Numbers that a model gives are
BLOBs of little-endian floats in an order that the model's row tells, so that a hundred thousand of them load in a blink.
Answers and changes of classes are events: rows that are added and never changed.
"""

from __future__ import annotations

import sqlite3

from morphoscope.errors import ArchiveError

APPLICATION_ID = 0x4D6F7270
"""`Morp`, by which a file is known to be an archive."""

_FIRST = """
CREATE TABLE archive (
  revision INTEGER NOT NULL,   -- counts transactions that changed something
  stamp TEXT NOT NULL,         -- drawn by lot with each of them
  made_at TEXT NOT NULL
);
INSERT INTO archive VALUES (0, lower(hex(randomblob(16))), strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));

CREATE TABLE picture (
  id INTEGER PRIMARY KEY,
  revision INTEGER NOT NULL,
  path NOT NULL UNIQUE,        -- TEXT, or the file system's bytes where they are no text
  name TEXT NOT NULL,
  folder TEXT NOT NULL,
  state TEXT NOT NULL,         -- ok | error | missing | changed
  error TEXT NOT NULL DEFAULT '',
  hash TEXT NOT NULL,          -- SHA-256 of the file's bytes
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  checked_at REAL NOT NULL,    -- seconds since 1970 at which size, time and hash belonged together
  height INTEGER, width INTEGER, dtype TEXT, reader TEXT,
  pixel_size_nm REAL, pixel_size_origin TEXT,
  magnification REAL, hv_kv REAL, wd_mm REAL, tilt_deg REAL, dwell_us REAL, beam_current_na REAL,
  detector TEXT, mode TEXT, spot TEXT, instrument TEXT, date TEXT, maker TEXT,
  sample TEXT NOT NULL DEFAULT '',
  notes TEXT NOT NULL DEFAULT '',
  added_at TEXT NOT NULL,
  version TEXT NOT NULL,       -- of Morphoscope
  -- Long texts come last, so that reading the others does not pass over them.
  sheet TEXT NOT NULL DEFAULT '{}',     -- JSON: what the user's metadata sheet said
  metadata TEXT NOT NULL DEFAULT '{}'   -- JSON: every value with its origin, the evidence of the scale, notes of the reader
);
CREATE INDEX picture_by_revision ON picture (revision);
CREATE INDEX picture_by_hash ON picture (hash);

CREATE VIRTUAL TABLE words USING fts5 (
  name, folder, sample, notes, content = 'picture', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER words_of_new AFTER INSERT ON picture BEGIN
  INSERT INTO words (rowid, name, folder, sample, notes) VALUES (new.id, new.name, new.folder, new.sample, new.notes);
END;
CREATE TRIGGER words_of_changed AFTER UPDATE OF name, folder, sample, notes ON picture BEGIN
  INSERT INTO words (words, rowid, name, folder, sample, notes)
  VALUES ('delete', old.id, old.name, old.folder, old.sample, old.notes);
  INSERT INTO words (rowid, name, folder, sample, notes) VALUES (new.id, new.name, new.folder, new.sample, new.notes);
END;
CREATE TRIGGER words_of_removed AFTER DELETE ON picture BEGIN
  INSERT INTO words (words, rowid, name, folder, sample, notes)
  VALUES ('delete', old.id, old.name, old.folder, old.sample, old.notes);
END;

CREATE TABLE model (
  id INTEGER PRIMARY KEY,
  sha TEXT NOT NULL UNIQUE,    -- SHA-256 of the weights
  name TEXT NOT NULL,
  place TEXT NOT NULL,         -- the folder it was loaded from, or the name of a shipped encoder
  schema TEXT NOT NULL,        -- JSON: tasks and classes, the order of the probabilities; without tasks it only embeds
  version TEXT NOT NULL,       -- of Morphoscope, when it was first used here
  used_at TEXT NOT NULL
);

CREATE TABLE prediction (
  picture INTEGER NOT NULL REFERENCES picture,
  model INTEGER NOT NULL REFERENCES model,
  hash TEXT NOT NULL,          -- of the picture that was seen
  probabilities BLOB NOT NULL, -- float32, all classes of the first task, then of the second, …
  in_set BLOB NOT NULL,        -- a byte a class: 1 in the conformal set
  is_sure BLOB NOT NULL,       -- a byte a task: 0 where the model abstains
  novelty REAL,
  version TEXT NOT NULL,
  made_at TEXT NOT NULL,
  PRIMARY KEY (picture, model)
) WITHOUT ROWID;

CREATE TABLE embedding (
  picture INTEGER NOT NULL REFERENCES picture,
  model INTEGER NOT NULL REFERENCES model,
  vector BLOB NOT NULL,        -- float16
  PRIMARY KEY (model, picture)
) WITHOUT ROWID;

CREATE TABLE measurement (
  picture INTEGER PRIMARY KEY REFERENCES picture,
  hash TEXT NOT NULL,
  segmenter TEXT NOT NULL,
  kind TEXT NOT NULL,
  n_objects INTEGER NOT NULL,
  diameter_nm REAL,            -- median equivalent circular diameter
  length_nm REAL, wire_width_nm REAL,
  area_fraction REAL,
  summary TEXT NOT NULL,       -- JSON: the row of summary.csv
  diameters_nm BLOB NOT NULL,  -- float32, of every object that counts
  version TEXT NOT NULL,
  made_at TEXT NOT NULL
);

CREATE TABLE thumbnail (picture INTEGER PRIMARY KEY REFERENCES picture, image BLOB NOT NULL);

CREATE TABLE place (
  model INTEGER NOT NULL REFERENCES model, picture INTEGER NOT NULL REFERENCES picture, x REAL NOT NULL, y REAL NOT NULL,
  PRIMARY KEY (model, picture)
) WITHOUT ROWID;

CREATE TABLE task (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE class (
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task,
  name TEXT NOT NULL,
  definition TEXT NOT NULL DEFAULT '',
  examples TEXT NOT NULL DEFAULT '[]',       -- JSON: ids of pictures
  position INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',        -- open | merged | split
  successor INTEGER REFERENCES class         -- what answers under this class mean now; none: they are asked again
);
CREATE TABLE class_event (
  id INTEGER PRIMARY KEY, made_at TEXT NOT NULL, annotator TEXT NOT NULL, kind TEXT NOT NULL,
  task INTEGER NOT NULL REFERENCES task, detail TEXT NOT NULL
);
CREATE TABLE answer (
  id INTEGER PRIMARY KEY,
  made_at TEXT NOT NULL,
  annotator TEXT NOT NULL,
  kind TEXT NOT NULL,                        -- answer | adjudication | undo
  picture INTEGER NOT NULL REFERENCES picture,
  task INTEGER NOT NULL REFERENCES task,
  class INTEGER REFERENCES class,            -- none: unsure
  given TEXT NOT NULL,                       -- the name that the class had then
  hash TEXT NOT NULL,                        -- of the picture that was seen
  undoes INTEGER UNIQUE REFERENCES answer
);
CREATE INDEX answer_by_task ON answer (task, picture);
"""

_SEVERAL_CLASSES = """
ALTER TABLE task ADD COLUMN is_multilabel INTEGER NOT NULL DEFAULT 0;  -- 1: several classes can hold at once
ALTER TABLE answer ADD COLUMN further TEXT NOT NULL DEFAULT '[]';      -- JSON: the classes that a multi-label answer has beside `class`
"""

_FEATURE_CHANGES = """
CREATE TABLE feature_change (  -- transactions that added, replaced or removed features of a model
  model INTEGER NOT NULL REFERENCES model,
  revision INTEGER NOT NULL,
  stamp TEXT NOT NULL,         -- the archive's in that transaction: no other state of features has it
  PRIMARY KEY (model, revision)
) WITHOUT ROWID;
INSERT INTO feature_change
  SELECT m.id, a.revision, a.stamp FROM model m, archive a WHERE EXISTS (SELECT 1 FROM embedding e WHERE e.model = m.id);
CREATE TRIGGER features_added AFTER INSERT ON embedding BEGIN
  INSERT OR REPLACE INTO feature_change SELECT new.model, revision, stamp FROM archive;
END;
CREATE TRIGGER features_replaced AFTER UPDATE ON embedding BEGIN
  INSERT OR REPLACE INTO feature_change SELECT new.model, revision, stamp FROM archive;
END;
CREATE TRIGGER features_removed AFTER DELETE ON embedding BEGIN
  INSERT OR REPLACE INTO feature_change SELECT old.model, revision, stamp FROM archive;
END;
"""

_SCALES_OF_PEOPLE = """
CREATE TABLE scale (
  id INTEGER PRIMARY KEY,
  made_at TEXT NOT NULL,
  annotator TEXT NOT NULL,
  hash TEXT NOT NULL,          -- of the picture that was seen
  pixel_size_nm REAL           -- none: what the file says holds again
);
CREATE INDEX scale_by_hash ON scale (hash);
"""

MIGRATIONS = [_FIRST, _SEVERAL_CLASSES, _FEATURE_CHANGES, _SCALES_OF_PEOPLE]
"""Scripts that lead from one version of the tables to the next; a file's version is how many it has been through."""


def migrate(connection: sqlite3.Connection, where: str, migrations: list[str] = MIGRATIONS) -> None:
    """Brings a file to the current version, all or nothing. Raises ArchiveError for a file that is no archive, or a later one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        _check_kind(connection, where)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(migrations):
            raise ArchiveError(
                f"{where}: the archive has format {version}; this version of Morphoscope reads up to {len(migrations)}. "
                "Update Morphoscope."
            )
        for script in migrations[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the file needs no migration."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (kind,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(version == len(MIGRATIONS) and kind == APPLICATION_ID)


def _check_kind(connection: sqlite3.Connection, where: str) -> None:
    (kind,) = connection.execute("PRAGMA application_id").fetchone()
    (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if kind != APPLICATION_ID and n_tables:
        raise ArchiveError(
            f"{where}: it is a database of another program; expected an archive that `morphoscope index` made, or a new name. "
            "Choose another --archive."
        )


def _statements(script: str) -> list[str]:
    """The statements one by one; sqlite3's executescript would end the transaction."""
    found, begun = [], ""
    for line in script.splitlines():
        begun += line + "\n"
        if sqlite3.complete_statement(begun):
            found.append(begun)
            begun = ""
    return found
