"""What a spectrum and a diffraction pattern add where pixels can't tell, and what is left when files are missing.

    python benchmarks/channels.py --work runs        # renders and trains what `runs` does not hold, writes CHANNELS.md

Rendered materials (`morphoscope render materials`): gold and silver have the same lattice and are drawn alike, so only a spectrum
tells them apart; anatase and rutile have the same elements and are drawn alike, so only diffraction does. One model learns all six
materials from its training folder; the test folder is rendered from another seed, so no specimen is in both.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.train import train
from morphoscope.data.channel_columns import ChannelColumns
from morphoscope.data.channel_sheet import channel_files
from morphoscope.data.readings import read_calibrated
from morphoscope.inference.predictor import Predictor, Seen
from morphoscope.models.branches import channel_kinds
from morphoscope.models.bundle import Bundle
from morphoscope.scores.intervals import accuracy_interval
from morphoscope.synthesis import write_dataset

PAIRS = (("gold", "silver"), ("anatase", "rutile"))
SPECTRUM, DIFFRACTION = "spectrum_file", "diffraction_file"
SIZE, CANVAS = 96, 64
BATCH = 32
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
            settings=[f"model.image_size={CANVAS}", 'model.branches=["image","texture","metadata","spectrum","diffraction"]'],
            out=run,
            seed=0,
            say=print,
        )
    return run


@dataclass(frozen=True)
class Test:
    """The test pictures as the network takes them, with all of their files: one of `seen` a row of `sheet`."""

    predictor: Predictor
    sheet: pd.DataFrame
    seen: list[Seen]

    @classmethod
    def of(cls, run: Path, folder: Path) -> Test:
        """Reads every picture and its files once, as `morphoscope predict` does."""
        predictor = Predictor(Bundle.load(run))
        sheet = pd.read_csv(folder / "labels.csv")
        paths = [folder / "images" / name for name in sheet["filename"]]
        named = channel_files(folder / "labels.csv", paths, [folder / "images"], ChannelColumns(channel_kinds()))
        return cls(predictor, sheet, [predictor.see(read_calibrated(path), files=named.files[path]) for path in paths])

    def answers(self, missing: dict[str, float]) -> pd.DataFrame:
        """The sheet with the model's probabilities and its best guess, where a share of each channel's files is missing."""
        gone = {
            channel: np.random.default_rng(1).permutation(len(self.seen)) < share * len(self.seen)
            for channel, share in missing.items()
        }
        given = [
            (one.micrograph.path, replace(one, absent=one.absent | {channel for channel in gone if gone[channel][row]}))
            for row, one in enumerate(self.seen)
        ]
        batches = [self.predictor.answer(given[start : start + BATCH]).predictions[0] for start in range(0, len(given), BATCH)]
        probabilities = np.concatenate([batch.probabilities for batch in batches])
        classes = batches[0].task.classes
        table = self.sheet.assign(best=[classes[i] for i in probabilities.argmax(1)])
        return table.assign(**{f"p[{name}]": probabilities[:, i] for i, name in enumerate(classes)})


def pair_hits(table: pd.DataFrame, pair: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Right or wrong between the two of a pair, for the pictures that show either, and their samples."""
    rows = table[table["Material"].isin(pair)]
    first = rows[f"p[{pair[0]}]"] > rows[f"p[{pair[1]}]"]
    said = np.where(first, pair[0], pair[1])
    return said == rows["Material"].to_numpy(), rows["Sample"].to_numpy()


def figure(hits: np.ndarray, groups: np.ndarray) -> str:
    """Accuracy with its interval, which allows for samples."""
    interval = accuracy_interval(hits, groups)
    assert interval is not None
    return f"**{hits.mean():.3f}** ({interval[0]:.2f}–{interval[1]:.2f})"


CASES: dict[str, dict[str, float]] = {
    "picture and metadata alone": {"spectrum": 1.0, "diffraction": 1.0},
    "and its spectrum": {"diffraction": 1.0},
    "and its diffraction pattern": {"spectrum": 1.0},
    "and both": {},
    "and both, half of the spectra missing": {"spectrum": SHARE_MISSING},
    "and both, half of the patterns missing": {"diffraction": SHARE_MISSING},
}


def page(run: Path, tables: dict[str, pd.DataFrame], counts: tuple[int, int]) -> str:
    """CHANNELS.md: pairs by what was given, then what each input knows alone of all six materials."""
    metrics: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    text = [part.strip() for part in (__doc__ or "").split("\n\n")]
    lines = ["# Channels", "", text[0], "", text[2], ""]
    lines += [
        f"Trained on {counts[0]} pictures ({SIZE} px, {CANVAS} px for the network; a fifth of their spectra and of their patterns "
        f"missing), tested on {counts[1]}. A pair's figure is how often the right one of the two has the larger probability, over the "
        "test pictures that show either; always saying one of them is right in 0.500. Intervals are 95 % and allow for specimens of "
        "five pictures.",
        "",
    ]
    lines += [
        f"| given | {' | '.join(' or '.join(pair) + '?' for pair in PAIRS)} | all six |",
        f"|---|{'---|' * (len(PAIRS) + 1)}",
    ]
    for case, table in tables.items():
        cells = [figure(*pair_hits(table, pair)) for pair in PAIRS]
        six = (table["best"] == table["Material"]).to_numpy()
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
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    learned = options.work / "train"
    if not (learned / "labels.csv").is_file():
        rendered(options.work, "train", options.train, seed=1)
        for seed, column in enumerate((SPECTRUM, DIFFRACTION)):
            blanked(learned, column, 0.2, seed)
    tested = rendered(options.work, "test", options.test, seed=2)
    run = model(options.work, learned, options.epochs)
    test = Test.of(run, tested)
    tables = {case: test.answers(missing) for case, missing in CASES.items()}
    PAGE.write_text(page(run, tables, (options.train, options.test)), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
