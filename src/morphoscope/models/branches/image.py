"""The picture as a branch: any timm backbone, or one of our own, on one grey channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn

from morphoscope.data.preprocessing import GREY_MEAN, GREY_STD
from morphoscope.errors import RecipeError, did_you_mean
from morphoscope.models.backbones import OWN_BACKBONES

USUAL_CANVAS = (128, 128)
SIZES_TRIED = (64, 96, 128, 160, 192, 224, 256, 299, 384, 448, 512, 640, 768, 1024)
"""Sides in px that are tried where a backbone refuses a canvas, to name the next one that it takes."""
WITH_AUXILIARY = ("inception_v3",)
_ANY_SIZE: tuple[dict[str, Any], ...] = ({"dynamic_img_size": True, "dynamic_img_pad": True}, {"strict_img_size": False}, {})
"""How timm's families of transformers are told to take other pictures than they were published for: ViT interpolates the
embeddings of its positions, Swin pads its windows. What knows neither takes its own size alone, or any."""


class ImageBranch(nn.Module):
    """(B, 1, Y, X) display values in [0, 1] to (B, F) pooled features."""

    def __init__(
        self,
        backbone: str,
        *,
        canvas: Sequence[int] | None = None,
        grey_mean: float = GREY_MEAN,
        grey_std: float = GREY_STD,
        auxiliary: bool = False,
        **settings: Any,
    ) -> None:
        """canvas: height and width, for networks built around them. grey_mean, grey_std: standardise the pictures. auxiliary: with
        the auxiliary classifier's layers. settings: further arguments of timm.create_model. Raises RecipeError for an unknown
        backbone, or one without an auxiliary classifier."""
        super().__init__()
        self.name = backbone
        self._mean, self._std = grey_mean, grey_std
        self.backbone = _built(backbone, tuple(canvas or USUAL_CANVAS), auxiliary, settings)
        self.auxiliary_features = 0
        """F" of the features that the auxiliary classifier sees; 0 without one."""
        if auxiliary:
            self.auxiliary_features = int(self.backbone.AuxLogits.fc.in_features)  # type: ignore[union-attr, arg-type]
            self.backbone.reset_classifier(0)  # type: ignore[operator]  # each task has its own
        # Some nets, such as MobileNetV3, widen the pooled features once more.
        self.out_features = int(getattr(self.backbone, "head_hidden_size", self.backbone.num_features))  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> Tensor:
        return self.look(pictures)[0]

    def look(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The pooled features (B, F), and mean and spread over the picture of the last feature maps (B, 2 F'), which keep
        more of how a specimen looks than what the tasks ask for."""
        maps = self._maps(pictures)[0]
        pooled = self.backbone.forward_head(maps, pre_logits=True)  # type: ignore[operator]
        # Convolutional maps are (B, F', y, x); transformers give (B, tokens, F') or (B, y, x, F').
        places = maps.flatten(2) if maps.ndim == 4 and maps.shape[1] == self.backbone.num_features else maps.flatten(1, -2).mT
        return pooled, torch.cat([places.mean(2), places.std(2, correction=0)], 1)

    def learn(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        """The pooled features (B, F), and those of the auxiliary classifier (B, F"), where there is one."""
        maps, auxiliary = self._maps(pictures)
        return self.backbone.forward_head(maps, pre_logits=True), auxiliary  # type: ignore[operator]

    def standardised(self, pictures: Tensor) -> Tensor:
        """The pictures as the backbone takes them."""
        return (pictures - self._mean) / self._std

    def _maps(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        standard = self.standardised(pictures)
        if not self.auxiliary_features:
            return self.backbone.forward_features(standard), None  # type: ignore[operator]
        if self.training:
            return self.backbone.forward_features(standard)  # type: ignore[operator]
        # The auxiliary classifier only learns; without it, evaluation is faster and takes smaller pictures.
        return self.backbone.forward_postaux(self.backbone.forward_preaux(standard)), None  # type: ignore[operator]


def check_canvas(branch: ImageBranch, canvas: tuple[int, int]) -> None:
    """Raises RecipeError, with the next size that works, where the branch takes no pictures of height and width `canvas`."""
    reason = _refusal(branch, canvas)
    if not reason:
        return
    side = max(canvas)
    tried = sorted((size for size in SIZES_TRIED if size != side), key=lambda size: (size < side, abs(size - side)))
    works = next((size for size in tried if not _refusal(branch, (size, size))), None)
    remedy = f"Add --set model.image_size=[{works},{works}]" if works else "Choose another backbone"
    raise RecipeError(
        f"model.image_size: {branch.name} takes no pictures of {canvas[0]} x {canvas[1]} px ({reason}); expected "
        f"{f'another size, such as {works} x {works}' if works else 'a size that it was built for'}. {remedy}."
    )


@torch.no_grad()
def _refusal(branch: ImageBranch, canvas: tuple[int, int]) -> str:
    """Why the branch can't learn from pictures of this size; nothing, where it can."""
    pictures = torch.rand(2, 1, *canvas)
    was_training = branch.training
    kept = {name: tensor.clone() for name, tensor in branch.named_buffers()}
    try:
        branch.train()
        features = branch.learn(pictures)[0]
        branch.eval()
        branch(pictures)
    except (RuntimeError, AssertionError, ValueError, IndexError, ZeroDivisionError) as error:
        return (str(error) or type(error).__name__).splitlines()[0][:200]
    finally:
        branch.train(was_training)
        for name, tensor in branch.named_buffers():
            tensor.copy_(kept[name])
    return "" if features.ndim == 2 else "its features are no vector"


def _built(name: str, canvas: tuple[int, ...], auxiliary: bool, settings: dict[str, Any]) -> nn.Module:
    if auxiliary and name.split(".")[0] not in WITH_AUXILIARY:
        raise RecipeError(
            f"fit.auxiliary_loss: {name} has no auxiliary classifier; expected a backbone that has one: {', '.join(WITH_AUXILIARY)}. "
            "Add --set fit.auxiliary_loss=0."
        )
    if name in OWN_BACKBONES.names():
        own: nn.Module = OWN_BACKBONES.load(name)((canvas[0], canvas[1]))
        return own
    if not timm.is_model(name):
        own_names = OWN_BACKBONES.names()
        raise RecipeError(
            f"backbone: there is no '{name}'; expected one of {', '.join(own_names)}, or a name that timm knows, such as resnet18, "
            f"efficientnet_b0 or convnext_tiny.{did_you_mean(name, [*own_names, *timm.list_models()])}"
        )
    if auxiliary:
        # With no class at all timm would build a layer of none, and warn.
        return timm.create_model(name, pretrained=False, in_chans=1, num_classes=1, aux_logits=True, **settings)
    published = timm.get_pretrained_cfg(name)
    tries = _ANY_SIZE if published is None or published.fixed_input_size else _ANY_SIZE[-1:]
    for any_size in tries:
        try:
            return timm.create_model(name, pretrained=False, in_chans=1, num_classes=0, **any_size, **settings)
        except TypeError:
            if any_size is tries[-1]:
                raise
    raise RuntimeError("the last try raises or returns")
