"""The files of a request: pictures, each with the texts of its maker that were sent beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from fastapi import UploadFile

from morphoscope.apps.web.uploads import sidecar_suffix, stem_of


@dataclass
class SentPicture:
    """sidecars: their suffix and text."""

    name: str | None
    file: BinaryIO
    sidecars: list[tuple[str, BinaryIO]] = field(default_factory=list)


def sent_pictures(files: Sequence[UploadFile]) -> list[SentPicture]:
    """Pictures in the order sent. A text without a picture of its name is taken for a picture, so that its row says what it is."""
    pictures = [SentPicture(one.filename, one.file) for one in files if sidecar_suffix(one.filename) is None]
    by_stem = {stem_of(picture.name): picture for picture in pictures}
    for one in files:
        suffix = sidecar_suffix(one.filename)
        if suffix is None:
            continue
        owner = by_stem.get(stem_of(one.filename)) or by_stem.get((one.filename or "").removesuffix(suffix))
        if owner:
            owner.sidecars.append((suffix, one.file))
        else:
            pictures.append(SentPicture(one.filename, one.file))
    return pictures
