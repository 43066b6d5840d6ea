"""Class folders of SEM pictures never seen before, from random weights: accuracy, balanced accuracy and minutes.

    python benchmarks/class_folders.py --data ../shared/data --work runs        # trains what `runs` does not hold, writes the page

Three seeds, each of which holds out another fifth of the pictures; near-duplicates, and pictures of one paper, stay on one side.
Two sets of three classes: rendered (sem10: particles, fibres, porous sponges) and real (EMPS, its SEM pictures by morphology).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morphoscope.synthesis import write_dataset

PAGE = Path(__file__).parent / "CLASS_FOLDERS.md"
SEEDS, MINUTES = 3, 8
RENDERED_CLASSES, RENDERED_COUNT = ("Particles", "Fibres", "Porous_Sponge"), 400
REAL_CLASSES = {"Sphere": "Sphere", "Cube-polyhedron": "Cube-polyhedron", "Rod": "Elongated", "Wire-fibre": "Elongated"}
MOST_A_CLASS = 60


def rendered_folders(work: Path) -> Path:
    """images/CLASS/ of three of the ten rendered classes."""
    every, chosen = work / "sem10", work / "rendered-folders"
    if not chosen.is_dir():
        write_dataset("sem10", RENDERED_COUNT, every, size=(192, 256), seed=11, layout="folders")
        found = {folder.name.casefold(): folder for folder in (every / "images").iterdir()}
        for name in RENDERED_CLASSES:
            shutil.copytree(found[name.casefold()], chosen / name)
    return chosen


def real_folders(work: Path, data: Path) -> Path:
    """CLASS/ of the SEM pictures of EMPS, at most MOST_A_CLASS each, whole papers in random order."""
    chosen = work / "emps-folders"
    if not chosen.is_dir():
        sheet = pd.read_csv(data / "emps" / "labels.csv", keep_default_na=False)
        sheet = sheet[(sheet["Modality"] == "SEM") & sheet["Morphology"].isin(REAL_CLASSES)]
        sheet = sheet.assign(Class=sheet["Morphology"].map(REAL_CLASSES))
        order = dict(zip(sheet["Paper"].unique(), np.random.default_rng(0).permutation(sheet["Paper"].nunique()), strict=True))
        sheet = sheet.sort_values("Paper", key=lambda paper: paper.map(order)).groupby("Class").head(MOST_A_CLASS)
        for name, part in sheet.groupby("Class"):
            (chosen / str(name)).mkdir(parents=True)
            for file in part["filename"]:
                shutil.copy(data / "emps" / "images" / file, chosen / str(name) / file)
        sheet[["filename", "Paper", "Class"]].to_csv(work / "emps-folders.csv", index=False)
    return chosen


def figures(name: str, folder: Path, words: list[str], seed: int, work: Path) -> dict[str, Any]:
    """metrics.json of one seed, trained now where the work folder has none."""
    run = work / f"{name}-{seed}"
    if not (run / "metrics.json").is_file():
        command = [sys.executable, "-m", "morphoscope.apps.cli.main", "train", str(folder), *words, "--encoder", "random"]
        command += ["--seed", str(seed), "--split", "80/20", "--time-budget", str(MINUTES), "--out", str(run), "--overwrite"]
        subprocess.run(command, check=True)
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def row(name: str, folder: Path, found: list[dict[str, Any]]) -> str:
    """A line of the page: means over the seeds, with the lowest and the highest."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    pictures = ", ".join(f"{path.name} {len(list(path.iterdir()))}" for path in classes)
    (task,) = found[0]["tasks"]
    each = [document["tasks"][task] for document in found]
    spread = [[one[key] for one in each] for key in ("accuracy", "balanced_accuracy", "macro_f1")]
    minutes = np.mean([document["seconds_training"] for document in found]) / 60
    shown = " | ".join(f"**{np.mean(values):.3f}** ({min(values):.2f}–{max(values):.2f})" for values in spread)
    tested = sum(one["n"] for one in each)
    return f"| {name}: {pictures} | {tested} | {each[0]['majority_accuracy']:.3f} | {shown} | {len(found)} | {minutes:.1f} |"


def main() -> None:
    """Trains where needed; the page is written as results come in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    real = real_folders(options.work, options.data)
    sheet = ["--labels", str(options.work / "emps-folders.csv"), "--group", "Paper", "--tasks", "Class"]
    sets: dict[str, tuple[Path, list[str]]] = {"rendered": (rendered_folders(options.work), []), "emps": (real, sheet)}
    parts = (__doc__ or "").split("\n\n")
    lines = ["# Class folders", "", parts[0], "", parts[2].strip(), ""]
    lines += [f"At most {MINUTES} minutes a run, on one thread of a shared machine. Means over seeds (lowest to highest).", ""]
    lines += [
        "| set | tested | majority class | accuracy | balanced accuracy | macro-F1 | seeds | minutes a run |",
        "|---|---|---|---|---|---|---|---|",
    ]
    done: dict[str, list[dict[str, Any]]] = {name: [] for name in sets}
    for seed in range(SEEDS):
        for name, (folder, words) in sets.items():
            done[name].append(figures(name, folder, words, seed, options.work))
            shown = [row(each, sets[each][0], found) for each, found in done.items() if found]
            PAGE.write_text("\n".join([*lines, *shown]) + "\n", encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
