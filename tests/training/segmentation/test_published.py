"""The published segmentation and the percolation rule: their figures, the decoder, and a loss that falls."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from morphoscope.errors import MorphoscopeError, RecipeError
from morphoscope.measure import percolation
from morphoscope.models.segmenter import Segmenter, SegmenterSpec, TransposedDecoder
from morphoscope.models.segmenter_start import begun_segmenter, resolved_start
from morphoscope.synthesis import render
from morphoscope.training.recipe import load_recipe
from morphoscope.training.segmentation.fit import SegmentationSettings, fit_segmenter
from morphoscope.training.segmentation.losses import WEIGHTS, segmentation_losses, total_loss
from morphoscope.training.segmentation.recipe import is_mask_recipe, load_mask_recipe
from morphoscope.training.segmentation.samples import segmentation_samples
from morphoscope.training.segmentation.targets import object_targets
from morphoscope.training.segmentation.views import ViewMaker


def test_the_recipe_has_the_published_figures() -> None:
    recipe = load_mask_recipe("lu-segmentation")
    assert (recipe.backbone, recipe.decoder, recipe.upsampling) == ("resnet50", (1024, 512, 256, 128), "transposed")
    assert (recipe.view_px, recipe.batch_size, recipe.weight_decay) == (224, 4, 0)
    assert (recipe.encoder, recipe.freeze_encoder, recipe.loss) == ("imagenet", True, "dice")
    assert is_mask_recipe("lu-segmentation")
    with pytest.raises(RecipeError, match="Did you mean 'lu-segmentation'"):
        load_mask_recipe("lu-segmentatoin")
    with pytest.raises(MorphoscopeError, match="Add --encoder random"):
        resolved_start(recipe.encoder)


def test_the_decoder_rises_from_stride_32_to_2_by_four_transposed_convolutions() -> None:
    network = Segmenter(load_mask_recipe("lu-segmentation").spec).eval()
    assert isinstance(network.decoder, TransposedDecoder)
    rises = [rise[0] for rise in network.decoder.rises]  # type: ignore[index]
    assert [(one.out_channels, one.kernel_size, one.stride) for one in rises] == [
        (width, (4, 4), (2, 2)) for width in (1024, 512, 256, 128)
    ]
    assert [one.in_channels for one in rises] == [2048, 1024 + 1024, 512 + 512, 256 + 256], "with the skip of the level above"
    with torch.inference_mode():
        assert network(torch.rand(1, 1, 64, 96)).shape == (1, 6, 32, 48)
    assert SegmenterSpec.from_dict(network.spec.to_dict()) == network.spec
    older = {"backbone": "resnet10t", "decoder": [160, 96, 64, 48]}
    assert SegmenterSpec.from_dict(older) == SegmenterSpec()


def test_a_whole_segmenter_is_not_taken_for_another() -> None:
    with pytest.raises(MorphoscopeError, match="the recipe's is another on resnet50"):
        begun_segmenter("default-segmenter", load_mask_recipe("lu-segmentation").spec)


def test_dice_alone_leaves_out_the_cross_entropy_of_the_foreground() -> None:
    losses = {name: torch.tensor(float(number)) for number, name in enumerate(WEIGHTS, 1)}
    both, alone = float(total_loss(losses)), float(total_loss(losses, is_dice_alone=True))
    assert both - alone == pytest.approx(1.0 * losses["foreground"] - 0.5 * losses["dice"])


def test_its_loss_falls_within_twenty_steps_on_a_small_encoder() -> None:
    drawn = [one for one in render("tem-particles", 6, size=96, seed=2, bar=0) if one.instance_map is not None]
    samples = segmentation_samples([one.pixels for one in drawn], [object_targets(one.instance_map) for one in drawn])
    settings = SegmentationSettings(steps=20, batch_size=4, view_px=64, learning_rate=3e-3, weight_decay=0, is_dice_alone=True)
    spec = SegmenterSpec("resnet10t", (64, 32, 32, 16), "transposed")
    rows = torch.arange(len(drawn)).repeat(4)
    views = ViewMaker(64)(samples, rows, torch.Generator().manual_seed(3))  # the same for both, since some are harder than others

    @torch.no_grad()
    def dice(network: Segmenter) -> float:
        return float(segmentation_losses(network.train()(views.pictures), views)["dice"])

    torch.manual_seed(settings.seed)
    before = dice(Segmenter(spec))
    assert dice(fit_segmenter(samples, np.ones(len(drawn)), spec, settings).network) < before - 0.03


def test_percolation_follows_the_published_rule() -> None:
    rule = tomllib.loads(files("morphoscope.recipes.measuring").joinpath("lu-percolation.toml").read_text(encoding="utf-8"))
    assert (rule["eps_px"], rule["min_samples"], rule["span_slack_px"]) == (2, 2, percolation._SLACK_PX)
    rng = np.random.default_rng(0)
    for density in (0.1, 0.25, 0.4, 0.6):
        covered = rng.random((24, 31)) < density
        points = np.argwhere(covered)
        # DBSCAN with two samples: clusters are the parts of the graph of neighbours within eps.
        graph = cKDTree(points).sparse_distance_matrix(cKDTree(points), rule["eps_px"] + 1e-9).tocsr()
        _, cluster = connected_components(graph, directed=False)
        spans = False
        for number in np.unique(cluster):
            members = points[cluster == number]
            extent = members.max(0) - members.min(0)
            is_cluster = len(members) >= rule["min_samples"]
            spans |= is_cluster and bool((extent >= np.array(covered.shape) - rule["span_slack_px"]).all())
        assert percolation.percolates(covered) == spans
    with pytest.raises(RecipeError, match=r"'lu-percolation' is a rule.*morphoscope measure IMAGES --report DIR"):
        load_recipe("lu-percolation")
