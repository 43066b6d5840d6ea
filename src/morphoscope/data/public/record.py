"""What repositories say of a record: its files with addresses, sizes and checksums. One function a kind of repository."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from morphoscope.data.public.checksum import sha1_of_base32
from morphoscope.data.public.data_set import Place, RemoteFile
from morphoscope.data.public.web import Web
from morphoscope.errors import DownloadError

ZENODO = "https://zenodo.org/api/records"
B2SHARE = "https://b2share.eudat.eu/api/records"
MENDELEY = "https://data.mendeley.com/public-api/datasets"
INTERNET_ARCHIVE = "https://web.archive.org"
MAX_FOLDERS = 5000


@dataclass(frozen=True)
class Listed:
    """A file of a record. path: with its folders."""

    path: PurePosixPath
    url: str
    size: int | None = None
    checksum: str = ""

    def to_fetch(self, place: Place, part: str = "") -> RemoteFile:
        """The file as something to fetch; its name in downloads/ tells its folders too."""
        told_by = "repository" if self.checksum else "nobody"
        name = "__".join(self.path.parts)
        return RemoteFile(name, self.url, place, self.size, self.checksum, told_by, part)  # type: ignore[arg-type]


def invenio(web: Web, api: str, record: str) -> list[Listed]:
    """Files of a record of Zenodo or B2SHARE, whose software is Invenio; older and newer versions of it word it differently."""
    document = web.json(f"{api}/{record}")
    entries = document.get("files") if isinstance(document, dict) else None
    if isinstance(entries, dict):
        entries = entries.get("entries")
    if not entries:
        listing = web.json(f"{api}/{record}/files")
        entries = listing.get("entries") if isinstance(listing, dict) else None
    entries = list(entries.values()) if isinstance(entries, dict) else entries
    found = [_invenio_file(api, record, entry) for entry in _sequence(entries) if isinstance(entry, dict) and entry.get("key")]
    return _not_empty(found, f"{api}/{record}")


def _invenio_file(api: str, record: str, entry: dict[str, Any]) -> Listed:
    links = entry.get("links") or {}
    key = str(entry["key"])
    url = links.get("content") or links.get("self") or f"{api}/{record}/files/{quote(key)}/content"
    return Listed(PurePosixPath(key), url, entry.get("size"), entry.get("checksum") or "")


def mendeley(web: Web, identifier: str, version: int) -> list[Listed]:
    """Files of a version of a Mendeley Data set, in whichever folder."""
    folders = {one["id"]: one for one in _sequence(web.json(f"{MENDELEY}/{identifier}/folders/{version}"))}
    found = []
    for folder in ["root", *folders]:
        listing = web.json(f"{MENDELEY}/{identifier}/files?folder_id={folder}&version={version}")
        for entry in _sequence(listing):
            details = entry.get("content_details") or {}
            if not details.get("download_url"):
                continue
            sha256 = details.get("sha256_hash")
            path = PurePosixPath(*_folders_above(folders, folder), entry["filename"])
            size = entry.get("size") or details.get("size")
            found.append(Listed(path, details["download_url"], size, f"sha256:{sha256}" if sha256 else ""))
    return _not_empty(found, f"{MENDELEY}/{identifier}")


def invenio_licence(web: Web, api: str, record: str) -> str:
    """What the record says of its licence, or empty."""
    document = web.json(f"{api}/{record}")
    metadata = document.get("metadata", {}) if isinstance(document, dict) else {}
    return _licence_name(metadata.get("license") or metadata.get("rights"))


def mendeley_licence(web: Web, identifier: str, version: int) -> str:
    """What the record says of its licence, or empty."""
    document = web.json(f"{MENDELEY}/{identifier}?version={version}")
    return _licence_name(document.get("data_licence") or document.get("license")) if isinstance(document, dict) else ""


def _licence_name(told: Any) -> str:
    if isinstance(told, list):
        return ", ".join(filter(None, map(_licence_name, told)))
    if isinstance(told, dict):
        return next((str(told[key]) for key in ("short_name", "title", "name", "full_name", "id") if told.get(key)), "")
    return told if isinstance(told, str) else ""


def _folders_above(folders: dict[str, Any], folder: str) -> list[str]:
    names: list[str] = []
    while folder in folders and len(names) < 50:
        names.insert(0, str(folders[folder]["name"]))
        folder = folders[folder].get("parent_id") or ""
    return names


class _Links(HTMLParser):
    """The addresses that a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def web_folder(web: Web, url: str) -> list[Listed]:
    """Files of a folder that a web server lists, and of the folders in it; sizes and checksums are not told."""
    found: list[Listed] = []
    waiting, seen = [url], {url}
    while waiting:
        folder = waiting.pop()
        links = _Links()
        links.feed(web.text(folder))
        for link in links.found:
            address = urljoin(folder, link)
            parts = urlsplit(address)
            if parts.query or parts.fragment or not address.startswith(folder) or address in seen:
                continue  # the parent, another order of the list, another server
            seen.add(address)
            if not address.endswith("/"):
                found.append(Listed(PurePosixPath(unquote(address.removeprefix(url))), address))
            elif len(seen) < MAX_FOLDERS:
                waiting.append(address)
    return _not_empty(sorted(found, key=lambda one: one.path), url)


def internet_archive(web: Web, prefix: str) -> list[Listed]:
    """The latest copies that the Internet Archive kept of the files below an address that is gone."""
    table = web.text(f"{INTERNET_ARCHIVE}/cdx/search/cdx?url={quote(prefix, safe='/:')}*&filter=statuscode:200")
    latest: dict[str, tuple[str, Listed]] = {}
    for line in table.splitlines():
        cells = line.split()
        if len(cells) < 6:
            continue
        _, moment, original, _, _, digest = cells[:6]
        name = unquote(PurePosixPath(urlsplit(original).path).name)
        copy = Listed(PurePosixPath(name), f"{INTERNET_ARCHIVE}/web/{moment}id_/{original}", None, sha1_of_base32(digest))
        if name and (name not in latest or moment > latest[name][0]):
            latest[name] = (moment, copy)
    return _not_empty([copy for _, copy in latest.values()], prefix)


def pinned(listed: Sequence[Listed], known: dict[str, int]) -> list[Listed]:
    """The listed files whose name is known, each with the size known here. Raises DownloadError where the record is another."""
    by_name = {one.path.name: one for one in listed}
    for name, size in known.items():
        one = by_name.get(name)
        if one is None or (one.size is not None and one.size != size):
            found = "no such file" if one is None else f"{one.size:,} bytes"
            raise DownloadError(
                f"{name}: the record has {found}; expected {size:,} bytes. The record has changed since this version of morphoscope: "
                "see whether there is a newer one."
            )
    return [replace(by_name[name], size=size) for name, size in known.items()]


def matching(listed: Sequence[Listed], pattern: str) -> list[Listed]:
    """The listed files whose path matches a regular expression in any case. Raises DownloadError where none does."""
    found = [one for one in listed if re.search(pattern, one.path.as_posix(), re.IGNORECASE)]
    if not found:
        names = ", ".join(one.path.as_posix() for one in listed[:10])
        raise DownloadError(
            f"The record has {names}; expected files like {pattern}. It has changed since this version of morphoscope: see whether "
            "there is a newer one."
        )
    return found


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _not_empty(found: list[Listed], record: str) -> list[Listed]:
    if not found:
        raise DownloadError(
            f"{record}: the record lists no files; expected some. It may have moved or changed: look at the data set's page, and see "
            "whether there is a newer version of morphoscope."
        )
    return found
