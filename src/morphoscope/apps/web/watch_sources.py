"""What a person at the page may have the server watch: nothing but what its keeper opened."""

from __future__ import annotations

from pathlib import Path

from morphoscope.apps.watching.folder import FolderSettings
from morphoscope.apps.watching.opening import SourceSettings, open_source
from morphoscope.apps.watching.rtsp import SCHEMES
from morphoscope.apps.watching.source import Source
from morphoscope.apps.watching.video import VideoSettings
from morphoscope.apps.web.answers.live import WatchOrder
from morphoscope.apps.web.refusal import RefusalError
from morphoscope.apps.web.settings import Settings

MOST_CAMERAS = 16


def source_of(order: WatchOrder, settings: Settings) -> Source:
    """The source. A video plays at its own pace. Raises RefusalError (403) for what is not open, MorphoscopeError for what is
    none."""
    folder = FolderSettings(existing=order.existing, max_pixels=settings.limits.max_pixels)
    video = VideoSettings(at_its_pace=True, pixel_size_nm=order.pixel_size_nm)
    return open_source(_allowed(order.source, settings), SourceSettings(folder, video))


def _allowed(named: str, settings: Settings) -> str:
    if named.lower().startswith(SCHEMES):
        if not settings.rtsp:
            raise RefusalError(
                403,
                "Network streams are closed on this server; expected it to be started with --allow-rtsp. Ask the server's keeper.",
            )
        return named
    if named.isascii() and named.isdecimal():
        if int(named) < MOST_CAMERAS:
            return str(int(named))
        raise RefusalError(422, f"Camera {named[:20]}: expected a number below {MOST_CAMERAS}; the first camera is 0.")
    return str(_below_data(named, settings.data))


def _below_data(named: str, roots: tuple[Path, ...]) -> Path:
    """A path, with links followed, inside one of the folders; a path that is not absolute is looked for in each of them.

    What lies outside and what does not exist get one answer, so that nobody can ask which files there are."""
    for root in roots:
        try:
            path = (root / named).resolve()
            if path.is_relative_to(root.resolve()) and path.exists():
                return path
        except (OSError, ValueError):  # too long, a zero byte, a loop of links
            continue
    places = ", ".join(str(root) for root in roots) or "none, since the server was started without --data"
    raise RefusalError(
        403, f"'{named[:200]}' is not open to be watched; expected a folder or video in one of: {places}. Choose one of them."
    )
