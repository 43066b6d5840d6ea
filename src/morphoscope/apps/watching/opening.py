"""From what a person names to a source: a folder, a video file, a camera's number or an RTSP address."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from morphoscope.apps.watching.folder import FolderSettings, FolderSource
from morphoscope.apps.watching.source import Source
from morphoscope.apps.watching.video import EXTENSIONS, VideoSettings, VideoSource
from morphoscope.errors import MorphoscopeError, ReadError


@dataclass(frozen=True)
class SourceSettings:
    """For whichever kind of source it turns out to be."""

    folder: FolderSettings = field(default_factory=FolderSettings)
    video: VideoSettings = field(default_factory=VideoSettings)


def open_source(named: str, settings: SourceSettings) -> Source:
    """The source that a person means. Raises MorphoscopeError where there is none."""
    from morphoscope.apps.watching.camera import CameraSource
    from morphoscope.apps.watching.rtsp import SCHEMES, RtspSource

    pixel_size_nm = settings.video.pixel_size_nm
    if named.lower().startswith(SCHEMES):
        return RtspSource(named, pixel_size_nm)
    if "://" in named:
        raise MorphoscopeError(
            f"{named.partition('://')[0]}://…: it is no address that can be watched; expected one that begins with {SCHEMES[0]}. "
            "Give that of the camera's RTSP stream, or a folder."
        )
    path = Path(named)
    if path.is_dir():
        return FolderSource(path, settings.folder)
    if path.is_file():
        if path.suffix.lower() in EXTENSIONS:
            return VideoSource(path, settings.video)
        raise ReadError(
            f"{path}: found a file that is no video by its name; expected one that ends with {', '.join(sorted(EXTENSIONS))}, or a "
            "folder. A single picture is labelled by `morphoscope predict`."
        )
    if named.isdecimal():
        return CameraSource(int(named), pixel_size_nm)
    raise ReadError(
        f"{named}: found no such folder or file; expected a folder, a video file, a camera's number such as 0, or an rtsp:// "
        "address. Check the spelling."
    )
