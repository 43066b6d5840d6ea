"""A network over many pictures, without gradients."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import torch

from morphoscope.models.network import Batch, MultimodalNetwork

FUSED = "fused"
QUICK = "without measured shape"
_SLOW = "shape"


@dataclass(frozen=True, eq=False)
class Answers:
    """logits: for each way of asking (`fused`, or a name given to a set of branches) a task's (N, C). appearance: (N, A)."""

    logits: dict[str, list[np.ndarray]]
    appearance: np.ndarray


def quick_branches(branches: Collection[str]) -> list[str]:
    """The branches that answer within milliseconds, where some others don't; none where there is nothing to leave out, or
    no image branch, in whose features novelty is measured."""
    return [name for name in branches if name != _SLOW] if {_SLOW, "image"} <= set(branches) else []


@torch.inference_mode()
def ask(network: MultimodalNetwork, batches: Iterable[Batch], ways: dict[str, Collection[str]] | None = None) -> Answers:
    """Fused logits, those of each way with all other branches masked, and the appearance that novelty is measured in."""
    network.eval()
    asked: dict[str, Collection[str] | None] = {FUSED: None, **(ways or {})}
    logits: dict[str, list[list[np.ndarray]]] = {way: [] for way in asked}
    appearance = []
    device = next(network.parameters()).device
    for batch in batches:
        found, looks = network.look(batch.to(device))
        for way, only in asked.items():
            logits[way].append([one.float().cpu().numpy() for one in network.logits(found, only)])
        appearance.append(looks.cpu().numpy())
    return Answers(
        {way: [np.concatenate(parts) for parts in zip(*rows, strict=True)] for way, rows in logits.items()},
        np.concatenate(appearance),
    )
