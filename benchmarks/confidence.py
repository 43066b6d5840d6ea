"""How far the confidence of a model can be trusted, on rendered particles that it has not seen.

    python benchmarks/confidence.py --work runs        # trains what `runs` does not hold, writes CONFIDENCE.md

For each seed a model learns from a few hundred small pictures, grouped by specimen, then answers freshly rendered pictures of
other specimens. Its confidence is fitted once on the validation pictures alone, and once on all pictures of the training side,
each answered by a network that did not learn from it (fit.calibration_fits). Figures: the share of conformal sets that hold
the truth (90 % is meant) and the expected calibration error (15 bins; exact confidence reads about 0.03 on so few pictures).
Novelty: a model of TEM particles is asked about kinds that it never saw; how well it tells them from new TEM particles.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from morphoscope.apps.verbs.arguments import silent
from morphoscope.apps.verbs.fits import FitSeries
from morphoscope.apps.verbs.folder import Folder, FolderRequest, read_folder
from morphoscope.data.split import calibration_turns, split
from morphoscope.inference.forward import FUSED, Answers
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.synthesis import write_dataset
from morphoscope.training.experiment import Material, Trial, answers
from morphoscope.training.recipe import load_recipe

PAGE = Path(__file__).parent / "CONFIDENCE.md"
SIZE = (72, 96)
N_TRAINING, N_NEW = 240, 400
SETTINGS = ["model.image_size=48", "fit.epochs=20"]
WAYS = {"validation pictures": 0, "with 2 further fits": 2}
KNOWN, UNSEEN = "tem-particles", ("sem10", "sem-particles", "tem-nanowires", "accords")
NOVELTY_SIZE, N_KNOWN, N_ASKED = (96, 128), 160, 48
NOVELTY_SETTINGS = ["model.image_size=64", "fit.epochs=12", 'model.branches=["image", "texture"]']
KEYS = ("set_coverage", "mean_set_size", "ece", "coverage", "accuracy_at_coverage")


def rendered(kind: str, count: int, seed: int, folder: Path, size: tuple[int, int] = SIZE) -> Folder:
    """A rendered data set, drawn now where it is not there."""
    if not (folder / "labels.csv").is_file():
        write_dataset(kind, count, folder, size=size, seed=seed)
    request = FolderRequest((folder / "images",), (folder / "labels.csv",), group="Sample")
    return read_folder(request, load_recipe("default", SETTINGS), silent)


def asked(trial: Trial, known: Material, pictures: Folder) -> Answers:
    """A trained network's answers to other pictures, on canvases like those that it knows."""
    preprocessing, names = known.preprocessing, pictures.prepared.kept
    canvases = pictures._reader.canvases(preprocessing, names)
    described = {"texture": pictures.prepared.textures}
    if "shape" in known.described:
        described["shape"] = pictures.shapes()
    other = Material(known.schema, preprocessing, canvases, described, pictures.metadata, [])
    samples = other.samples(trial.metadata_encoder, trial.fitted.network.spec.branches)
    return answers(trial.fitted, samples, np.arange(len(canvases)), {})


def figures(seed: int, work: Path) -> dict[str, Any]:
    """Of one seed: a way of calibrating to a task to its figures; and what novelty says of unseen kinds."""
    result = work / f"figures-{seed}.json"
    if result.is_file():
        return json.loads(result.read_text(encoding="utf-8"))
    learning = rendered("particles", N_TRAINING, 100 + seed, work / f"learning-{seed}")
    new = rendered("particles", N_NEW, 200 + seed, work / f"new-{seed}")
    recipe = load_recipe("default", [*SETTINGS, f"seed={seed}", f"fit.calibration_fits={max(WAYS.values())}", "encoder=default"])
    material = learning.material(recipe, silent)
    (fold,) = split(learning.truths, learning.effective_groups, "80/20", seed)
    turns = calibration_turns(fold, learning.truths, learning.effective_groups, seed)
    series = FitSeries(material, work / f"fits-{seed}", 1, print, resume=True)
    first = series.trial(fold, recipe, "model")
    found = asked(first, material, new)
    tasks: dict[str, Any] = {}
    for way, count in WAYS.items():
        trial = series.calibrated(first, recipe, turns[:count], "model")
        tasks[way] = {}
        for index, task in enumerate(material.schema.tasks):
            confidence = trial.confidence[FUSED][index]
            truth = new.catalogue.truth(task.name)
            metrics = TaskOutcome(confidence.predict(task, found.logits[FUSED][index]), truth, truth.sum(0)).metrics()
            tasks[way][task.name] = {key: metrics[key] for key in ("accuracy", *KEYS)} | {"n": confidence.n_calibration}
    document = {"tasks": tasks, "novelty": novelty(seed, work)}
    result.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return document


def novelty(seed: int, work: Path) -> dict[str, dict[str, float]]:
    """Kind to the area under the curve against new pictures of the known kind, the share above one half, and the median."""
    learning = rendered(KNOWN, N_KNOWN, 400 + seed, work / f"{KNOWN}-{seed}", NOVELTY_SIZE)
    recipe = load_recipe("default", [*NOVELTY_SETTINGS, f"seed={seed}", "encoder=default"])
    material = learning.material(recipe, silent)
    (fold,) = split(learning.truths, learning.effective_groups, "80/20", seed)
    trial = FitSeries(material, work / f"novelty-{seed}", 1, print, resume=True).trial(fold, recipe, "model")

    def of(kind: str) -> np.ndarray:
        pictures = rendered(kind, N_ASKED, 500 + seed, work / f"asked-{kind}-{seed}", NOVELTY_SIZE)
        return trial.novelty.novelty(asked(trial, material, pictures).appearance)

    usual = of(KNOWN)
    found = {}
    for kind in (KNOWN, *UNSEEN):
        values = usual if kind == KNOWN else of(kind)
        area = roc_auc_score(np.r_[np.zeros(len(usual)), np.ones(len(values))], np.r_[usual, values])
        found[kind] = {"area": float(area), "above": float((values > 0.5).mean()), "median": float(np.median(values))}
    return found


def page(by_seed: dict[int, dict[str, Any]]) -> str:
    """CONFIDENCE.md: a row a way of calibrating and task, then what the tasks and seeds have in common."""
    parts = (__doc__ or "").split("\n\n")
    lines = ["# Confidence", "", parts[0], "", parts[2].strip(), ""]
    lines += [
        f"Seeds: {len(by_seed)}; {N_TRAINING} pictures of {SIZE[0]} x {SIZE[1]} px, {N_NEW} new ones; {', '.join(SETTINGS)}. "
        "Mean (lowest to highest seed).",
        "",
        "| calibrated on | task | pictures | accuracy | truth in the set | classes in the set | calibration error | answered |"
        " accuracy of answered |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    summary = []
    for way in WAYS:
        rows = [found["tasks"][way] for found in by_seed.values()]
        for task in rows[0]:
            shown = [_spread([row[task][key] for row in rows]) for key in ("n", "accuracy", *KEYS)]
            lines.append(f"| {way} | {task} | {' | '.join(shown)} |")
        every = [row[task] for row in rows for task in row]
        off = np.array([abs(one["set_coverage"] - 0.9) for one in every])
        summary.append(
            f"- {way}: truth in the set {np.mean([one['set_coverage'] for one in every]):.3f}, off 90 % by {100 * off.mean():.1f} "
            f"points on average and {100 * off.max():.1f} at most, within 3 points in {(off <= 0.03).sum()} of {len(off)}; "
            f"calibration error {np.mean([one['ece'] for one in every]):.3f}, at most .05 in "
            f"{sum(one['ece'] <= 0.05 for one in every)} of {len(off)}"
        )
    lines += ["", "Over all tasks and seeds:", "", *summary, ""]
    lines += [
        f"Novelty: a model of {N_KNOWN} rendered {KNOWN}, {NOVELTY_SIZE[0]} x {NOVELTY_SIZE[1]} px, asked about {N_ASKED} pictures a kind.",
        "",
        "| asked | area under the curve (0.5 is chance) | novelty above one half | median novelty |",
        "|---|---|---|---|",
    ]
    for kind in (KNOWN, *UNSEEN):
        shown = [_spread([found["novelty"][kind][key] for found in by_seed.values()]) for key in ("area", "above", "median")]
        lines.append(f"| {'new ' + kind if kind == KNOWN else kind} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    digits = 0 if max(known) > 10 else 2
    spread = f" ({min(known):.{digits}f}–{max(known):.{digits}f})" if len(known) > 1 else ""
    return f"{np.mean(known):.{digits}f}{spread}"


def main() -> None:
    """Trains where needed and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found: dict[int, dict[str, Any]] = {}
    for seed in range(options.seeds):
        found[seed] = figures(seed, options.work)
        PAGE.write_text(page(found), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
