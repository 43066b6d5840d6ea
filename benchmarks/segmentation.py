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

import cv2
import numpy as np
import pandas as pd
import torch
from PIL import Image
from scipy.ndimage import distance_transform_edt
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.segmentation import watershed

from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.models.segmenter_file import load_segmenter
from morphoscope.scores.instances import foreground_dice, foreground_iou, match_instances

PAGE = Path(__file__).with_name("SEGMENTATION.md")


def otsu_watershed(grey: np.ndarray) -> np.ndarray:
    """The usual script: smooth, threshold by Otsu, the rarer side is foreground, part by the distance transform."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 2)
    above = smooth > threshold_otsu(smooth) if np.ptp(smooth) else np.zeros(grey.shape, bool)
    foreground = above if above.mean() <= 0.5 else ~above
    distance = distance_transform_edt(foreground)
    peaks = peak_local_max(distance, min_distance=7, labels=label(foreground))
    markers = np.zeros(grey.shape, int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-distance, markers, mask=foreground)


def scores(true: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Of one picture. count and diameter: relative errors of the number of objects and of their mean diameter."""
    counts = [len(np.unique(one[one > 0])) for one in (true, found)]
    diameters = [np.sqrt(4 / np.pi * np.bincount(one[one > 0])[1:]) for one in (true, found)]
    means = [float(one[one > 0].mean()) if (one > 0).any() else 0.0 for one in diameters]
    return {
        "AP50": match_instances(true, found, 0.5).average_precision,
        "AP75": match_instances(true, found, 0.75).average_precision,
        "IoU": foreground_iou(true, found),
        "Dice": foreground_dice(true, found),
        "count error": abs(counts[1] - counts[0]) / counts[0],
        "diameter error": abs(means[1] - means[0]) / means[0],
    }


def evaluated(sheet: pd.DataFrame, data: Path, find: Callable[[np.ndarray, str], np.ndarray]) -> pd.DataFrame:
    """A row a picture."""
    rows = []
    for name, fold in zip(sheet["filename"], sheet["fold"].astype(str), strict=True):
        grey = np.asarray(Image.open(data / "images" / name).convert("L"))
        true = np.asarray(Image.open(data / "instance_maps" / f"{Path(name).stem}.png"))
        began = time.perf_counter()
        found = find(grey, fold)
        rows.append({"filename": name, "seconds": time.perf_counter() - began, **scores(true, found)})
    return pd.DataFrame(rows)


def interval(values: np.ndarray, groups: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean over pictures; whole groups are drawn."""
    _, group = np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(group, values), np.bincount(group)
    drawn = np.random.default_rng(0).integers(0, len(sizes), (draws, len(sizes)))
    low, high = np.percentile(sums[drawn].sum(1) / sizes[drawn].sum(1), [2.5, 97.5])
    return float(low), float(high)


def row_of(name: str, table: pd.DataFrame, groups: np.ndarray) -> str:
    """Means with 95 % intervals over papers; medians of the errors."""
    cells = []
    for column in ("AP50", "AP75", "IoU", "Dice"):
        low, high = interval(table[column].to_numpy(), groups)
        cells.append(f"**{table[column].mean():.3f}** ({low:.2f}–{high:.2f})")
    cells += [f"{100 * table[column].median():.1f} %" for column in ("count error", "diameter error")]
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
