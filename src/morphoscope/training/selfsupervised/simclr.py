"""SimCLR: two views of a picture attract, all other pictures of the batch repel (Chen et al., ICML 2020)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def simclr_loss(first: Tensor, second: Tensor, temperature: float = 0.1) -> Tensor:
    """NT-Xent, the normalised temperature-scaled cross-entropy, of embeddings (B, D) of two views: equation 1 of the paper,
    averaged over the 2B views. Each is told from the 2B - 2 views of other pictures."""
    embeddings = F.normalize(torch.cat([first, second]).float(), dim=1)
    similarity = embeddings @ embeddings.T / temperature
    similarity = similarity.fill_diagonal_(-torch.inf)
    count = len(first)
    partner = torch.arange(2 * count, device=first.device).roll(count)
    return F.cross_entropy(similarity, partner)
