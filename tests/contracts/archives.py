"""Small archives made in memory."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping


def tar_of(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    """A tar archive; mode `w:gz` compresses it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """A compressed zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()
