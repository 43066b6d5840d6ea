"""Where frames that are worth keeping go: into the archive where there is one, else among the uploads of this session."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from morphoscope.apps.watching.pins import PinFolder, pin_name, png_with_story
from morphoscope.apps.watching.watcher import Watched
from morphoscope.apps.web.answers.live import PinnedFrame

if TYPE_CHECKING:
    from morphoscope.apps.web.services import Services


class Pinning:
    """Pins frames of a server's watches."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def pin(self, watched: Watched) -> PinnedFrame:
        """Keeps the frame. Raises MorphoscopeError where it can't be."""
        archive = self._services.settings.archive
        if archive is None or self._services.archive is None:
            content = io.BytesIO()
            png_with_story(watched, content)
            content.seek(0)
            upload = self._services.uploads.add(f"{pin_name(watched)}.png", content)
            return PinnedFrame(key=upload.key, name=upload.name)
        path = PinFolder(pins_beside(archive)).save(watched)
        return PinnedFrame(key=self._indexed(path), name=path.name)

    def _indexed(self, path: Path) -> str:
        from morphoscope.apps.watching.archiving import index_pin

        return f"a{index_pin(self._services.archive, path)}"


def pins_beside(archive: Path) -> Path:
    """The folder that an archive's pinned frames lie in."""
    return archive.with_name(f"{archive.stem}-pins")
