"""A curve of masks: who is held out, which masks are drawn, and how sure a mean is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphoscope.data.masks import MaskedFolder, MaskedPicture
from morphoscope.training.segmentation.mask_curve import MOST_TESTED, MaskCurvePlan, MaskSides, MaskTrial, Start, mean_and_band


def drawn_folder(n_pictures: int, n_groups: int) -> MaskedFolder:
    """A folder that nobody reads from: pictures with one object each, two of a group."""
    pictures = [
        MaskedPicture(
            Path(f"{row}.png"), f"{row}.png", Path(f"{row}.png"), f"S{row % n_groups}", None, 1, f"{row}", np.zeros((64, 64))
        )
        for row in range(n_pictures)
    ]
    return MaskedFolder(tuple(pictures), "instance", np.arange(n_pictures) % n_groups, ())


def test_sides_share_no_group_and_draws_grow() -> None:
    sides = MaskSides.of(drawn_folder(14, 7))
    assert not set(sides.folder.groups[sides.pool]) & set(sides.test_groups)
    one, other = Start("random"), Start("default")
    plan = MaskCurvePlan((one, other), (1, 3))
    few, many = (set(sides.drawn(MaskTrial(one, masks, 0), plan)) for masks in plan.masks)
    assert (len(few), len(many)) == (1, 3)
    assert few < many
    assert many == set(sides.drawn(MaskTrial(other, 3, 0), plan))
    assert many != set(sides.drawn(MaskTrial(one, 3, 1), plan))


def test_of_many_held_out_pictures_some_of_all_places_are_looked_at() -> None:
    folder = drawn_folder(1000, 500)
    sides = MaskSides.of(folder)
    assert len(sides.test) == MOST_TESTED
    assert sides.test.max() - sides.test.min() > 800
    assert not set(folder.groups[sides.pool]) & set(sides.test_groups)


def test_the_mean_weighs_pictures_and_the_band_holds_it() -> None:
    repeats = [{"ap50": [0.0, 1.0, 1.0, 0.2]}, {"ap50": [0.4, 0.8, 1.0, 0.4]}]
    mean, band = mean_and_band(repeats, np.array(["a", "a", "b", "c"]), "ap50")
    assert mean == pytest.approx(0.6)
    assert band is not None
    assert band[0] < mean < band[1]
