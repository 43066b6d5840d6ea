"""Checksums as repositories write them: `md5:…`, `sha1:…`, `sha256:…`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path

CHUNK = 2**20


def digests(path: Path, algorithms: Iterable[str]) -> dict[str, str]:
    """Algorithm to hexadecimal digest of a file, read once."""
    # What repositories give, not a protection of secrets: MD5 is enough to notice a damaged file.
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in dict.fromkeys(algorithms)}
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            for one in hashes.values():
                one.update(chunk)
    return {name: one.hexdigest() for name, one in hashes.items()}


def split_checksum(checksum: str) -> tuple[str, str]:
    """Algorithm and hexadecimal digest of `md5:…`; the algorithm may be written SHA-256."""
    algorithm, _, digest = checksum.partition(":")
    return algorithm.lower().replace("-", ""), digest.strip().lower()


def sha1_of_base32(text: str) -> str:
    """`sha1:…` of the base-32 digest that the Internet Archive writes."""
    return f"sha1:{base64.b32decode(text).hex()}"
