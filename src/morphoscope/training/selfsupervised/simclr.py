"""SimCLR: two views of a picture attract, all other pictures of the batch repel (Chen et al., ICML 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from morphoscope.training.selfsupervised.method import TwinMethod, projector


def simclr_loss(first: Tensor, second: Tensor, temperature: float = 0.1) -> Tensor:
    """NT-Xent, the normalised temperature-scaled cross-entropy, of embeddings (B, D) of two views: equation 1 of the paper,
    averaged over the 2B views. Each is told from the 2B - 2 views of other pictures."""
    embeddings = F.normalize(torch.cat([first, second]).float(), dim=1)
    similarity = embeddings @ embeddings.T / temperature
    similarity = similarity.fill_diagonal_(-torch.inf)
    count = len(first)
    partner = torch.arange(2 * count, device=first.device).roll(count)
    return F.cross_entropy(similarity, partner)


class SimCLR(TwinMethod):
    """The loss behind a projector with the widths given after that of the features."""

    def __init__(
        self,
        width: int,
        widths: Sequence[int] = (1024, 256),
        *,
        order: str = "norm-relu",
        last_norm: bool = False,
        temperature: float = 0.15,
    ) -> None:
        layers = projector([width, *widths], order=order, last_norm=last_norm)
        super().__init__(layers, partial(simclr_loss, temperature=temperature))
