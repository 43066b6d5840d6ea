"""Heat maps point at the one thing that decides, in a network made by hand, for every kind of backbone and canvas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.inference.explanation import Explainer, Explanation
from morphoscope.inference.forward import FUSED, ask
from morphoscope.inference.predictor import Seen, as_batch
from morphoscope.micrograph import Micrograph
from morphoscope.models.branches.metadata import MetadataEncoder
from morphoscope.models.bundle import Bundle
from morphoscope.models.confidence import TaskConfidence
from morphoscope.models.network import MultimodalNetwork, NetworkSpec
from morphoscope.models.novelty import NoveltyReference
from morphoscope.schema import Schema, Task

HEIGHT, WIDTH = 64, 96
ENDS = Task("Ends", ("None", "Bright", "Dark"))
KINDS = Task("Kinds", ("Bright", "Dark"), is_multilabel=True)


class Extremes(nn.Module):
    """A backbone whose two features are how much of the picture is very bright and how much is very dark."""

    def __init__(self, is_deep: bool = True) -> None:
        super().__init__()
        self.num_features = 2
        self.stage = nn.AvgPool2d(4)
        if is_deep:
            self.feature_info = [{"module": "stage", "num_chs": 2, "reduction": 4}]

    def forward_features(self, pictures: Tensor) -> Tensor:
        return self.stage(torch.cat([(pictures - 1.2).relu(), (-1.2 - pictures).relu()], 1))

    def forward_head(self, maps: Tensor, pre_logits: bool) -> Tensor:
        return maps.mean((2, 3))


def bundle(task: Task, is_deep: bool = True, with_texture: bool = False) -> Bundle:
    """Bright and dark are decided by the image branch alone; weights of texture are 0."""
    branches = {"image": {"backbone": "test_resnet"}} | ({"texture": {"width": 3}} if with_texture else {})
    network = MultimodalNetwork(NetworkSpec(branches, Schema((task,)))).eval()
    image = network.branches["image"]
    image.backbone, image.out_features = Extremes(is_deep), 2
    network.heads[0] = head = nn.Linear(2 + (128 if with_texture else 0), len(task.classes))
    network.stand_ins["image"] = nn.Parameter(torch.zeros(2))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[task.classes.index("Bright"), 0] = head.weight[task.classes.index("Dark"), 1] = 1000.0
    confidence = (TaskConfidence(1.0, 0.1, 0.5, 10),)
    nothing = np.zeros((1, 4), np.float32)
    return Bundle(network, Preprocessing(HEIGHT, WIDTH), MetadataEncoder(), confidence, NoveltyReference.fit(nothing, nothing))


def explained(model: Bundle, working: np.ndarray) -> Explanation:
    """Of the only task, for one working copy."""
    micrograph = Micrograph(Path("a.png"), working, "drawn")
    inputs = {"image": model.preprocessing.canvas(working)}
    if "texture" in model.network.spec.branches:
        inputs["texture"] = np.zeros(3, np.float32)
    seen = [Seen(micrograph, working, inputs)]
    logits = ask(model.network, [as_batch(seen)]).logits[FUSED]
    (task,) = model.schema.tasks
    ((found,),) = Explainer(model).explain(seen, [model.confidence[0].predict(task, logits[0])])
    return found


def drawn(height: int, width: int, bright: tuple[int, int], dark: tuple[int, int] | None = None, radius: int = 8) -> np.ndarray:
    """A grey ground with a large bright disk and a smaller dark one at (row, column)."""
    y, x = np.mgrid[:height, :width]
    picture = np.full((height, width), 120, np.uint8)
    picture[np.hypot(y - bright[0], x - bright[1]) <= radius] = 250
    if dark:
        picture[np.hypot(y - dark[0], x - dark[1]) <= radius / 2] = 5
    return picture


def share_near(heat: np.ndarray, centre: tuple[int, int], radius: float) -> float:
    y, x = np.mgrid[: heat.shape[0], : heat.shape[1]]
    return float(heat[np.hypot(y - centre[0], x - centre[1]) <= radius].sum() / heat.sum())


@pytest.mark.parametrize("is_deep", [True, False], ids=["stages", "no stages"])
@pytest.mark.parametrize("shape", [(128, 192), (150, 100), (64, 96)])
def test_the_map_points_at_the_object_that_decides(shape: tuple[int, int], is_deep: bool) -> None:
    """Whatever the shape of the picture: the canvas has another, with a margin beside the picture."""
    bright, dark = (shape[0] // 4, shape[1] // 4), (3 * shape[0] // 4, 3 * shape[1] // 4)
    found = explained(bundle(ENDS, is_deep), drawn(*shape, bright, dark))
    assert found.heat.shape == shape
    assert found.heat.dtype == np.float32
    assert found.heat.min() >= 0 and found.heat.max() <= 1
    y, x = np.unravel_index(found.heat.argmax(), shape)
    assert np.hypot(y - bright[0], x - bright[1]) <= 8
    assert share_near(found.heat, bright, 20) > 0.6
    assert share_near(found.heat, dark, 12) < 0.15


def test_several_labels_are_explained_by_the_most_probable_one() -> None:
    found = explained(bundle(KINDS), drawn(128, 192, (40, 40), (100, 150)))
    assert share_near(found.heat, (40, 40), 16) > 0.8


def test_a_branch_that_decides_has_the_whole_share() -> None:
    picture = drawn(128, 192, (40, 40))
    assert explained(bundle(ENDS), picture).shares == {"image": pytest.approx(1.0)}
    assert explained(bundle(ENDS, with_texture=True), picture).shares == {
        "image": pytest.approx(1.0),
        "texture": pytest.approx(0.0),
    }


def test_the_network_is_left_as_it_was() -> None:
    model = bundle(ENDS)
    explained(model, drawn(128, 192, (40, 40)))
    assert not any(module._forward_hooks for module in model.network.modules())
    assert all(parameter.grad is None for parameter in model.network.parameters())


@pytest.mark.parametrize(
    ("backbone", "canvas"),
    [
        ("resnet10t", (64, 96)),
        ("mobilenetv3_small_050", (64, 96)),
        ("convnext_atto", (64, 96)),
        ("vit_tiny_patch16_224", (224, 224)),
        ("swin_tiny_patch4_window7_224", (224, 224)),
        ("mixer_s32_224", (224, 224)),
    ],
)
def test_every_kind_of_backbone_gives_a_map(backbone: str, canvas: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = bundle(ENDS)
    network = MultimodalNetwork(NetworkSpec({"image": {"backbone": backbone}}, Schema((ENDS,)))).eval()
    model = Bundle(network, Preprocessing(*canvas), model.metadata_encoder, model.confidence, model.novelty)
    heat = explained(model, drawn(100, 150, (40, 40), (70, 120))).heat
    assert heat.shape == (100, 150)
    assert 0.5 < heat.max() <= 1
    assert heat.std() > 0.01


def test_without_an_image_branch_nothing_is_looked_at() -> None:
    network = MultimodalNetwork(NetworkSpec({"texture": {"width": 3}}, Schema((ENDS,)))).eval()
    model = bundle(ENDS)
    model = Bundle(network, model.preprocessing, model.metadata_encoder, model.confidence, model.novelty)
    found = explained(model, drawn(128, 192, (40, 40)))
    assert not found.heat.any()
