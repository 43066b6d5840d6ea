"""Trains the segmenter that Morphoscope ships, from random weights, on rendered micrographs and on the EMPS training pictures.

    python tools/train_segmenter.py prepare --emps ../shared/data/emps --rendered 7000 --work W
    python tools/train_segmenter.py fit --work W --fold all --minutes 8 --out src/morphoscope/models/weights
    python tools/train_segmenter.py fit --work W --fold 0 --minutes 8 --out W/folds     (1, 2 likewise)
    python tools/train_segmenter.py fit --work W --fold rendered --minutes 8 --out W/folds
    python tools/train_segmenter.py cross-fit --work W --emps ../shared/data/emps --out src/morphoscope/models/weights

The fold K of three holds back a third of the papers; `rendered` sees no photograph. `cross-fit` writes the shape statistics of
the training pictures, each from the network that did not see its paper. A GPU is used where there is one.
EMPS: by256/emps, MIT licence. Only its training pictures are used.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from sklearn.model_selection import GroupKFold

from morphoscope.calibration.resolve import resolve
from morphoscope.data.duplicates import perceptual_hash
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.inference.shapes import fingerprint
from morphoscope.io.read import read
from morphoscope.measure.shape_statistics import shape_statistics
from morphoscope.models.segmenter import SegmenterSpec
from morphoscope.models.segmenter_file import load_segmenter, save_segmenter
from morphoscope.synthesis import render
from morphoscope.training.segmentation.fit import SegmentationSettings, Watch, fit_segmenter
from morphoscope.training.segmentation.samples import SegmentationSamples, segmentation_samples
from morphoscope.training.segmentation.targets import ObjectTargets, object_targets

SEED = 31_000
KINDS = {"particles": 0.66, "tem-nanowires": 0.2, "sem10": 0.14}
LEFT_OUT = ("Powder", "Porous_Sponge")
"""Classes of sem10 whose grains are there to see, but not in the instance map."""
RENDERED_PX, LONGEST_PX, CHUNK = 352, 512, 50
FOLDS = 3
REAL_SHARE = 0.6
"""How much of what the network sees is photographs."""


def rendered_chunk(kind: str, start: int, count: int) -> tuple[list[np.ndarray], list[ObjectTargets], list[dict[str, str]]]:
    pictures, targets, labels = [], [], []
    for one in render(kind, count, size=RENDERED_PX, seed=SEED, start=start):
        if one.labels.get("class") not in LEFT_OUT:
            pictures.append(one.pixels)
            targets.append(object_targets(one.instance_map))
            labels.append({f"{kind} {task}" if task == "class" else task: label for task, label in one.labels.items() if label})
    return pictures, targets, labels


def photograph(path: Path) -> tuple[np.ndarray, ObjectTargets]:
    """A picture and its targets, at most LONGEST_PX on a side."""
    with Image.open(path) as image, Image.open(path.parent.with_name("instance_maps") / f"{path.stem}.png") as numbers:
        grey, zoom = image.convert("L"), min(1.0, LONGEST_PX / max(image.size))
        size = (round(image.width * zoom), round(image.height * zoom))
        pixels = np.asarray(grey.resize(size, Image.Resampling.BOX) if zoom < 1 else grey)
        return pixels, object_targets(np.asarray(numbers.resize(size, Image.Resampling.NEAREST)))


def prepare(emps: Path, count: int, work: Path, workers: int) -> None:
    """Writes emps.safetensors, emps.csv (filename, Paper, fold), rendered.safetensors and rendered.json (labels)."""
    work.mkdir(parents=True, exist_ok=True)
    jobs = [(kind, start, CHUNK) for kind, share in KINDS.items() for start in range(0, max(CHUNK, round(share * count)), CHUNK)]
    sheet = pd.read_csv(emps / "labels.csv", keep_default_na=False)[["filename", "Paper"]]
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0).split(sheet, groups=sheet["Paper"])
    sheet["fold"] = np.select([np.isin(np.arange(len(sheet)), test) for _, test in folds], range(FOLDS))
    sheet.to_csv(work / "emps.csv", index=False)
    with ProcessPoolExecutor(workers) as pool:
        files = [next((emps / "images").glob(f"{Path(name).stem}.*")) for name in sheet["filename"]]
        photographs = pool.map(photograph, files, chunksize=8)
        rendered = pool.map(rendered_chunk, *zip(*jobs, strict=True))
        save_file(vars(segmentation_samples(*zip(*photographs, strict=True))), work / "emps.safetensors")
        pictures, targets, labels = zip(*_counted(rendered, len(jobs)), strict=True)
    join = lambda parts: [one for part in parts for one in part]  # noqa: E731
    save_file(vars(segmentation_samples(join(pictures), join(targets))), work / "rendered.part")
    (work / "rendered.json").write_text(json.dumps(join(labels)), encoding="utf-8")
    (work / "rendered.part").rename(work / "rendered.safetensors")


def _counted(chunks: Iterator, total: int) -> Iterator:
    began = time.monotonic()
    for done, chunk in enumerate(chunks, 1):
        if done % 10 == 0 or done == total:
            print(f"rendered {done} of {total} chunks, {time.monotonic() - began:.0f} s", flush=True)
        yield chunk


def joined(parts: list[SegmentationSamples]) -> SegmentationSamples:
    """Samples on the largest canvas among them, one after the other."""
    fields = {}
    for name in vars(parts[0]):
        tensors = [getattr(part, name) for part in parts]
        if tensors[0].ndim > 1 and name != "extents":
            wide = [max(tensor.shape[axis] for tensor in tensors) for axis in range(1, tensors[0].ndim)]
            tensors = [_padded(tensor, wide) for tensor in tensors]
        fields[name] = torch.cat(tensors)
    return SegmentationSamples(**fields)


def _padded(tensor: torch.Tensor, wide: list[int]) -> torch.Tensor:
    out = torch.zeros((len(tensor), *wide), dtype=tensor.dtype)
    out[(slice(None), *(slice(length) for length in tensor.shape[1:]))] = tensor
    return out


def fit(options: argparse.Namespace) -> None:
    emps = SegmentationSamples(**load_file(options.work / "emps.safetensors"))
    rendered = SegmentationSamples(**load_file(options.work / "rendered.safetensors"))
    folds = pd.read_csv(options.work / "emps.csv")["fold"].to_numpy()
    held_back = {"all": -1, "rendered": folds}.get(options.fold, options.fold)
    shares = np.concatenate([(folds.astype(str) != np.asarray(held_back).astype(str)) * 1.0, np.ones(len(rendered))])
    real = slice(0, len(emps))
    if shares[real].any():
        shares[real] *= REAL_SHARE / shares[real].sum()
        shares[len(emps) :] *= (1 - REAL_SHARE) / len(rendered)
    settings = SegmentationSettings(steps=options.steps, batch_size=options.batch_size, seed=options.seed)
    say = lambda row: print(options.fold, {name: round(value, 4) for name, value in row.items()}, flush=True)  # noqa: E731
    start = load_file(options.start) if options.start else None
    if start:
        start = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in start.items()}
    spec = SegmenterSpec(options.backbone)
    torch.backends.cudnn.benchmark = True
    fitted = fit_segmenter(
        joined([emps, rendered]), shares, spec, settings, start=start, minutes=options.minutes, watch=Watch(say)
    )
    card = {"photographs": int((shares[real] > 0).sum()), "rendered": len(rendered), "steps": fitted.steps}
    card |= {"batch_size": settings.batch_size, "seconds": round(fitted.seconds), "losses": fitted.history[-1]}
    card |= {"device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"}
    save_segmenter(fitted.network, options.out if options.fold == "all" else options.out / options.fold, card)


def cross_fit(emps: Path, work: Path, out: Path) -> None:
    """Writes what `inference.shapes` takes in place of a look at pictures that the shipped segmenter knows by heart."""
    sheet = pd.read_csv(work / "emps.csv")
    finders = {fold: ObjectFinder(load_segmenter(work / "folds" / str(fold))) for fold in range(FOLDS)}
    fingerprints, statistics = [], []
    for name, fold in zip(sheet["filename"], sheet["fold"], strict=True):
        working = Preprocessing(0, 0).working_copy(resolve(read(emps / "images" / name)))
        fingerprints.append(fingerprint(perceptual_hash(working)))
        statistics.append(shape_statistics(finders[fold].find(working)))
        if len(statistics) % 50 == 0:
            print(f"{len(statistics)} of {len(sheet)} pictures", flush=True)
    np.savez_compressed(out / "cross_fitted.npz", fingerprints=np.stack(fingerprints), statistics=np.stack(statistics))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["prepare", "fit", "cross-fit"])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--emps", type=Path, default=Path("../shared/data/emps"))
    parser.add_argument("--rendered", type=int, default=7000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fold", default="all")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backbone", default=SegmenterSpec.backbone)
    parser.add_argument("--start", type=Path, help="an encoder's safetensors to start from")
    parser.add_argument("--out", type=Path, default=Path("segmenter"))
    options = parser.parse_args()
    if options.stage == "prepare":
        prepare(options.emps, options.rendered, options.work, options.workers)
    elif options.stage == "fit":
        fit(options)
    else:
        cross_fit(options.emps, options.work, options.out)


if __name__ == "__main__":
    main()
