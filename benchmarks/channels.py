"""What a spectrum and a diffraction pattern add where pixels can't tell, and what is left when files are missing.

    python benchmarks/channels.py --work runs        # renders and trains what `runs` does not hold, writes CHANNELS.md

Rendered materials (`morphoscope render materials`): gold and silver have the same lattice and are drawn alike, so only a spectrum
tells them apart; anatase and rutile have the same elements and are drawn alike, so only diffraction does. One model learns all six
materials from its training folder; the test folder is rendered from another seed, so no specimen is in both.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.predict import predict
from morphoscope.apps.verbs.train import train
from morphoscope.scores.intervals import accuracy_interval
from morphoscope.synthesis import write_dataset

PAIRS = (("gold", "silver"), ("anatase", "rutile"))
SPECTRUM, DIFFRACTION = "spectrum_file", "diffraction_file"
SIZE = 96
PAGE = Path(__file__).parent / "CHANNELS.md"
SHARE_MISSING = 0.5


def rendered(work: Path, name: str, count: int, seed: int) -> Path:
    """A folder of rendered materials, drawn now where the work folder has none."""
    folder = work / name
    if not (folder / "labels.csv").is_file():
        write_dataset("materials", count, folder, size=SIZE, seed=seed)
    return folder


def blanked(folder: Path, column: str, share: float, seed: int) -> None:
    """A share of a column's cells made blank in labels.csv, at random."""
    sheet = pd.read_csv(folder / "labels.csv")
    gone = np.random.default_rng(seed).permutation(len(sheet))[: round(share * len(sheet))]
    sheet.loc[gone, column] = None
    sheet.to_csv(folder / "labels.csv", index=False)


def model(work: Path, folder: Path, epochs: int) -> Path:
    """The trained run."""
    run = work / "run"
    if not (run / "metrics.json").is_file():
        train(
            folder / "images",
            labels=folder / "labels.csv",
            tasks=["Material"],
            group="Sample",
            epochs=epochs,
            settings=[f"model.image_size={SIZE}", 'model.branches=["image","texture","metadata","spectrum","diffraction"]'],
            out=run,
            seed=0,
            say=print,
        )
    return run


def asked(run: Path, folder: Path, work: Path, missing: dict[str, float]) -> pd.DataFrame:
    """The test sheet with the model's answers, where a share of each column's cells is blank."""
    sheet = pd.read_csv(folder / "labels.csv")
    for column, share in missing.items():
        gone = np.random.default_rng(1).permutation(len(sheet))[: round(share * len(sheet))]
        sheet.loc[gone, column] = None
    given, table = folder / "asked.csv", work / "asked.csv"
    sheet.to_csv(given, index=False)
    predict(run, folder / "images", table, metadata=given, overwrite=True)
    answers = pd.read_csv(table)
    answers["filename"] = [Path(path).name for path in answers["path"]]
    return sheet.merge(answers, on="filename")


def pair_hits(table: pd.DataFrame, pair: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Right or wrong between the two of a pair, for the pictures that show either, and their samples."""
    rows = table[table["Material"].isin(pair)]
    first = rows[f"Material.p[{pair[0]}]"] > rows[f"Material.p[{pair[1]}]"]
    said = np.where(first, pair[0], pair[1])
    return said == rows["Material"].to_numpy(), rows["Sample"].to_numpy()


def figure(hits: np.ndarray, groups: np.ndarray) -> str:
    """Accuracy with its interval, which allows for samples."""
    interval = accuracy_interval(hits, groups)
    assert interval is not None
    return f"**{hits.mean():.3f}** ({interval[0]:.2f}–{interval[1]:.2f})"


CASES: dict[str, dict[str, float]] = {
    "picture and metadata alone": {SPECTRUM: 1.0, DIFFRACTION: 1.0},
    "and its spectrum": {DIFFRACTION: 1.0},
    "and its diffraction pattern": {SPECTRUM: 1.0},
    "and both": {},
    "and both, half of the spectra missing": {SPECTRUM: SHARE_MISSING},
    "and both, half of the patterns missing": {DIFFRACTION: SHARE_MISSING},
}


def page(run: Path, tables: dict[str, pd.DataFrame], counts: tuple[int, int]) -> str:
    """CHANNELS.md: pairs by what was given, then what each input knows alone of all six materials."""
    metrics: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    text = [part.strip() for part in (__doc__ or "").split("\n\n")]
    lines = ["# Channels", "", text[0], "", text[2], ""]
    lines += [
        f"Trained on {counts[0]} pictures ({SIZE} px; a fifth of their spectra and of their patterns missing), tested on "
        f"{counts[1]}. A pair's figure is how often the right one of the two has the larger probability, over the test pictures that "
        "show either; always saying one of them is right in 0.500. Intervals are 95 % and allow for specimens of five pictures.",
        "",
    ]
    lines += [
        f"| given | {' | '.join(' or '.join(pair) + '?' for pair in PAIRS)} | all six |",
        f"|---|{'---|' * (len(PAIRS) + 1)}",
    ]
    for case, table in tables.items():
        cells = [figure(*pair_hits(table, pair)) for pair in PAIRS]
        six = (table["Material.best"] == table["Material"]).to_numpy()
        lines.append(f"| {case} | {' | '.join(cells)} | {figure(six, table['Sample'].to_numpy())} |")
    material = metrics["tasks"]["Material"]
    low, high = material["accuracy_ci95"]
    lines += [
        "",
        f"On the run's own held-out part ({material['n']} pictures, files as they are), what the report shows of each input alone:",
        "",
        "| input | all six materials |",
        "|---|---|",
        f"| majority class | {material['majority_accuracy']:.3f} |",
        f"| the whole model | **{material['accuracy']:.3f}** ({low:.2f}–{high:.2f}) |",
    ]
    for name, figures in metrics["branches"].items():
        low, high = figures["Material"]["accuracy_ci95"]
        lines.append(f"| {name} | **{figures['Material']['accuracy']:.3f}** ({low:.2f}–{high:.2f}) |")
    lines += ["", f"{metrics['seconds_training'] / 60:.0f} min of training; {metrics['encoder']}.", ""]
    return "\n".join(lines)


def main() -> None:
    """Renders and trains where needed and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--train", type=int, default=480, help="pictures to learn from")
    parser.add_argument("--test", type=int, default=600, help="pictures to test on")
    parser.add_argument("--epochs", type=int, default=25)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    learned = options.work / "train"
    if not (learned / "labels.csv").is_file():
        rendered(options.work, "train", options.train, seed=1)
        for seed, column in enumerate((SPECTRUM, DIFFRACTION)):
            blanked(learned, column, 0.2, seed)
    tested = rendered(options.work, "test", options.test, seed=2)
    run = model(options.work, learned, options.epochs)
    tables = {case: asked(run, tested, options.work, missing) for case, missing in CASES.items()}
    PAGE.write_text(page(run, tables, (options.train, options.test)), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
