"""Trains the encoder that Morphoscope ships, from random weights, on rendered micrographs alone.

    python tools/train_encoder.py --out src/morphoscope/models/weights [--scale 1.0] [--epochs 8] [--work FOLDER]

It learns every label of every kind of rendered micrograph at once; labels that a kind does not have are missing labels.
`--scale` multiplies the number of pictures. Rendered canvases are kept in `--work`, so that a second run starts at once.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.micrograph import Micrograph
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.network import NetworkSpec
from morphoscope.schema import Schema, Task
from morphoscope.synthesis import render
from morphoscope.training.fit import FitTask, fit
from morphoscope.training.recipe import load_recipe
from morphoscope.training.samples import Samples

COUNTS = {"particles": 7000, "sem10": 3500, "tem-nanowires": 1500}
RENDERED_PX, CANVAS_PX, CHUNK = 176, 112, 100
SEED = 20_000


def rendered_chunk(kind: str, start: int, count: int) -> tuple[np.ndarray, list[dict[str, str]]]:
    """Canvases (count, Y, X) uint8 and labels, a task renamed by its kind where kinds would share a name."""
    preprocessing = Preprocessing(CANVAS_PX, CANVAS_PX)
    canvases, labels = [], []
    for one in render(kind, count, size=RENDERED_PX, seed=SEED, start=start):
        micrograph = Micrograph(Path(one.stem), one.pixels, "rendered", information_bar=one.information_bar)
        canvases.append(preprocessing.canvas(preprocessing.working_copy(micrograph)))
        labels.append({f"{kind} {task}" if task == "class" else task: label for task, label in one.labels.items() if label})
    return np.stack(canvases), labels


def rendered_set(work: Path, scale: float) -> tuple[np.ndarray, list[dict[str, str]]]:
    """All canvases and labels, rendered by two processes and kept in `work`."""
    kept = work / f"rendered-{scale:g}.npz"
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as stored:
            return stored["canvases"], json.loads(str(stored["labels"]))
    jobs = [
        (kind, start, min(CHUNK, round(scale * count) - start))
        for kind, count in COUNTS.items()
        for start in range(0, round(scale * count), CHUNK)
    ]
    began = time.monotonic()
    canvases, labels = [], []
    with ProcessPoolExecutor(2) as pool:
        for done, (some_canvases, some_labels) in enumerate(pool.map(rendered_chunk, *zip(*jobs, strict=True)), 1):
            canvases.append(some_canvases)
            labels += some_labels
            print(f"rendered {done} of {len(jobs)} chunks, {time.monotonic() - began:.0f} s", flush=True)
    work.mkdir(parents=True, exist_ok=True)
    np.savez(kept, canvases=np.concatenate(canvases), labels=json.dumps(labels))
    return np.concatenate(canvases), labels


def main() -> None:
    """Renders, trains, and writes encoder.safetensors (half precision) with encoder.json beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("encoder-work"))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--backbone", default="resnet10t")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    canvases, labels = rendered_set(options.work, options.scale)
    order = np.random.default_rng(SEED).permutation(len(labels))
    validation, training = order[: len(order) // 12], order[len(order) // 12 :]
    names = sorted({task for row in labels for task in row})
    schema = Schema(tuple(Task(name, tuple(sorted({row[name] for row in labels if name in row}))) for name in names))
    truths = [np.array([[row.get(task.name) == c for c in task.classes] for row in labels]) for task in schema.tasks]
    settings = [f"fit.epochs={options.epochs}", "fit.batch_size=48", "fit.learning_rate=0.002", "fit.patience=1.0"]
    recipe = load_recipe("default", [*settings, "fit.branch_loss=0.0"])
    spec = NetworkSpec({"image": {"backbone": options.backbone}}, schema)
    task = FitTask(spec, MetadataEncoder(), Samples(canvases, {}, truths), training, validation, recipe, options.work / "fit")
    fitted = fit(task, resume=options.resume)
    last = fitted.history.iloc[fitted.best_epoch - 1]
    accuracy = {name: float(last[f"validation_accuracy[{name}]"]) for name in names}
    held_back = [truth[validation].sum(0) for truth in truths]
    majority = {one.name: float(counts.max() / counts.sum()) for one, counts in zip(schema.tasks, held_back, strict=True)}
    options.out.mkdir(parents=True, exist_ok=True)
    weights = fitted.network.branches["image"].backbone.state_dict()  # type: ignore[union-attr]
    halved = {name: tensor.half().contiguous() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    save_file(halved, options.out / "encoder.safetensors")
    card = {
        "backbone": options.backbone,
        "canvas_px": CANVAS_PX,
        "rendered": {kind: round(options.scale * count) for kind, count in COUNTS.items()},
        "epochs": options.epochs,
        "seconds": fitted.seconds,
        "validation_pictures": len(validation),
        "validation_accuracy": accuracy,
        "majority_class": majority,
    }
    (options.out / "encoder.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
