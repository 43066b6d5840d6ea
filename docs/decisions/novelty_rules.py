"""Which distance in feature space tells unseen kinds of pictures: rules side by side, on the shipped encoder's frozen features.

python docs/decisions/novelty_rules.py        # about two minutes on one core
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from sklearn.metrics import roc_auc_score

from morphoscope.io.display import to_display
from morphoscope.models.branches.image import ImageBranch
from morphoscope.models.encoders import DEFAULT, start_from
from morphoscope.synthesis import render

COUNTS = {"tem-particles": 240, "sem10": 240, "sem-particles": 160, "tem-nanowires": 80, "accords": 80}
# What is learned from, the classes that are left out of it, and the other kinds that are asked.
CASES = [
    ("tem-particles", (), ("sem10", "sem-particles", "tem-nanowires", "accords")),
    ("sem-particles", (), ("sem10", "tem-particles", "tem-nanowires", "accords")),
    ("sem10", ("Tips", "Patterned_surface", "Fibres"), ("tem-particles", "tem-nanowires", "accords")),
    ("sem10", ("Powder", "Biological", "MEMS_devices_and_electrodes"), ()),
]
REPEATS = 3
Distance = Callable[[np.ndarray], np.ndarray]


def nearest(points: np.ndarray, references: np.ndarray) -> np.ndarray:
    """(N,) mean distance to the five nearest references."""
    squared = (points**2).sum(1)[:, None] + (references**2).sum(1)[None] - 2 * points @ references.T
    return np.sqrt(np.partition(np.maximum(squared, 0), 4, axis=1)[:, :5]).mean(1)


def standardised(training: np.ndarray) -> Distance:
    centre, scale = training.mean(0), training.std(0) + 1e-6 + 0.01 * training.std()
    return lambda x: nearest((x - centre) / scale, (training - centre) / scale)


def unit_length(training: np.ndarray) -> Distance:
    def unit(x: np.ndarray) -> np.ndarray:
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    return lambda x: nearest(unit(x), unit(training))


def mahalanobis(training: np.ndarray) -> Distance:
    centre, scale = training.mean(0), training.std(0) + 1e-6 + 0.01 * training.std()
    precision = np.linalg.inv(ledoit_wolf((training - centre) / scale)[0])
    return lambda x: np.sqrt(np.einsum("ni,ij,nj->n", (x - centre) / scale, precision, (x - centre) / scale))


RULES = {"nearest, standardised": standardised, "Mahalanobis, shrunk": mahalanobis, "nearest, unit length": unit_length}


def features(kind: str, encoder: ImageBranch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, F) features, and class and specimen of each picture."""
    pictures = list(render(kind, COUNTS[kind], size=(120, 160), seed=7, bar=0))
    shown = [cv2.resize(to_display(one.pixels), (128, 96), interpolation=cv2.INTER_AREA) for one in pictures]
    stack = torch.from_numpy(np.stack(shown).astype(np.float32) / 255)[:, None]
    with torch.inference_mode():
        found = torch.cat([encoder.look(part)[1] for part in stack.split(32)]).numpy()
    return found, np.array([one.labels.get("class", "") for one in pictures]), np.array([one.sample for one in pictures])


def main() -> None:
    encoder = ImageBranch("resnet10t").eval()
    start_from(DEFAULT, encoder)
    everything = {kind: features(kind, encoder) for kind in COUNTS}
    print(f"| learned from | asked | {' | '.join(RULES)} |")
    for learned, left_out, others in CASES:
        found, classes, specimens = everything[learned]
        is_out = np.isin(classes, left_out)
        areas: dict[str, dict[str, list[float]]] = {}
        for repeat in range(REPEATS):
            order = np.random.default_rng(repeat).permutation(np.unique(specimens[~is_out]))
            is_learned = np.isin(specimens, order[: int(0.65 * len(order))]) & ~is_out
            asked = {kind: everything[kind][0] for kind in others} | ({"left-out classes": found[is_out]} if left_out else {})
            for rule, fit in RULES.items():
                distance = fit(found[is_learned])
                usual = distance(found[~is_learned & ~is_out])
                for kind, unseen in asked.items():
                    values = np.r_[usual, distance(unseen)]
                    area = roc_auc_score(np.r_[np.zeros(len(usual)), np.ones(len(unseen))], values)
                    areas.setdefault(kind, {}).setdefault(rule, []).append(float(area))
        for kind, by_rule in areas.items():
            without = f" without {', '.join(left_out)}" if left_out else ""
            print(f"| {learned}{without} | {kind} | {' | '.join(f'{np.mean(by_rule[rule]):.2f}' for rule in RULES)} |")


if __name__ == "__main__":
    main()
