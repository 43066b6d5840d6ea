"""What a fetched folder says of itself: which data set, under which licence, what was received and how far it was verified."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from morphoscope.data.public.data_set import DataSet, RemoteFile
from morphoscope.data.public.download import Received
from morphoscope.errors import DownloadError

MANIFEST, CONTENTS = "manifest.json", "contents.csv"
VERIFIED = {
    "program": "checksum known to morphoscope",
    "repository": "checksum told by the repository",
    "nobody": "unverified: nobody tells its checksum",
}


@dataclass
class Manifest:
    """files: name to what was received. unpacked: names whose members are in the folder. catalogue: counts, once it is made.
    is_whole: every part is there."""

    data_set: str
    title: str
    licence: str
    citation: str
    page: str
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    unpacked: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    is_whole: bool = False
    catalogue: dict[str, Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return bool(self.catalogue)

    def note_received(self, file: RemoteFile, received: Received) -> None:
        """Keeps its SHA-256, so that a later run notices another content even where nobody tells a checksum."""
        self.files[file.name] = {
            "url": file.url,
            "bytes": received.size,
            "sha256": received.sha256,
            "checksum": file.checksum,
            "verified": VERIFIED[file.told_by],
            "received": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def known_sha256(self, name: str) -> str:
        """Of an earlier receipt, or empty."""
        return str(self.files.get(name, {}).get("sha256", ""))


def new_manifest(data_set: DataSet) -> Manifest:
    """Of a data set of which nothing is there yet."""
    return Manifest(data_set.name, data_set.title, data_set.licence, data_set.citation, data_set.page)


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest, None without one. Raises DownloadError for one that is damaged."""
    path = folder / MANIFEST
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise DownloadError(
            f"{path}: it can't be read ({error}); expected what an earlier fetch wrote. Choose another --to, or add --overwrite."
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """In one step, so that it is never half written."""
    write_whole(folder / MANIFEST, json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """A file that is there completely or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)


def contents_of(folder: Path, names: Iterable[str]) -> str:
    """CSV of path and bytes of the files."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["path", "bytes"])
    writer.writerows([name, (folder / name).stat().st_size] for name in sorted(names))
    return stream.getvalue()


def missing_contents(folder: Path) -> list[str]:
    """Files of an earlier fetch that are gone or have another size now."""
    path = folder / CONTENTS
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [row["path"] for row in rows if not _has_size(folder / row["path"], int(row["bytes"]))]


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
