"""Curve of masks: how far a number of masks leads, by start, with Otsu's threshold always beside it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.arguments import PathLike, Paths, Say, as_paths, silent
from morphoscope.apps.verbs.masked import read_masked
from morphoscope.apps.verbs.output import claim_folder, working_alone, write_whole, writing
from morphoscope.apps.verbs.progress import bar
from morphoscope.data.cache import content_hash
from morphoscope.data.masks import MaskRequest
from morphoscope.errors import MorphoscopeError
from morphoscope.measure.mask_kinds import MaskKind
from morphoscope.models.encoders import DEFAULT, RANDOM
from morphoscope.models.segmenter import STRIDE, SegmenterSpec
from morphoscope.models.segmenter_start import SHIPPED_SEGMENTER, begun_segmenter, is_whole_start
from morphoscope.reporting.mask_curve_report import MaskCurvePage, write_mask_curve_report
from morphoscope.training.segmentation.experiment import trained
from morphoscope.training.segmentation.fit import Watch
from morphoscope.training.segmentation.held_out import by_network, by_otsu, known_to
from morphoscope.training.segmentation.mask_curve import FIGURES, OTSU, Figures, MaskCurvePlan, MaskSides, MaskTrial, Start

TABLE, MEANS, PAGE, TRIALS = "curve.csv", "means.csv", "curve.html", "trials"
USUAL_STARTS, USUAL_MASKS = (SHIPPED_SEGMENTER, DEFAULT, RANDOM), (1, 4, 16)


def mask_curve(
    images: Paths,
    masks: PathLike,
    out: PathLike,
    *,
    labels: Paths = (),
    group: str | None = None,
    sample: str | None = None,
    mask_kind: MaskKind | None = None,
    encoders: Sequence[str] = (),
    counts: Sequence[int] = (),
    repeats: int | None = None,
    steps: int | None = None,
    view_px: int = MaskCurvePlan.view_px,
    seed: int = 0,
    overwrite: bool = False,
    say: Say = silent,
) -> pd.DataFrame:
    """How well objects of held-out pictures are found after so many masks, into curve.csv, means.csv and curve.html under `out`.

        morphoscope.mask_curve("images", "masks", "curve", counts=[1, 4, 16])

    encoders: starts as `train --masks --encoder` takes them, with `frozen:` before one whose encoder is to stay as it is. view_px:
    side of the views that fits learn from. The other options are those of `morphoscope curve --masks`. A fit takes minutes;
    `out`/trials keeps each, and the same call goes on after a stop. Returns the rows of curve.csv. Raises MorphoscopeError
    whose text is meant to be shown.
    """
    target = Path(out)
    _check(counts, repeats, steps, view_px, seed)
    starts = tuple(dict.fromkeys(Start.parsed(text) for text in encoders or USUAL_STARTS))
    for start in starts:
        _check_start(start)
    claim_folder(target, (TABLE, MEANS, PAGE), may_replace=overwrite)
    folder = read_masked(MaskRequest(as_paths(images), Path(masks), as_paths(labels), group, sample, mask_kind), say)
    sides = MaskSides.of(folder, seed)
    plan = MaskCurvePlan(
        starts,
        _affordable(counts or USUAL_MASKS, len(sides.pool), say),
        repeats or MaskCurvePlan.repeats,
        steps or MaskCurvePlan.steps,
        view_px=view_px,
        seed=seed,
    )
    say(f"Pictures: {len(sides.pool)} to draw masks from, {len(sides.test)} held out to test all fits on.")
    with writing(target, "Make room there; the same command goes on."), working_alone(target):
        results = _Results(sides, plan, target / TRIALS)
        learned, unlearned = results.of_trials(say), results.of_baselines()
        page = MaskCurvePage(plan, learned, unlearned, sides.test_groups, len(folder.pictures), _flattered(sides, plan, say))
        table = pd.DataFrame(_rows(page))
        table.to_csv(target / TABLE, index=False)
        pd.DataFrame(_means(page)).to_csv(target / MEANS, index=False)
        write_mask_curve_report(page, target / PAGE)
    means = table.groupby(["encoder", "masks"])["ap50"].mean()
    for name in table["encoder"].unique():
        say(f"{name}: AP50 " + ", ".join(f"{value:.3f} at {n}" for n, value in means[name].items()))
    say(f"Curve: {target / PAGE}")
    return table


def _check(counts: Sequence[int], repeats: int | None, steps: int | None, view_px: int, seed: int) -> None:
    """Raises MorphoscopeError for a number that is out of bounds."""
    bounds = [*(("--counts", count, 1) for count in counts), ("--repeats", repeats, 1), ("--steps", steps, 1)]
    for option, value, least in (*bounds, ("view_px", view_px, 64), ("--seed", seed, 0)):
        if value is not None and value < least:
            raise MorphoscopeError(f"{option}: found {value}; expected numbers from {least} on. Correct it.")
    if view_px % STRIDE:
        raise MorphoscopeError(f"view_px: found {view_px}; expected a multiple of {STRIDE}. Correct it.")


def _check_start(start: Start) -> None:
    """Now, not after the fits before it. Raises MorphoscopeError."""
    try:
        begun_segmenter(start.name)
    except MorphoscopeError as error:
        raise MorphoscopeError(
            f"--encoders {start}: no fit can begin with it; expected a segmenter, or an encoder of a {SegmenterSpec.backbone}. "
            f"Leave it out. What was found: {error}"
        ) from error


def _flattered(sides: MaskSides, plan: MaskCurvePlan, say: Say) -> int:
    """How many held-out pictures a start has learned from."""
    knowing = {start.name: known_to(start.name, sides.folder, sides.test) for start in plan.starts}
    flattered = [name for name, known in knowing.items() if known.any()]
    if not flattered:
        return 0
    count = int(np.any([knowing[name] for name in flattered], axis=0).sum())
    say(
        f"Note: {count} of the {len(sides.test)} held-out pictures trained {' and '.join(flattered)} before; what begins with "
        "them looks better here than on new pictures."
    )
    return count


def _affordable(counts: Sequence[int], most: int, say: Say) -> tuple[int, ...]:
    """Those that the pool has."""
    if max(counts) > most:
        say(f"Note: {most} masks are there to learn from; {most} stands for every larger number.")
    return tuple(sorted({min(count, most) for count in counts}))


@dataclass(frozen=True, eq=False)
class _Results:
    """Figures of trials, each kept in a file of its own as soon as it is known; what learns nothing is looked at again."""

    sides: MaskSides
    plan: MaskCurvePlan
    folder: Path

    def of_trials(self, say: Say) -> dict[MaskTrial, Figures]:
        """Learns what the folder does not hold."""
        self.folder.mkdir(exist_ok=True)
        files = self._files()
        missing = {trial: file for trial, file in files.items() if not file.is_file()}
        if kept := len(files) - len(missing):
            say(f"{kept} of {len(files)} fits are in {self.folder}, and are not learned again.")
        with bar("Learning", len(missing) * self.plan.steps) as progress:
            for done, (trial, file) in enumerate(missing.items()):
                training, fit = self.sides.planned(trial, self.plan)
                if not done:
                    minutes = max(1, round(len(missing) * fit.seconds / 60))
                    say(f"Fits to learn: {len(missing)}, {self.plan.steps} steps each, about {minutes} min.")
                share = lambda part, done=done: progress(round((done + part) * self.plan.steps))  # noqa: E731
                network = trained(training, fit, Watch(progress=share)).network
                write_whole(file, json.dumps(self.sides.figures(by_network(network))))
        return {trial: json.loads(file.read_text(encoding="utf-8")) for trial, file in files.items()}

    def of_baselines(self) -> dict[str, Figures]:
        """Otsu's threshold, and whole segmenters before they learn."""
        found = {OTSU: self.sides.figures(by_otsu)}
        for name in dict.fromkeys(start.name for start in self.plan.starts if is_whole_start(start.name)):
            found[name] = self.sides.figures(by_network(begun_segmenter(name)))
        return found

    def _files(self) -> dict[MaskTrial, Path]:
        """Of its own for every start with its weights, every draw of masks and every setting."""
        pictures, plan = self.sides.folder.pictures, self.plan
        rows = (*self.sides.pool, *self.sides.test)
        contents = {row: (pictures[row].content, content_hash(pictures[row].mask)) for row in rows}
        tested = [contents[row] for row in self.sides.test]
        weights = {start: _weights(start) for start in plan.starts}
        files = {}
        for trial in plan.trials:
            settings = [trial.repeat, plan.steps, plan.batch_size, plan.view_px, plan.seed, self.sides.folder.kind]
            learned = [contents[row] for row in self.sides.drawn(trial, plan)]
            content = [version("morphoscope"), weights[trial.start], settings, learned, tested]
            key = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", str(trial.start))[-60:]
            files[trial] = self.folder / f"{name}-{trial.masks}-{trial.repeat}-{key}.json"
        return files


def _weights(start: Start) -> list[str]:
    """The start, and what its files hold: a folder may have been trained again since."""
    path = Path(start.name)
    files = [path] if path.is_file() else sorted(path.rglob("*.safetensors")) if path.is_dir() else []
    return [str(start), *map(content_hash, files)]


def _rows(page: MaskCurvePage) -> list[dict[str, object]]:
    """The rows of curve.csv; what learns nothing has 0 masks."""
    return [
        {"encoder": name, "masks": masks, "repeat": repeat, "n_test": len(page.test_groups)}
        | {figure: float(np.mean(figures[figure])) for figure in FIGURES}
        for name, masks, found in page.points
        for repeat, figures in enumerate(found)
    ]


def _means(page: MaskCurvePage) -> list[dict[str, object]]:
    """The rows of means.csv: over repeats and pictures, with the ends of 95 % intervals."""
    rows = []
    for point in page.points:
        row: dict[str, object] = {"encoder": point[0], "masks": point[1]}
        for figure in FIGURES:
            mean, interval = page.estimate(point, figure)
            low, high = interval or (None, None)
            row |= {figure: mean, f"{figure}_low": low, f"{figure}_high": high}
        rows.append(row)
    return rows
