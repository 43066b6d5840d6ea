"""What few labels give, and which pictures to label: frozen features of the shipped encoder, beside texture and random weights.

    python benchmarks/few_labels.py --data ../shared/data --work runs        # renders and looks once, writes FEW_LABELS.md

Rendered sets come from seeds that no encoder has seen, at the greatest difficulty; EMPS splits keep papers whole; the
shipped encoder has seen EMPS's pictures, but no label of them. Accuracy is balanced: the mean recall of the classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.curve import curve
from morphoscope.apps.verbs.embed import embed
from morphoscope.data.catalogue import load_catalogue
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Task
from morphoscope.synthesis import write_dataset
from morphoscope.training.few_labels.heads import USUAL_C, log_probabilities, standardiser
from morphoscope.training.few_labels.selection import STRATEGIES, choose, uncertainty

PAGE = Path(__file__).parent / "FEW_LABELS.md"
RENDERED = {"tem-nanowires": 480, "sem10": 600}
SEED, SIZE, DIFFICULTY = 90_001, 192, 1.0
EMPS_TASKS = ("Modality", "Particle count", "Morphology", "Structure", "Arrangement")
PER_CLASS = [1, 2, 4, 8, 16]
QUEUE_REPEATS = 10
TEST_SHARE = 0.4
ROUNDS, COMPARED = (1, 2, 3, 4, 6, 8, 11, 15), (3, 5, 6)
"""Labels after each round of asking, as multiples of the number of classes, the first without any model; and the rounds compared."""


Place = tuple[Path, Path, str, Sequence[str]]
"""Images, sheet, column of the groups, and tasks, all if empty."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """features (N, F), a task's class numbers (N,) with -1 where unknown, groups (N,)."""

    features: np.ndarray
    labels: dict[str, np.ndarray]
    groups: np.ndarray


def rendered(kind: str, work: Path) -> tuple[Path, Path]:
    """Images and sheet of a rendered set, drawn now where the work folder has none."""
    folder = work / f"few-{kind}"
    if not (folder / "labels.csv").is_file():
        write_dataset(kind, RENDERED[kind], folder, size=(SIZE, SIZE), seed=SEED, difficulty=DIFFICULTY)
    return folder / "images", folder / "labels.csv"


def curve_table(name: str, images: Path, sheet: Path, group: str, tasks: Sequence[str], work: Path) -> pd.DataFrame:
    """curve.csv of a set, made now where the work folder has none."""
    out = work / f"few-curve-{name}"
    if not (out / "curve.csv").is_file():
        curve(images, out, labels=sheet, group=group, tasks=tasks, per_class=PER_CLASS, overwrite=True, say=print)
    return pd.read_csv(out / "curve.csv")


def labelled_features(name: str, images: Path, sheet: Path, group: str, tasks: Sequence[str], work: Path) -> Labelled:
    """Features of the shipped encoder and the labels of the sheet."""
    table = work / f"few-features-{name}.parquet"
    if not table.is_file():
        embed("default", images, table)
    features = pd.read_parquet(table).set_index("path")
    catalogue, _ = load_catalogue([images], labels=[sheet], group=group, tasks=list(tasks) or None)
    rows = features.loc[[str(entry.path) for entry in catalogue.entries], "f0":].to_numpy(float)  # type: ignore[misc]
    truths = {task.name: catalogue.truth(task.name) for task in catalogue.schema.tasks}
    labels = {task: np.where(truth.any(1), truth.argmax(1), -1) for task, truth in truths.items()}
    return Labelled(rows, labels, np.array([entry.group or entry.name for entry in catalogue.entries]))


def asked(data: Labelled, strategy: str, seed: int) -> list[tuple[int, float]]:
    """(labels, mean balanced accuracy over tasks on held-back groups) after each round of asking."""
    rng = np.random.default_rng([seed, 7])
    names = rng.permutation(np.unique(data.groups))
    is_test = np.isin(data.groups, names[: round(TEST_SHARE * len(names))])
    pool, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    scaled = standardiser(data.features[pool])(data.features)
    n_classes = max(int(labels.max()) + 1 for labels in data.labels.values())
    labelled = np.zeros(len(pool), bool)
    unsure: np.ndarray | None = None
    found = []
    for multiple in ROUNDS:
        wanted = multiple * n_classes - int(labelled.sum())
        if strategy == "random":
            rows = rng.permutation(np.flatnonzero(~labelled))[:wanted]
        else:
            rows = choose(strategy, scaled[pool], unsure, labelled, wanted, seed)
        labelled[rows] = True
        accuracies, doubts = zip(
            *(_learned(scaled, labels, pool, pool[labelled], test) for labels in data.labels.values()), strict=True
        )
        unsure = np.mean(doubts, axis=0)
        found.append((int(labelled.sum()), float(np.mean(accuracies))))
    return found


def _learned(
    scaled: np.ndarray, labels: np.ndarray, pool: np.ndarray, taught: np.ndarray, test: np.ndarray
) -> tuple[float, np.ndarray]:
    """Balanced accuracy on the test rows, and uncertainty on the pool, both of a head on the taught rows."""
    taught, test = taught[labels[taught] >= 0], test[labels[test] >= 0]
    classes, truth = np.unique(labels[taught], return_inverse=True)
    if len(classes) < 2:
        return 1 / (int(labels.max()) + 1), np.ones(len(pool))
    rows = scaled[taught]
    basis = np.linalg.qr(rows.T)[0] if len(rows) < rows.shape[1] else np.eye(rows.shape[1])
    scores = log_probabilities(rows @ basis, truth, scaled[np.r_[test, pool]] @ basis, len(classes), USUAL_C)
    right = classes[scores[: len(test)].argmax(1)] == labels[test]
    answers = np.exp(scores[len(test) :])
    said = ClassPrediction(Task("task", tuple(map(str, classes))), answers, answers > 0, answers.max(1) > 0)
    return float(np.mean([right[labels[test] == c].mean() for c in np.unique(labels[test])])), uncertainty([said])


def queue_rows(name: str, place: Place, work: Path) -> list[str]:
    """Table rows: each strategy's accuracy after each round, and what it needs of random's labels for the same accuracy."""
    kept = work / f"few-queue-{name}.txt"
    if kept.is_file():
        return kept.read_text(encoding="utf-8").splitlines()
    data = labelled_features(name, *place, work)
    curves = {
        s: np.mean([[a for _, a in asked(data, s, r)] for r in range(QUEUE_REPEATS)], axis=0) for s in ("random", *STRATEGIES)
    }
    counts = np.array([n for n, _ in asked(data, "random", 0)])
    chance = curves["random"]
    rows = [f"| {name} | labels | {' | '.join(map(str, counts))} | |"]
    for strategy, accuracy in curves.items():
        rising = np.maximum.accumulate(accuracy)
        needed = [100 * np.interp(chance[r], rising, counts) / counts[r] for r in COMPARED]
        shown = " | ".join(f"{value:.3f}" for value in accuracy)
        rows.append(f"| | {strategy} | {shown} | {'' if strategy == 'random' else ' · '.join(f'{n:.0f} %' for n in needed)} |")
        print(rows[-1], flush=True)
    kept.write_text("\n".join(rows), encoding="utf-8")
    return rows


def curve_rows(name: str, table: pd.DataFrame) -> list[str]:
    """Table rows: mean over splits and tasks at each number of labels, and the spread over splits at eight."""
    rows = []
    for encoder in ("default", "texture", "random"):
        mine = table[table["encoder"] == encoder]
        means = mine.groupby("per_class")["balanced_accuracy"].mean()
        by_split = mine[mine["per_class"] == 8].groupby("repeat")["balanced_accuracy"].mean()
        shown = " | ".join(f"{means[n]:.3f}" for n in PER_CLASS)
        rows.append(f"| {name} | {encoder} | {shown} | {by_split.std():.3f} |")
    return rows


def main() -> None:
    """Renders, looks, learns, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    sets = {kind: (*rendered(kind, options.work), "Sample", ()) for kind in RENDERED}
    emps = options.data / "emps"
    if emps.is_dir():
        sets["EMPS"] = (emps / "images", emps / "labels.csv", "Paper", EMPS_TASKS)
    else:
        print(f"{emps} is missing: rendered sets only")
    lines = ["# Few labels", "", *(part.strip() for part in (__doc__ or "").split("\n\n")[::2]), ""]
    lines += ["Balanced accuracy by labels a class, mean of ten splits (of tasks too, where a set has several):", ""]
    lines += [f"| set | features | {' | '.join(map(str, PER_CLASS))} | spread of a split at 8 |", f"|---|---|{'---|' * 6}"]
    for name, place in sets.items():
        lines += curve_rows(name, curve_table(name, *place, options.work))
    lines += [
        "",
        f"What to label next: balanced accuracy by labels in all, mean of {QUEUE_REPEATS} splits. Last column: labels that the",
    ]
    lines += [
        "strategy needs for what random reaches with 4, 8 and 11 times as many labels as classes, as a share of random's.",
        "",
    ]
    lines += [f"| set | strategy |{' |' * len(ROUNDS)} needs |", f"|---|---|{'---|' * (len(ROUNDS) + 1)}"]
    for name, place in sets.items():
        lines += queue_rows(name, place, options.work)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
