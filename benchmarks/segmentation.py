"""How well objects are found on real micrographs whose papers the segmenter has not seen, beside what a user would do otherwise.

    python benchmarks/segmentation.py --data ../shared/data --work W

W is the work folder of tools/train_segmenter.py with its folds: each picture of EMPS is segmented by the network that did not
train on its paper. Writes SEGMENTATION.md beside this file.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.measure.otsu import otsu_watershed
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.scores.instance_summary import cluster_interval
from morphoscope.scores.instances import score_picture

PAGE = Path(__file__).with_name("SEGMENTATION.md")


def evaluated(sheet: pd.DataFrame, data: Path, find: Callable[[np.ndarray, str], np.ndarray]) -> pd.DataFrame:
    """A row a picture."""
    rows = []
    for name, fold in zip(sheet["filename"], sheet["fold"].astype(str), strict=True):
        grey = np.asarray(Image.open(data / "images" / name).convert("L"))
        true = np.asarray(Image.open(data / "instance_maps" / f"{Path(name).stem}.png"))
        began = time.perf_counter()
        found = find(grey, fold)
        rows.append({"filename": name, "seconds": time.perf_counter() - began, **vars(score_picture(true, found))})
    return pd.DataFrame(rows)


def row_of(name: str, table: pd.DataFrame, groups: np.ndarray) -> str:
    """Means with 95 % intervals over papers; medians of the errors."""
    cells = []
    for column in ("ap50", "ap75", "iou", "dice"):
        low, high = cluster_interval(table[column].to_numpy(), groups, np.mean)
        cells.append(f"**{table[column].mean():.3f}** ({low:.2f}–{high:.2f})")
    cells += [f"{100 * table[column].median():.1f} %" for column in ("count_error", "diameter_error")]
    return f"| {name} | {' | '.join(cells)} | {table['seconds'].median():.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sheet, emps = pd.read_csv(options.work / "emps.csv"), options.data / "emps"
    groups = sheet["Paper"].to_numpy()
    finders = {
        str(fold): ObjectFinder(load_segmenter(options.work / "folds" / str(fold))) for fold in sorted(sheet["fold"].unique())
    }
    rendered_only = ObjectFinder(load_segmenter(options.work / "folds" / "rendered"))
    methods: dict[str, Callable[[np.ndarray, str], np.ndarray]] = {
        "Otsu + watershed": lambda grey, fold: otsu_watershed(grey),
        "rendered pictures only": lambda grey, fold: rendered_only.find(grey),
        "Morphoscope": lambda grey, fold: finders[fold].find(grey),
    }
    lines = [row_of(name, evaluated(sheet, emps, find), groups) for name, find in methods.items()]
    PAGE.write_text("\n".join([*HEAD, *lines, ""]), encoding="utf-8")
    print("\n".join(lines))


HEAD = [
    "# Segmentation",
    "",
    "Objects found on real micrographs. EMPS: 366 pictures of particles from 247 papers, three folds that never divide a paper; each",
    "picture is segmented by the network that did not train on its paper. Means are over pictures, intervals over papers; errors are",
    "medians over pictures. AP = TP/(TP+FP+FN) at IoU 0.5 or 0.75. Seconds a picture on one thread.",
    "",
    "| method | AP50 | AP75 | foreground IoU | Dice | error of the count | error of the mean diameter | s |",
    "|---|---|---|---|---|---|---|---|",
]

if __name__ == "__main__":
    main()
