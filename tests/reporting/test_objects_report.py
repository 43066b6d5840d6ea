"""The page of a training on masks: worst pictures first, outlines where they belong, and a word where nothing was tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.mask_documents import SHOWN_PICTURES, Gallery
from morphoscope.micrograph import Micrograph
from morphoscope.reporting.compared_outlines import FOUND, SIDE_PX, TRUE, compared
from morphoscope.reporting.objects_report import ObjectsPage, render_objects_report
from morphoscope.scores.instance_summary import summarised
from morphoscope.scores.instances import PictureScore, score_picture

TRUE_MAP = np.zeros((60, 90), np.int32)
TRUE_MAP[10:30, 10:40] = 1


def page(figures: dict, gallery: Gallery, n_test: int) -> str:
    history = pd.DataFrame({"step": [0, 5, 9], "loss": [np.nan, 2.0, 1.0], "validation_ap50": [0.2, np.nan, 0.6]})
    history["validation_iou"] = history["validation_ap50"]
    facts = {"masks": "3 masks"}
    return render_objects_report(
        ObjectsPage(figures, ["<b>odd</b> name"], facts, history, 9, gallery.pictures, n_test, "morphoscope train", {}, {})
    )


def score(ap50: float) -> PictureScore:
    return PictureScore(1, 1, ap50, ap50, ap50, ap50, ap50, 0.0, 0.0)


def test_outlines_of_true_and_found_objects() -> None:
    found = np.roll(TRUE_MAP, 40, axis=1)
    pixels = np.asarray(compared(np.full(TRUE_MAP.shape, 90, np.uint8), TRUE_MAP, found))
    assert pixels.shape == (60, 90, 3)
    assert tuple(pixels[10, 20]) == TRUE
    assert tuple(pixels[10, 60]) == FOUND
    assert tuple(pixels[20, 20]) == (90, 90, 90)
    assert max(compared(np.zeros((900, 1200), np.uint8), np.zeros((900, 1200), int), np.zeros((900, 1200), int)).size) == SIDE_PX


def test_the_gallery_keeps_the_worst(tmp_path) -> None:
    gallery, micrograph = Gallery(), Micrograph(tmp_path / "a.tif", np.full((60, 90), 7, np.uint8), "tiff")
    for index in np.random.default_rng(0).permutation(SHOWN_PICTURES + 10):
        gallery.add(f"picture {index}", micrograph, TRUE_MAP, TRUE_MAP, score(index / 100))
    assert [picture.name for picture in gallery.pictures] == [f"picture {index}" for index in range(SHOWN_PICTURES)]
    text = page({"trained": summarised([score(0.5)] * 3, np.arange(3))}, gallery, 40)
    assert text.index("picture 0<") < text.index("picture 1<")
    assert f"The worst {SHOWN_PICTURES} of 40" in text
    assert "&lt;b&gt;odd&lt;/b&gt; name" in text
    assert "kept: step 9" in text


def test_without_a_held_out_picture_it_says_so() -> None:
    text = page({}, Gallery(), 0)
    assert "No independent picture was left to test on" in text
    assert "AP at IoU 0.75" not in text


def test_unknown_figures_are_dashes() -> None:
    nothing = score_picture(0 * TRUE_MAP, 0 * TRUE_MAP)
    text = page({"trained": summarised([nothing], np.zeros(1))}, Gallery(), 1)
    assert "<b>–</b>" in text
