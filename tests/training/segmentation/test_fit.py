"""A fit of a few steps: what it starts from, how it ends, which weights it keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from morphoscope.micrograph import Micrograph
from morphoscope.models.segmenter import Segmenter, SegmenterSpec
from morphoscope.training.segmentation.choice import CHECKS, PATIENCE, Choice
from morphoscope.training.segmentation.copies import training_copy, windows_of
from morphoscope.training.segmentation.experiment import MaskTraining, planned
from morphoscope.training.segmentation.fit import FittedSegmenter, SegmentationSettings, Watch, fit_segmenter, seconds_per_step
from morphoscope.training.segmentation.recipe import MaskRecipe
from morphoscope.training.segmentation.samples import SegmentationSamples, segmentation_samples
from morphoscope.training.segmentation.targets import object_targets

SPEC = SegmenterSpec(decoder=(32, 32, 16, 16))
SETTINGS = SegmentationSettings(steps=3, batch_size=2, view_px=64, sizes_px=(16, 32))


@pytest.fixture(scope="module")
def samples() -> SegmentationSamples:
    numbers = np.zeros((60, 80), np.uint8)
    numbers[10:30, 12:32], numbers[35:55, 40:60] = 1, 2
    return segmentation_samples([(numbers > 0).astype(np.uint8) * 200], [object_targets(numbers)])


def fit(samples: SegmentationSamples, **options: object) -> FittedSegmenter:
    return fit_segmenter(samples, np.ones(1), SPEC, SETTINGS, **options)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_weights(samples: SegmentationSamples) -> None:
    first, second = fit(samples), fit(samples)
    assert first.steps == first.kept_step == 3
    assert [row["step"] for row in first.history] == [1, 2, 3]
    for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_starts_from_a_whole_segmenter_or_an_encoder(samples: SegmentationSamples) -> None:
    """With a learning rate of nothing the weights stay what they were."""
    torch.manual_seed(9)
    given = Segmenter(SPEC)
    still = SegmentationSettings(steps=1, batch_size=2, view_px=64, learning_rate=0.0, weight_decay=0.0)
    whole = fit_segmenter(samples, np.ones(1), SPEC, still, start=given.state_dict()).network
    encoder = fit_segmenter(samples, np.ones(1), SPEC, still, start=given.encoder.model.state_dict()).network
    for one, other in zip(given.parameters(), whole.parameters(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(given.encoder.parameters(), encoder.encoder.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(given.head.weight, encoder.head.weight)


def test_a_frozen_encoder_stays_as_it_starts(samples: SegmentationSamples) -> None:
    torch.manual_seed(9)
    given = Segmenter(SPEC)
    frozen = SegmentationSettings(steps=2, batch_size=2, view_px=64, encoder_rate=0.0, kept_statistics="encoder")
    found = fit_segmenter(samples, np.ones(1), SPEC, frozen, start=given.state_dict()).network
    for name, tensor in given.encoder.state_dict().items():
        assert torch.equal(tensor, found.encoder.state_dict()[name]), name
    assert not torch.equal(given.head.weight, found.head.weight)
    decoder = [name for name in found.state_dict() if name.startswith("decoder.") and name.endswith("running_mean")]
    assert any(not torch.equal(given.state_dict()[name], found.state_dict()[name]) for name in decoder), "they follow"


@pytest.mark.parametrize(
    ("start", "is_frozen", "expected"),
    [
        ("random", False, (1.0, "none")),
        ("random", True, (1.0, "none")),
        ("default", False, (0.1, "encoder")),
        ("default", True, (0.0, "encoder")),
        ("default-segmenter", False, (1.0, "all")),
        ("default-segmenter", True, (0.0, "all")),
    ],
)
def test_what_a_start_knows_is_spared(
    samples: SegmentationSamples, start: str, is_frozen: bool, expected: tuple[float, str]
) -> None:
    recipe = MaskRecipe(encoder=start, freeze_encoder=is_frozen, steps=1, batch_size=1, view_px=64)
    settings = planned(MaskTraining(samples, np.ones(1), [], 1), recipe, np.inf).settings
    assert (settings.encoder_rate, settings.kept_statistics) == expected


def test_kept_statistics_stay_while_weights_learn(samples: SegmentationSamples) -> None:
    torch.manual_seed(9)
    given = Segmenter(SPEC)
    kept = SegmentationSettings(steps=2, batch_size=2, view_px=64, kept_statistics="all")
    found = fit_segmenter(samples, np.ones(1), SPEC, kept, start=given.state_dict()).network.state_dict()
    for name, tensor in given.state_dict().items():
        if "running_" in name:
            assert torch.equal(tensor, found[name]), name
    assert not torch.equal(given.head.weight, found["head.weight"])


def test_an_encoder_follows_at_its_own_rate(samples: SegmentationSamples) -> None:
    """Adam's first step moves a weight by the learning rate, whatever its gradient."""
    torch.manual_seed(9)
    given = Segmenter(SPEC)
    slow = SegmentationSettings(steps=1, batch_size=2, view_px=64, encoder_rate=0.1, weight_decay=0.0, averaging_share=0.0)
    # The average of one step is the step itself; its learning rate is that of the warm-up.
    found = fit_segmenter(samples, np.ones(1), SPEC, slow, start=given.state_dict()).network
    moved = {name: (tensor - found.get_parameter(name)).abs().max().item() for name, tensor in given.named_parameters()}
    encoder = max(distance for name, distance in moved.items() if name.startswith("encoder."))
    rest = max(distance for name, distance in moved.items() if not name.startswith("encoder."))
    assert encoder == pytest.approx(0.1 * rest, rel=0.05)


def test_someone_stops_it_after_a_step(samples: SegmentationSamples) -> None:
    shares: list[float] = []
    found = fit(samples, watch=Watch(progress=shares.append, is_stopped=lambda: True))
    assert found.was_stopped
    assert found.steps == 1
    assert shares == [pytest.approx(1 / 3)]


def test_the_minutes_end_it(samples: SegmentationSamples) -> None:
    assert fit(samples, minutes=1e-6).steps == 1


def test_the_probe_leaves_no_trace(samples: SegmentationSamples) -> None:
    before = fit(samples).network.head.weight
    assert seconds_per_step(samples, SPEC, SETTINGS) > 0
    assert torch.equal(before, fit(samples).network.head.weight)


class Scripted(Choice):
    """A choice whose looks have the scores of a script."""

    script: list[float]

    def __init__(self, script: list[float], first: float = 0.0) -> None:
        super().__init__([(np.zeros((32, 32), np.uint8), np.zeros((32, 32), np.int32))], first)
        self.script = script

    def _scores(self, network: Segmenter) -> tuple[float, float]:
        score = self.script[min(self._looks, len(self.script) - 1)]
        return score, score


def test_the_best_weights_are_kept(samples: SegmentationSamples) -> None:
    found = fit(samples, watch=Watch(choice=Scripted([0.1, 0.9, 0.3, 0.4])))
    assert (found.kept_step, found.steps) == (1, 3)
    assert [row.get("validation_ap50") for row in found.history] == [0.1, 0.9, 0.3, 0.4]
    start = fit(samples, watch=Watch(choice=Scripted([0.9, 0.1])))
    assert start.kept_step == 0


def test_it_ends_early_when_the_best_is_long_ago() -> None:
    choice = Scripted([0.5] + [0.1] * CHECKS)
    network = Segmenter(SPEC)
    looks = 0
    while not choice.is_over:
        choice.look(network, looks)
        looks += 1
    assert looks == PATIENCE + 2


def test_looks_are_spread_over_the_fit() -> None:
    late = Scripted([0.5], first=0.1)
    assert not late.is_due(0.0)
    assert late.is_due(0.1)
    late.look(Segmenter(SPEC), 1)
    assert not late.is_due(0.15)
    assert late.is_due(1.0)


def test_a_real_look_scores_objects() -> None:
    numbers = np.zeros((64, 96), np.int32)
    numbers[20:40, 30:60] = 1
    found = Choice([((numbers * 200).astype(np.uint8), numbers)]).look(Segmenter(SPEC).eval(), 0)
    assert set(found) == {"validation_ap50", "validation_iou"}
    assert 0 <= found["validation_iou"] <= 1


def test_small_objects_get_a_larger_copy_in_windows() -> None:
    numbers = np.zeros((700, 1200), np.int32)
    numbers[::100, ::100] = 1
    numbers[100:110, 100:110] = 2
    micrograph = Micrograph(Path("a.tif"), (numbers % 251).astype(np.uint8), "tiff")
    grey, copied = training_copy(micrograph, numbers)
    assert grey.shape == copied.shape == (700, 1200)
    assert max(training_copy(micrograph, numbers, most_px=600)[0].shape) == 600
    cut = windows_of((grey, copied), 4, np.random.default_rng(0))
    assert len(cut) == 4
    assert all(window.shape == (512, 512) for window, _ in cut)
    assert len(windows_of((grey[:400, :500], copied[:400, :500]), 4, np.random.default_rng(0))) == 1
