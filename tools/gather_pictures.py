"""Gathers real micrographs for `pretrain_encoder.py`: square pictures without information bars, and a labelled set to ask.

    python tools/gather_pictures.py --real ../shared/data/emps/images ../shared/data/databar ../shared/data/nffa_layout \\
        --probe-images ../shared/data/emps/images --probe-labels ../shared/data/emps/labels.csv --group Paper --out work

Writes work/pictures.npz, in which no label of a real picture appears, and work/probe.npz.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from morphoscope.calibration.resolve import resolve
from morphoscope.data.catalogue import load_catalogue
from morphoscope.data.preprocessing import Preprocessing, resample
from morphoscope.errors import MorphoscopeError
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import read

PROBE_PX = 128
LONG_ENOUGH = 1.25
"""From this ratio of the sides on, a picture gives two squares, one from either end."""


def squares(working: np.ndarray, side: int) -> list[np.ndarray]:
    """(side, side) uint8 squares that between them show most of a working copy (Y, X)."""
    short, long = sorted(working.shape)
    starts = [0, long - short] if long >= LONG_ENOUGH * short else [(long - short) // 2]
    cut = [working[s : s + short] if working.shape[0] > working.shape[1] else working[:, s : s + short] for s in starts]
    return [resample(one, (side, side)) for one in cut]


def main() -> None:
    """Reads the folders and writes both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--probe-images", type=Path)
    parser.add_argument("--probe-labels", type=Path)
    parser.add_argument("--group")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    preprocessing = Preprocessing(PROBE_PX, PROBE_PX)
    pictures: list[np.ndarray] = []
    for path in find_micrographs(options.real):
        try:
            pictures += squares(preprocessing.working_copy(resolve(read(path), {})), options.side)
        except MorphoscopeError as error:
            print(f"left out: {error}")
    np.savez_compressed(options.out / "pictures.npz", pictures=np.stack(pictures), is_real=np.ones(len(pictures), bool))
    print(f"{len(pictures)} squares of real micrographs")
    if options.probe_images:
        write_probe(options, preprocessing)


def write_probe(options: argparse.Namespace, preprocessing: Preprocessing) -> None:
    """The labelled folder as the probe of pretraining wants it."""
    sheets = [options.probe_labels] if options.probe_labels else []
    catalogue, _ = load_catalogue([options.probe_images], labels=sheets, group=options.group)
    canvases = [preprocessing.canvas(preprocessing.working_copy(resolve(read(one.path), {}))) for one in catalogue.entries]
    truths = [catalogue.truth(task.name) for task in catalogue.schema.tasks]
    labels = np.stack([np.where(truth.any(1), truth.argmax(1), -1) for truth in truths])
    groups = np.array([one.group or one.name for one in catalogue.entries])
    names = np.array([task.name for task in catalogue.schema.tasks])
    np.savez_compressed(options.out / "probe.npz", pictures=np.stack(canvases), labels=labels, groups=groups, names=names)
    print(f"{len(canvases)} labelled pictures, {len(names)} tasks")


if __name__ == "__main__":
    main()
