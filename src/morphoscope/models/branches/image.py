"""The picture as a branch: any timm backbone on one grey channel."""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn

from morphoscope.data.preprocessing import GREY_MEAN, GREY_STD
from morphoscope.errors import RecipeError, did_you_mean


class ImageBranch(nn.Module):
    """(B, 1, Y, X) display values in [0, 1] to (B, F) pooled features."""

    def __init__(self, backbone: str, **settings: Any) -> None:
        """settings: further arguments of timm.create_model. Raises RecipeError for an unknown backbone."""
        super().__init__()
        if not timm.is_model(backbone):
            raise RecipeError(
                f"backbone: there is no '{backbone}'; expected a name that timm knows, such as resnet18, efficientnet_b0 or "
                f"convnext_tiny.{did_you_mean(backbone, timm.list_models())}"
            )
        self.name = backbone
        self.backbone = timm.create_model(backbone, pretrained=False, in_chans=1, num_classes=0, **settings)
        # Some nets, such as MobileNetV3, widen the pooled features once more.
        self.out_features = int(getattr(self.backbone, "head_hidden_size", self.backbone.num_features))  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> Tensor:
        return self.look(pictures)[0]

    def look(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The pooled features (B, F), and mean and spread over the picture of the last feature maps (B, 2 F'), which keep
        more of how a specimen looks than what the tasks ask for."""
        maps = self.backbone.forward_features((pictures - GREY_MEAN) / GREY_STD)  # type: ignore[operator]
        pooled = self.backbone.forward_head(maps, pre_logits=True)  # type: ignore[operator]
        # Convolutional maps are (B, F', y, x); transformers give (B, tokens, F') or (B, y, x, F').
        places = maps.flatten(2) if maps.ndim == 4 and maps.shape[1] == self.backbone.num_features else maps.flatten(1, -2).mT
        return pooled, torch.cat([places.mean(2), places.std(2, correction=0)], 1)
