"""How far the confidence of a model can be trusted, on rendered particles that it has not seen.

    python benchmarks/confidence.py --work runs        # trains what `runs` does not hold, writes CONFIDENCE.md

For each seed a model learns from a few hundred small pictures, grouped by specimen; then it answers freshly rendered pictures
of other specimens, and pictures of kinds that were never among its training pictures. Figures: the share of conformal sets
that hold the truth (90 % is meant), the expected calibration error (15 bins; a perfect model of so few pictures reads about
0.03), and how well novelty tells unseen kinds from new pictures of the known kind.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from morphoscope.apps.verbs.evaluate import evaluate
from morphoscope.apps.verbs.predict import predict
from morphoscope.apps.verbs.train import train
from morphoscope.models.bundle import Bundle
from morphoscope.synthesis import write_dataset

PAGE = Path(__file__).parent / "CONFIDENCE.md"
SIZE = (96, 128)
N_TRAINING, N_NEW, N_UNSEEN = 240, 400, 60
UNSEEN = ("tem-nanowires", "sem10")
SETTINGS = ("model.image_size=64",)
EPOCHS = 30


def rendered(kind: str, count: int, seed: int, folder: Path) -> Path:
    """The folder of a rendered data set, drawn now where it is not there."""
    if not (folder / "labels.csv").is_file():
        write_dataset(kind, count, folder, size=SIZE, seed=seed)
    return folder


def figures(seed: int, work: Path, settings: tuple[str, ...], name: str) -> dict[str, Any]:
    """Of one seed: a row a task, and the area under the curve of novelty an unseen kind."""
    run = work / f"{name}-{seed}"
    result = run / "figures.json"
    if result.is_file():
        return json.loads(result.read_text(encoding="utf-8"))
    learning = rendered("particles", N_TRAINING, 100 + seed, work / f"learning-{seed}")
    new = rendered("particles", N_NEW, 200 + seed, work / f"new-{seed}")
    train(
        learning / "images",
        labels=learning / "labels.csv",
        group="Sample",
        out=run,
        seed=seed,
        epochs=EPOCHS,
        settings=settings,
        overwrite=True,
    )
    summary = evaluate(run, new / "images", labels=new / "labels.csv", group="Sample", out=run / "new", overwrite=True)
    tasks = {}
    for outcome, confidence in zip(summary.outcomes, Bundle.load(run).confidence, strict=True):
        metrics = outcome.metrics()
        keys = ("accuracy", "ece", "set_coverage", "mean_set_size", "coverage", "accuracy_at_coverage")
        tasks[outcome.task.name] = {key: metrics.get(key) for key in keys} | {"n_calibration": confidence.n_calibration}
    known = pd.read_csv(run / "new" / "predictions.csv")["novelty"].to_numpy(float)
    novelty = {}
    for kind in UNSEEN:
        folder = rendered(kind, N_UNSEEN, 300 + seed, work / f"{kind}-{seed}")
        table = predict(run, folder / "images", run / f"{kind}.csv", overwrite=True)
        unseen = pd.read_csv(table)["novelty"].to_numpy(float)
        truth = np.r_[np.zeros(len(known)), np.ones(len(unseen))]
        novelty[kind] = float(roc_auc_score(truth, np.r_[known, unseen]))
    found = {"tasks": tasks, "novelty": novelty}
    result.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def page(by_seed: dict[int, dict[str, Any]]) -> str:
    """CONFIDENCE.md: a row a task, mean over the seeds with the lowest and highest."""
    lines = ["# Confidence", "", (__doc__ or "").split("\n\n")[0], "", (__doc__ or "").split("\n\n")[2].strip(), ""]
    lines += [
        f"{len(by_seed)} seeds; {N_TRAINING} pictures of {SIZE[0]} x {SIZE[1]} px to learn from, {N_NEW} new ones; {EPOCHS} epochs, "
        f"{', '.join(SETTINGS)}. Mean (lowest to highest seed).",
        "",
        "| task | pictures to calibrate on | accuracy | truth in the set | classes in the set | calibration error |"
        " answered | accuracy of answered |",
        "|---|---|---|---|---|---|---|---|",
    ]
    keys = ("n_calibration", "accuracy", "set_coverage", "mean_set_size", "ece", "coverage", "accuracy_at_coverage")
    for task in next(iter(by_seed.values()))["tasks"]:
        lines.append(
            f"| {task} | " + " | ".join(_spread([s["tasks"][task][key] for s in by_seed.values()]) for key in keys) + " |"
        )
    lines += ["", "Novelty, area under the curve against new particles (0.5 is chance):", ""]
    for kind in UNSEEN:
        lines.append(f"- {kind}: {_spread([found['novelty'][kind] for found in by_seed.values()])}")
    return "\n".join(lines) + "\n"


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    if max(known) > 3:
        return f"{np.mean(known):.0f} ({min(known):.0f}–{max(known):.0f})"
    return f"{np.mean(known):.2f} ({min(known):.2f}–{max(known):.2f})"


def main() -> None:
    """Trains where needed and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], help="further settings of the recipe; such runs write no page")
    parser.add_argument("--name", default="run", help="of the runs in the work folder")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    chosen = (*SETTINGS, *options.set)
    found = {seed: figures(seed, options.work, chosen, options.name) for seed in range(options.seeds)}
    text = page(found)
    print(text)
    if not options.set:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
