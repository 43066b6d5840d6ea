"""The whole tour on rendered micrographs: no data, no network, nothing to prepare."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from morphoscope.apps.verbs.arguments import PathLike, Say, silent
from morphoscope.apps.verbs.evaluate import evaluate
from morphoscope.apps.verbs.measure import measure
from morphoscope.apps.verbs.output import claim_folder
from morphoscope.apps.verbs.predict import predict
from morphoscope.apps.verbs.progress import bar
from morphoscope.apps.verbs.train import train
from morphoscope.synthesis import write_dataset

OWN_RESULTS = ("rendered", "new", "run", "evaluation", "predictions.csv", "measurements.csv", "labelled", "measured")


@dataclass(frozen=True)
class Tour:
    """How long the tour is: pictures to learn from, pictures to try on, minutes of training."""

    n_learning: int
    n_new: int
    minutes: float


QUICK, FULL = Tour(400, 60, 2.3), Tour(1200, 120, 7.5)
KIND = "particles"
SIZE = (224, 256)


def demo(
    out: PathLike = "morphoscope-demo",
    *,
    quick: bool = False,
    overwrite: bool = False,
    say: Say = silent,
    command: str = "morphoscope demo",
) -> Path:
    """Renders micrographs, trains, evaluates on new ones, predicts and measures: the whole tour without any data.

        morphoscope.demo("tour", quick=True, say=print)

    The options are those of `morphoscope demo`. Returns the report's path. Raises MorphoscopeError where `out` can't be
    written or holds an earlier tour.
    """
    tour, out = QUICK if quick else FULL, Path(out)
    claim_folder(out, OWN_RESULTS, overwrite)
    for name in OWN_RESULTS:
        shutil.rmtree(out / name, ignore_errors=True)
    learning, new, run = out / "rendered", out / "new", out / "run"
    for folder, count, seed in ((learning, tour.n_learning, 0), (new, tour.n_new, 1)):
        say(f"Rendering {count} micrographs of particles with known labels and sizes: {folder}")
        with bar("Rendering", count) as progress:
            advance = partial(_advance, progress, itertools.count(1))
            write_dataset(KIND, count, folder, size=SIZE, seed=seed, workers=2, progress=advance)
    say("Training on all label columns at once.")
    train(
        learning / "images",
        labels=learning / "labels.csv",
        group="Sample",
        out=run,
        time_budget_min=tour.minutes,
        say=say,
        command=command,
    )
    say("Evaluating on pictures of other specimens.")
    images = new / "images"
    evaluate(run, images, labels=new / "labels.csv", group="Sample", out=out / "evaluation", say=say, command=command)
    predict(run, images, out / "predictions.csv", overlay=out / "labelled", overwrite=True, say=say)
    say("Measuring the particles in nanometres, on the rendered masks.")
    measure([images], out=out / "measurements.csv", masks=new / "instance_maps", report=out / "measured", overwrite=True)
    report = run / "report.html"
    say(f"Done. Open {report}, then {out / 'labelled'} and {out / 'measured'}.")
    return report


def _advance(progress: Callable[[int], None], drawn: Iterator[int]) -> None:
    progress(next(drawn))
