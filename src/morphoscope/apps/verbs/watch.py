"""Watch: a folder, a video, a camera or a network stream, answered as pictures come, and searched for a target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from morphoscope.apps.verbs.arguments import PathLike, Say, silent
from morphoscope.apps.verbs.further_inputs import channels_not_given
from morphoscope.apps.watching.answering import Inputs, predictor_for, search_for
from morphoscope.apps.watching.archiving import Archiving, pins_beside
from morphoscope.apps.watching.folder import FolderSettings
from morphoscope.apps.watching.opening import SourceSettings, open_source
from morphoscope.apps.watching.pins import PinFolder
from morphoscope.apps.watching.rows_file import RowsFile
from morphoscope.apps.watching.video import VideoSettings
from morphoscope.apps.watching.watcher import Watched, Watcher
from morphoscope.archive import Archive
from morphoscope.archive.looking import load_model
from morphoscope.calibration.resolve import Scale
from morphoscope.errors import MorphoscopeError
from morphoscope.inference.target import Target
from morphoscope.io.read import MAX_PIXELS
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.overlay import label_lines
from morphoscope.reporting.predictions_table import Row


def watch(
    source: PathLike,
    model: PathLike,
    *,
    archive: PathLike | None = None,
    out: PathLike | None = None,
    find: str | None = None,
    find_threshold: float | None = None,
    pins: PathLike | None = None,
    inputs: Inputs = "auto",
    existing: bool = False,
    poll_s: float = 0.5,
    settle: int = 2,
    idle_s: float | None = None,
    every: int = 1,
    at_its_pace: bool = False,
    pixel_size_nm: float | None = None,
    scale: Scale = "auto",
    tile_px: int | None = None,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    say: Say = silent,
    alert: Say | None = None,
    status: Say = silent,
) -> Iterator[Row]:
    """Rows of predictions.csv and a few columns more, as pictures come; each is in `out` before it is given.

        for row in morphoscope.watch("D:/session", "run", find="Morphology=Rod", pins="pins"):
            print(row["path"], row["Morphology"])

    The options are those of `morphoscope watch`. It ends with its source, or when the iterator is closed. A picture that can't
    be read gives an error row. say hears what the command line prints, alert the lines that name a target (say, if left out),
    status a line after each frame. Raises MorphoscopeError, whose text is meant to be shown, at once for wrong options, and
    while running where the source fails; rows written until then are kept.
    """
    identity, bundle = load_model(str(model)) if archive else (None, Bundle.load(Path(model)))
    target = Target.parse(find, bundle.schema, find_threshold) if find else None
    if find_threshold is not None and target is None:
        raise MorphoscopeError("--find-threshold: there is no --find; expected both or neither. Add --find TASK=CLASS.")
    rows_file = RowsFile(Path(out), bundle.schema, overwrite) if out else None
    folder = FolderSettings(poll_s, settle, existing=existing, scale=scale, max_pixels=max_pixels, idle_s=idle_s)
    video = VideoSettings(every, at_its_pace=at_its_pace, pixel_size_nm=pixel_size_nm)
    opened = open_source(str(source), _going_on(SourceSettings(folder, video), rows_file, source))
    predictor = predictor_for(bundle, opened, inputs)
    watcher = Watcher(opened, predictor, search_for(target, predictor, inputs, tile_px) if target else None)
    opened_archive = Archive.open(Path(archive)) if archive else None
    archiving = Archiving(opened_archive, identity) if opened_archive and identity else None
    pin_folder = Path(pins) if pins else pins_beside(Path(archive)) if archive and target else None
    keeping = _Keeping(PinFolder(pin_folder) if pin_folder else None, archiving)
    teller = _Teller(watcher, keeping, say, alert or say, status, str(out or ""))
    return _rows(watcher, rows_file, opened_archive, teller)


def _going_on(settings: SourceSettings, rows_file: RowsFile | None, source: PathLike) -> SourceSettings:
    """The settings that leave out what has a row already."""
    if rows_file is None:
        return settings
    folder = replace(settings.folder, known=rows_file.known, known_until=rows_file.known_until)
    after = rows_file.last_frames.get(Path(source).absolute(), 0)
    return replace(settings, folder=folder, video=replace(settings.video, after=after))


def _rows(watcher: Watcher, rows_file: RowsFile | None, archive: Archive | None, teller: _Teller) -> Iterator[Row]:
    with ExitStack() as stack:
        stack.callback(teller.summarise)
        if archive:
            stack.enter_context(archive)
        if rows_file:
            stack.enter_context(rows_file)
        teller.begin()
        for watched in watcher:
            if rows_file:
                rows_file.write(watched.row)
            teller.tell(watched)
            yield watched.row


@dataclass(frozen=True)
class _Keeping:
    """Where pictures go that are worth keeping: files into the archive as they lie, frames that are news as pins."""

    pins: PinFolder | None
    archiving: Archiving | None

    def keep(self, watched: Watched) -> Path | None:
        """The pinned copy, where one was made. Raises MorphoscopeError."""
        pinned = self.pins.save(watched) if self.pins and watched.is_news else None
        if self.archiving and watched.predicted:
            if watched.arrival.is_file:
                self.archiving.keep(watched.arrival.path, watched)
            elif pinned:
                self.archiving.keep(pinned, watched)
        return pinned


@dataclass
class _Teller:
    """What a person hears of a watch."""

    watcher: Watcher
    keeping: _Keeping
    say: Say
    alert: Say
    status: Say
    out: str
    answered: int = 0
    failed: int = field(default=0)

    def begin(self) -> None:
        inputs = "all inputs but measured shape" if self.watcher.predictor.is_quick else "all inputs"
        self.say(f"Watching {self.watcher.source.name} with {inputs}. Ctrl-C ends it.")
        if sentence := channels_not_given(self.watcher.predictor.bundle, "watch"):
            self.say(sentence)

    def tell(self, watched: Watched) -> None:
        """Of one picture; pins it where it is news."""
        arrival = watched.arrival
        if watched.predicted is None:
            self.failed += 1
            self.say(f"Error row for {arrival.name}: {arrival.content}")
            return
        self.answered += 1
        words = " · ".join(line.replace(" · ", " ") for line in label_lines(watched.predicted.predictions, 0))
        if arrival.is_file:
            self.say(f"{arrival.name}: {words}")
        self.status(
            f"{watched.fps:.1f} frames/s, latency {watched.latency_ms:.0f} ms, dropped {watched.dropped} · {arrival.name}: {words}"
        )
        pinned = self.keeping.keep(watched)
        if watched.is_news:
            self._tell_news(watched, pinned)

    def _tell_news(self, watched: Watched, pinned: Path | None) -> None:
        if not self.watcher.search:
            return
        line = f"FOUND {self.watcher.search.target} {100 * watched.probability:.0f} % in {watched.arrival.name}"
        if watched.tiles and watched.tiles.is_found.any():
            rows, columns = watched.tiles.window(*watched.tiles.best)
            line += f" at x {columns.start} to {columns.stop}, y {rows.start} to {rows.stop} px"
        if not watched.arrival.is_file:
            line += f" at {watched.arrival.seconds:.1f} s"
        if pinned:
            line += f", pinned: {pinned}"
        self.alert(line)

    def summarise(self) -> None:
        parts = [f"{self.answered} pictures answered", f"{self.failed} error rows", f"{self.watcher.dropped} frames dropped"]
        if self.watcher.search:
            parts.append(f"{self.watcher.search.target} seen {self.watcher.sightings.count} times")
        self.say(", ".join(parts) + (f": {self.out}" if self.out else "."))
