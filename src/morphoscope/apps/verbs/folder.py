"""A folder with its labels, read and checked: what training and evaluating start from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from morphoscope.apps.verbs.arguments import PathLike, Paths, as_path, as_paths
from morphoscope.apps.verbs.progress import bar
from morphoscope.calibration.resolve import Scale, conflicts
from morphoscope.data.catalogue import Catalogue, load_catalogue, refuse_lost
from morphoscope.data.channel_columns import ChannelColumns, asked_channels
from morphoscope.data.duplicates import near_duplicate_groups
from morphoscope.data.label_check import LabelCheck
from morphoscope.data.preparation import FolderReader, OutOfTimeError, PreparedFolder
from morphoscope.data.preprocessing import Preprocessing, common_canvas
from morphoscope.data.split import effective_groups
from morphoscope.inference.shapes import ShapeReader, Shown, has_objects, spacing_of
from morphoscope.models.branches import channel_kinds, kind_of
from morphoscope.models.branches.image import ImageBranch, check_canvas
from morphoscope.models.branches.metadata import Value, metadata_values
from morphoscope.training.channels import ChannelSamples, read_channel
from morphoscope.training.experiment import Material, image_arguments
from morphoscope.training.recipe import Recipe

MAX_NOTES = 20
MIN_SHARE_WITH_OBJECTS = 0.5
"""Of the pictures: where fewer show objects, measured shape has nothing to tell."""


@dataclass(frozen=True)
class FolderRequest:
    """Which folders, which labels, and what of them: the options that training shares with other verbs."""

    images: tuple[Path, ...]
    labels: tuple[Path, ...] = ()
    metadata: Path | None = None
    schema_file: Path | None = None
    group: str | None = None
    sample: str | None = None
    tasks: tuple[str, ...] = ()
    unmatched: Literal["error", "blank"] | None = None
    scale: Scale | None = None
    channels: tuple[str, ...] = ()
    """`spectrum=COLUMN` each, as with --channel."""
    lost_files: Literal["absent", "error"] | None = None

    @classmethod
    def of(
        cls,
        images: Paths,
        labels: Paths = (),
        metadata: PathLike | None = None,
        schema: PathLike | None = None,
        group: str | None = None,
        sample: str | None = None,
        tasks: Sequence[str] = (),
        unmatched: Literal["error", "blank"] | None = None,
        scale: Scale | None = None,
        channels: Sequence[str] = (),
        lost_files: Literal["absent", "error"] | None = None,
    ) -> FolderRequest:
        """From what a verb was given: one path or several, as text or Path. Raises LabelSheetError for a channel of no kind."""
        named = tuple(f"{name}={column}" for name, column in asked_channels(channels, channel_kinds()).items())
        return cls(
            as_paths(images),
            as_paths(labels),
            as_path(metadata),
            as_path(schema),
            group,
            sample,
            tuple(tasks),
            unmatched,
            scale,
            named,
            lost_files,
        )


@dataclass(frozen=True, eq=False)
class Folder:
    """catalogue: the readable, labelled pictures, N rows in the order of everything below. working: copies for looking at.
    scale: where the pixel sizes come from in the end."""

    catalogue: Catalogue
    check: LabelCheck
    prepared: PreparedFolder
    duplicates: np.ndarray
    effective_groups: np.ndarray
    metadata: list[dict[str, Value]]
    unreadable: list[str]
    scale: Scale
    lost_files: Literal["absent", "error"]
    _reader: FolderReader
    _working: Preprocessing
    lost_channels: list[str] = field(default_factory=list)
    """A sentence a channel file that turned out to be unreadable, once `material` has read them."""

    @property
    def truths(self) -> list[np.ndarray]:
        """(N, C) bool a task."""
        return [self.catalogue.truth(task.name) for task in self.catalogue.schema.tasks]

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.catalogue.entries]

    def thumbnail(self, row: int) -> np.ndarray:
        """(Y, X) uint8 of one picture, as the network's preprocessing saw it."""
        return self._reader.working_copy(self._working, int(self.prepared.kept[row]))

    def canvases(self, preprocessing: Preprocessing) -> np.ndarray:
        """(N, Y, X) uint8 for a network of this preprocessing."""
        with bar("Preparing pictures", len(self.prepared.kept)) as progress:
            return self._reader.canvases(preprocessing, self.prepared.kept, progress)

    def material(self, recipe: Recipe, say: Callable[[str], None]) -> Material:
        """The folder as training takes it, on a canvas that suits the median picture."""
        size = recipe.model.image_size
        height, width = common_canvas(self.prepared.aspects, size) if isinstance(size, int) else size
        preprocessing = Preprocessing(height, width, self._working.working_side, stretch=recipe.model.stretch)
        if "image" in recipe.model.branches:
            check_canvas(ImageBranch(**image_arguments(recipe, preprocessing)), (height, width))
        canvases = self.canvases(preprocessing)
        say(f"Network pictures: {height} x {width} px.")
        described = {"texture": self.prepared.textures}
        if "shape" in recipe.model.branches:
            described["shape"] = self.shapes()
        channels = self._channels(recipe, preprocessing, say)
        return Material(self.catalogue.schema, preprocessing, canvases, described, self.metadata, self.truths, channels)

    def _channels(self, recipe: Recipe, preprocessing: Preprocessing, say: Callable[[str], None]) -> dict[str, ChannelSamples]:
        """The channels that the recipe fuses and some picture has. Raises LabelSheetError for files that can't be used, where
        the user asked for it."""
        found: dict[str, ChannelSamples] = {}
        names = self.names
        for name, column in self.check.channels.items():
            if not {name, kind_of(name)} & set(recipe.model.branches):
                continue
            files = [entry.files.get(name) for entry in self.catalogue.entries]
            with bar(f"Reading channel {name}", len(files)) as progress:
                samples, failed = read_channel(name, column, files, preprocessing, progress)
            self.lost_channels.extend(f"channel {name} of {names[row]}: {sentence}" for row, sentence in failed.items())
            for sentence in list(failed.values())[:MAX_NOTES]:
                say(f"Absent: {sentence}")
            if len(failed) > MAX_NOTES:
                say(f"And {len(failed) - MAX_NOTES} channel files more that can't be used.")
            if self.lost_files == "error":
                refuse_lost(list(failed.values()))
            if samples:
                found[name] = samples
            say(f"Channel {name}: {int(samples.present.sum()) if samples else 0} of {len(files)} pictures have one.")
        return found

    def is_measurable(self, say: Callable[[str], None], until: float = math.inf) -> bool:
        """Whether measured shape has something to tell: objects are found in most pictures, before `until` on time.monotonic()."""
        try:
            share = float(has_objects(self.shapes(until)).mean())
        except OutOfTimeError:
            say(
                "Shape: measuring the objects of these pictures would take too much of the time budget, so it is left out. What was "
                "measured is kept: give more time, or start again."
            )
            return False
        if share < MIN_SHARE_WITH_OBJECTS:
            say(f"Shape: objects were found in {share:.0%} of the pictures, so it is left out.")
        return share >= MIN_SHARE_WITH_OBJECTS

    def shapes(self, until: float = math.inf) -> np.ndarray:
        """(N, S) shape statistics; what was measured before comes from the cache. Raises OutOfTimeError."""

        def show(row: int) -> Shown:
            working = self.thumbnail(row)
            return Shown(working, spacing_of(self.prepared.micrographs[row], working), self.prepared.signatures[row])

        with bar("Measuring shapes", len(self.prepared.kept)) as progress:
            return ShapeReader().read_all([partial(show, row) for row in range(len(self.prepared.kept))], progress, until)


def working_side(recipe: Recipe) -> int:
    """Longest side of working copies: at least 512 px, and enough for the recipe's canvas, at an aspect of 2 where it is open."""
    size = recipe.model.image_size
    longest = size * np.sqrt(2) if isinstance(size, int) else max(size)
    return max(512, int(np.ceil(longest / 64) * 64))


def read_folder(request: FolderRequest, recipe: Recipe, say: Callable[[str], None], scales_until: float = math.inf) -> Folder:
    """Checks the labels, says how they fit, then reads every picture once. Raises MorphoscopeError.

    scales_until: on time.monotonic(), where reading scales from the pictures ends for want of time; if it isn't done by then,
    all pictures have the scale of their headers, so that none is treated unlike another.
    """
    catalogue, check = load_catalogue(
        request.images,
        labels=request.labels,
        metadata=request.metadata,
        schema_file=request.schema_file,
        group=request.group,
        sample=request.sample,
        tasks=request.tasks,
        unmatched=request.unmatched or "error",
        channels=ChannelColumns(channel_kinds(), asked_channels(request.channels, channel_kinds())),
        lost_files=request.lost_files or "absent",
    )
    say(check.to_text())
    working, scale = Preprocessing(0, 0, working_side(recipe)), request.scale or "auto"
    try:
        reader, prepared = _prepared(catalogue, working, scale, scales_until if scale == "auto" else math.inf)
    except OutOfTimeError:
        say(
            "Scale: reading scale bars from these pictures would take too much of the time budget, so only headers and sidecars "
            "are used. What was read is kept: `morphoscope inspect` reads the rest, or give more time."
        )
        scale = "header"
        reader, prepared = _prepared(catalogue, working, scale, math.inf)
    for sentence in prepared.unreadable.values():
        say(f"Left out: {sentence}")
    if conflict := _scale_conflicts(prepared):
        say(conflict)
    kept = catalogue.subset(prepared.kept)
    duplicates = near_duplicate_groups(prepared.signatures)
    return Folder(
        kept,
        check,
        prepared,
        duplicates,
        effective_groups(
            [entry.group for entry in kept.entries], [entry.sample for entry in kept.entries], prepared.hashes, duplicates
        ),
        [metadata_values(m, e.metadata) for m, e in zip(prepared.micrographs, kept.entries, strict=True)],
        list(prepared.unreadable.values()),
        scale,
        request.lost_files or "absent",
        reader,
        working,
    )


def _prepared(catalogue: Catalogue, working: Preprocessing, scale: Scale, until: float) -> tuple[FolderReader, PreparedFolder]:
    entries = catalogue.entries
    reader = FolderReader([entry.path for entry in entries], [entry.metadata for entry in entries], scale=scale)
    with bar("Reading pictures", len(entries)) as progress:
        return reader, reader.prepare_all(working, progress, until)


def _scale_conflicts(prepared: PreparedFolder) -> str:
    """A sentence where the sources of a scale disagree, or nothing."""
    count = sum(bool(conflicts(micrograph.pixel_size)) for micrograph in prepared.micrographs)
    if not count:
        return ""
    return (
        f"Scale: the sources of {count} of {len(prepared.micrographs)} pictures disagree by more than 3 %. "
        "`morphoscope inspect` shows which; --metadata decides."
    )
