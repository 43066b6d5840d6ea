"""The six-layer network that Biswas trained from scratch: 56.5 % on NFFA-EUROPE SEM.

Its drawing names six layers without their widths; here they are five 3x3 convolutions with batch normalisation, whose widths begin
as those of the tutorial that it cites (12, 20, 32), and the classifier.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

WIDTHS = (12, 20, 32, 32, 64)
PLACES = 4
"""The last maps are averaged to so many places a side, whatever the size of the picture."""


class CNN6(nn.Module):
    """Five convolutions, all but the last followed by max-pooling by 2; together with a classifier, six layers."""

    num_features = WIDTHS[-1]
    head_hidden_size = WIDTHS[-1] * PLACES**2

    def __init__(self, canvas: tuple[int, int] | None = None) -> None:
        """canvas: of no account."""
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((1, *WIDTHS), WIDTHS, strict=False):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers[:-1])
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(PLACES), nn.Flatten())
        self.feature_info: list[dict[str, Any]] = [{"num_chs": self.num_features, "reduction": 16, "module": "features"}]

    def forward_features(self, pictures: Tensor) -> Tensor:
        """(B, 1, Y, X) to the maps (B, 64, Y/16, X/16)."""
        return self.features(pictures)

    def forward_head(self, maps: Tensor, pre_logits: bool = True) -> Tensor:
        """Maps to (B, 1024); there is no classifier."""
        return self.head(maps)
