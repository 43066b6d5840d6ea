"""The two-convolution network of the Electron Microscope Assistant: its scratch-trained baseline, 50 % on NFFA-EUROPE SEM."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class SimpleCNN(nn.Module):
    """Two 3x3 convolutions of 32 without padding, max-pooling by 2, dropout, and a dense layer of 128 on every place of the map.

    So its size follows the canvas: some 128 · 32 · (Y/2 - 2) · (X/2 - 2) weights. The dropout before the classifier is the
    network's own, `model.dropout` in a recipe.
    """

    num_features = 32
    head_hidden_size = 128

    def __init__(self, canvas: tuple[int, int]) -> None:
        """canvas: height and width in px of the pictures."""
        super().__init__()
        places = ((canvas[0] - 4) // 2) * ((canvas[1] - 4) // 2)
        self.features = nn.Sequential(
            nn.Conv2d(1, self.num_features, 3),
            nn.ReLU(),
            nn.Conv2d(self.num_features, self.num_features, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
        )
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(self.num_features * places, self.head_hidden_size), nn.ReLU())
        self.feature_info: list[dict[str, Any]] = [{"num_chs": self.num_features, "reduction": 2, "module": "features"}]

    def forward_features(self, pictures: Tensor) -> Tensor:
        """(B, 1, Y, X) to the maps (B, 32, y, x)."""
        return self.features(pictures)

    def forward_head(self, maps: Tensor, pre_logits: bool = True) -> Tensor:
        """Maps to (B, 128); there is no classifier."""
        return self.dense(maps)
