"""Predicts from a bundle: files or micrographs in, calibrated answers out, a batch at a time.

Of files each worker takes a batch all the way from its files to its answers on one core. So decoding and computing share the cores
without waiting for each other, and no more pictures are in memory than there are workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from morphoscope.calibration.resolve import Scale
from morphoscope.data.duplicates import perceptual_hash
from morphoscope.data.readings import read_calibrated
from morphoscope.data.record import without_pixels
from morphoscope.errors import BundleError, MorphoscopeError
from morphoscope.inference.accelerate import accelerated
from morphoscope.inference.forward import FUSED, QUICK, ask, quick_branches
from morphoscope.inference.shapes import ShapeReader, Shown, spacing_of
from morphoscope.io.read import MAX_PIXELS
from morphoscope.measure.texture import texture_descriptors
from morphoscope.micrograph import Micrograph
from morphoscope.models.branches.metadata import metadata_values
from morphoscope.models.bundle import Bundle
from morphoscope.models.channels import ChannelReader
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import Batch
from morphoscope.prediction import ClassPrediction

BATCH = 8
MAX_WORKERS = 8
"""Enough to feed a GPU; each holds one decoded picture."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One readable picture: micrograph without its pixels, working copy (Y, X) uint8, and the network's inputs. absent: channels
    that it has no file of, whose input is a filler. notes: sentences on channel files that can't be used."""

    micrograph: Micrograph
    working: np.ndarray
    inputs: dict[str, np.ndarray]
    absent: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Predicted:
    """A batch in the order of the files. predictions: one a task, N rows for the readable ones; failed: path → sentence.
    appearance: (N, A) how they look, what novelty is measured in."""

    paths: list[Path]
    seen: list[Seen]
    predictions: list[ClassPrediction]
    novelty: np.ndarray
    failed: dict[Path, str]
    appearance: np.ndarray


class Predictor:
    """A bundle at work. The same preprocessing as in training: both go through `Preprocessing`."""

    def __init__(self, bundle: Bundle, max_pixels: int = MAX_PIXELS, scale: Scale = "auto", *, quick: bool = False) -> None:
        """quick: leave out the branches that take long. The answers are then those of the others, with a confidence that was
        fitted for them. Raises BundleError for a model that has none."""
        self._bundle, self._max_pixels, self._scale = bundle, max_pixels, scale
        branches = quick_branches(bundle.network.spec.branches) if quick else []
        if branches and not bundle.quick_confidence:
            raise BundleError(
                "The model has no confidence for quick answers; expected one that `morphoscope train` fitted. "
                "Train it again from its recipe.toml, or use all of its inputs."
            )
        self._ways: dict[str, Collection[str]] = {QUICK: branches} if branches else {}
        preprocessing = bundle.preprocessing
        self._network = accelerated(bundle.network, (preprocessing.height, preprocessing.width))
        self._shapes = ShapeReader() if "shape" in bundle.network.spec.branches and not self._ways else None
        self._channels = ChannelReader()

    @property
    def bundle(self) -> Bundle:
        return self._bundle

    @property
    def is_quick(self) -> bool:
        """Whether branches that take long are left out."""
        return bool(self._ways)

    @property
    def confidence(self) -> tuple[TaskConfidence, ...]:
        """Of its answers, a task's each."""
        return self._bundle.quick_confidence if self._ways else self._bundle.confidence

    def predict(
        self,
        paths: Sequence[Path],
        rows: Mapping[Path, Mapping[str, str]] | None = None,
        files: Mapping[Path, Mapping[str, Path]] | None = None,
    ) -> Iterator[Predicted]:
        """Answers for any number of files, a batch at a time. rows: cells of a metadata sheet, which win over the file. files: of
        each picture's channels, by their names."""
        threads = torch.get_num_threads()
        size = min(BATCH, max(1, -(-len(paths) // threads)))
        batches = (paths[start : start + size] for start in range(0, len(paths), size))
        workers = max(1, min(threads, MAX_WORKERS, -(-len(paths) // size)))
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(threads // workers,))
        submitted = (pool.submit(self._predict_batch, batch, rows or {}, files or {}) for batch in batches)
        # NumPy's own threads would wait for work in a loop that takes the workers' cores.
        with threadpool_limits(1, user_api="blas"):
            try:
                ahead = deque(islice(submitted, workers + 1))
                while ahead:
                    current = ahead.popleft().result()
                    ahead.extend(islice(submitted, 1))
                    yield current
            finally:
                pool.shutdown(cancel_futures=True)
                self._channels.shrink()
                torch.set_num_threads(threads)

    def predict_micrographs(self, micrographs: Sequence[Micrograph]) -> Predicted:
        """Answers for pictures in memory as one batch, in the caller's thread. Their scale is taken as it is: where it is still
        to be settled, `calibration.resolve` comes first. Safe to call from several threads at once."""
        return self.answer([(micrograph.path, self.see(micrograph)) for micrograph in micrographs])

    def _predict_batch(
        self, paths: Sequence[Path], rows: Mapping[Path, Mapping[str, str]], files: Mapping[Path, Mapping[str, Path]]
    ) -> Predicted:
        return self.answer([(path, self._see_file(path, rows.get(path, {}), files.get(path, {}))) for path in paths])

    def _see_file(self, path: Path, row: Mapping[str, str], files: Mapping[str, Path]) -> Seen | str:
        try:
            micrograph = read_calibrated(path, row, scale=self._scale, max_pixels=self._max_pixels)
        except MorphoscopeError as error:
            return str(error)
        return self.see(micrograph, row, files=files)

    def see(
        self,
        micrograph: Micrograph,
        row: Mapping[str, str] | None = None,
        working: np.ndarray | None = None,
        files: Mapping[str, Path] | None = None,
    ) -> Seen:
        """What the network takes of one picture whose scale is settled. row: its cells of a metadata sheet. files: of its channels;
        one that can't be read counts as absent.

        working: its working copy where another process made it, and the micrograph comes without pixels.
        """
        preprocessing, branches = self._bundle.preprocessing, self._bundle.network.spec.branches
        working = preprocessing.working_copy(micrograph) if working is None else working
        inputs = {"image": preprocessing.canvas(working)}
        if "texture" in branches:
            inputs["texture"] = texture_descriptors(working)
        if self._shapes:
            shown = Shown(working, spacing_of(micrograph, working), perceptual_hash(working))
            inputs["shape"] = self._shapes.read(shown)
        elif "shape" in branches:
            inputs["shape"] = np.full(self._bundle.network.spec.branches["shape"]["width"], np.nan, np.float32)
        if "metadata" in branches:
            inputs["metadata"] = self._bundle.metadata_encoder.encode(metadata_values(micrograph, row or {}))
        absent, notes = self._see_channels(inputs, files or {})
        return Seen(without_pixels(micrograph), working, inputs, absent, notes)

    def _see_channels(self, inputs: dict[str, np.ndarray], files: Mapping[str, Path]) -> tuple[frozenset[str], tuple[str, ...]]:
        """Adds to the inputs what each channel of the model takes; which are absent, and why where a file was named."""
        absent, notes = set(), []
        for channel in self._bundle.channels:
            inputs[channel.name] = channel.absent()
            absent.add(channel.name)
            if channel.name not in files:
                continue
            try:
                inputs[channel.name] = self._channels.encoded(channel, files[channel.name])
                absent.remove(channel.name)
            except MorphoscopeError as error:
                notes.append(f"channel {channel.name} counts as absent: {error}")
        return frozenset(absent), tuple(notes)

    def answer(self, batch: Sequence[tuple[Path, Seen | str]]) -> Predicted:
        """Answers for pictures seen before; a text is the sentence that says why a file could not be read."""
        seen = [outcome for _, outcome in batch if isinstance(outcome, Seen)]
        failed = {path: outcome for path, outcome in batch if isinstance(outcome, str)}
        tasks = self._bundle.schema.tasks
        if seen:
            answers = ask(self._network, [as_batch(seen)], self._ways)
            logits, appearance = answers.logits[QUICK if self._ways else FUSED], answers.appearance
            novelty = self._bundle.novelty.novelty(appearance)
        else:
            logits, novelty, appearance = [np.zeros((0, len(task.classes))) for task in tasks], np.zeros(0), np.zeros((0, 0))
        predictions = [c.predict(task, one) for c, task, one in zip(self.confidence, tasks, logits, strict=True)]
        return Predicted([path for path, _ in batch], seen, predictions, novelty, failed, appearance)


def as_batch(seen: Sequence[Seen]) -> Batch:
    """What a network takes of pictures."""
    inputs = {name: torch.from_numpy(np.stack([one.inputs[name] for one in seen])) for name in seen[0].inputs}
    inputs["image"] = inputs["image"][:, None].float() / 255
    channels = sorted(frozenset().union(*(one.absent for one in seen)))
    return Batch(inputs, {name: torch.tensor([name in one.absent for one in seen]) for name in channels})
