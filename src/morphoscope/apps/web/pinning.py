"""Where frames that are worth keeping go: into the archive where there is one, else among the uploads of this session."""

from __future__ import annotations

import io
from functools import cached_property
from typing import TYPE_CHECKING

from morphoscope.apps.watching.archiving import Archiving, pins_beside
from morphoscope.apps.watching.pins import PinFolder, pin_name, png_with_story
from morphoscope.apps.watching.watcher import Watched
from morphoscope.apps.web.answers.live import PinnedFrame
from morphoscope.archive.looking import load_model

if TYPE_CHECKING:
    from morphoscope.apps.web.services import Services


class Pinning:
    """Pins frames of a server's watches."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def pin(self, watched: Watched) -> PinnedFrame:
        """Keeps the frame. Raises MorphoscopeError where it can't be."""
        place, archiving = self._services.settings.archive, self._archiving
        if place is None or archiving is None:
            content = io.BytesIO()
            png_with_story(watched, content)
            content.seek(0)
            upload = self._services.uploads.add(f"{pin_name(watched)}.png", content)
            return PinnedFrame(key=upload.key, name=upload.name)
        path = PinFolder(pins_beside(place)).save(watched)
        return PinnedFrame(key=f"a{archiving.keep(path, watched)}", name=path.name)

    @cached_property
    def _archiving(self) -> Archiving | None:
        archive, model = self._services.archive, self._services.settings.model
        return Archiving(archive, load_model(str(model))[0]) if archive is not None and model else None
