"""`curve --masks`: what is held out, what is drawn, what is kept after a stop, and every kind of bad input as a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from morphoscope.apps.verbs import mask_curve as verb
from morphoscope.apps.verbs.mask_curve import mask_curve
from morphoscope.apps.verbs.train_masks import train_masks
from morphoscope.errors import MorphoscopeError
from morphoscope.training.segmentation.mask_curve import FIGURES, Start

Morphoscope = Callable[..., Any]


def curve(masked: Path, out: Path, **options: Any) -> pd.DataFrame:
    small: dict[str, Any] = {"encoders": ["random"], "counts": [1, 2], "repeats": 1, "steps": 1, "view_px": 64}
    given = {"labels": masked / "labels.csv", "group": "Sample"}
    return mask_curve(masked / "images", masked / "instance_maps", out, **(given | small | options))


@pytest.fixture(scope="module")
def finished(masked: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, list[str]]:
    out, said = tmp_path_factory.mktemp("curve") / "out", list[str]()
    starts = ["default-segmenter", "frozen:default", "random"]
    return out, curve(masked, out, encoders=starts, repeats=2, say=said.append), said


def test_every_start_has_a_row_a_number_and_repeat(finished: tuple[Path, pd.DataFrame, list[str]]) -> None:
    out, table, said = finished
    assert set(pd.read_csv(out / "curve.csv").columns) == {"encoder", "masks", "repeat", "n_test", *FIGURES}
    rows = table.groupby("encoder")["masks"].apply(lambda masks: sorted(masks.tolist())).to_dict()
    learned = [1, 1, 2, 2]
    assert rows == {"otsu": [0], "default-segmenter": [0, *learned], "frozen:default": learned, "random": learned}
    assert table[list(FIGURES)].to_numpy().min() >= 0
    assert table[list(FIGURES)].to_numpy().max() <= 1
    means = pd.read_csv(out / "means.csv").set_index(["encoder", "masks"])
    for name, value in table.groupby(["encoder", "masks"])["iou"].mean().items():
        assert means.loc[name, "iou"] == pytest.approx(value)
    assert (means["iou_low"].dropna() < means["iou"][means["iou_low"].notna()]).all()
    assert any(line.startswith("random: AP50") for line in said)
    page = (out / "curve.html").read_text(encoding="utf-8")
    assert page.count("<svg") == len(FIGURES)
    assert "http" not in page.replace("http-equiv", "")
    assert all((out / f"curve-{figure}.svg").is_file() for figure in FIGURES)


def test_a_stopped_curve_goes_on(masked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits that were finished before the stop are not learned again, and those of another setting are not taken for them."""
    whole = curve(masked, tmp_path / "whole")
    fits, learn = 0, verb.trained

    def counted(*arguments: Any) -> Any:
        nonlocal fits
        fits += 1
        if fits == 2:
            raise KeyboardInterrupt
        return learn(*arguments)

    monkeypatch.setattr(verb, "trained", counted)
    with pytest.raises(KeyboardInterrupt):
        curve(masked, tmp_path / "out")
    said: list[str] = []
    pd.testing.assert_frame_equal(curve(masked, tmp_path / "out", say=said.append), whole)
    assert fits == 3
    assert any(line.startswith("1 of 2 fits are in") for line in said)
    curve(masked, tmp_path / "out", overwrite=True)
    assert fits == 3
    for n, setting in enumerate(({"seed": 1}, {"steps": 2}, {"view_px": 96}), start=1):
        curve(masked, tmp_path / "out", overwrite=True, **setting)
        assert fits == 3 + 2 * n


def test_a_start_that_was_trained_again_is_another_start(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "segmenter.safetensors").write_bytes(b"first")
    start = Start(str(tmp_path))
    first = verb._weights(start)
    (tmp_path / "model" / "segmenter.safetensors").write_bytes(b"second")
    assert verb._weights(start) != first


def test_a_start_by_two_names_is_one(masked: Path, tmp_path: Path) -> None:
    table = curve(masked, tmp_path / "out", encoders=["default-segmenter", "auto"], counts=[1])
    assert table["encoder"].tolist() == ["otsu", "default-segmenter", "default-segmenter"]


def test_a_start_that_knows_held_out_pictures_is_said_to(masked: Path, tmp_path: Path) -> None:
    """A segmenter of one's own says in its card what it has learned from; the one that is shipped has not seen these."""
    train_masks(masked / "images", masked / "instance_maps", settings=["steps=1", "view_px=64"], seed=3, out=tmp_path / "run")
    card = tmp_path / "run" / "model" / "segmenter.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"start": str(tmp_path / "run")}))  # as one trained on in its place
    said: list[str] = []
    curve(masked, tmp_path / "out", encoders=["default-segmenter", str(tmp_path / "run")], counts=[1], say=said.append)
    (note,) = [line for line in said if line.startswith("Note: ")]
    assert f"pictures trained {tmp_path / 'run'} before" in note
    assert "Flattered" in (tmp_path / "out" / "curve.html").read_text(encoding="utf-8")


def test_more_masks_than_there_are(masked: Path, tmp_path: Path) -> None:
    said: list[str] = []
    table = curve(masked, tmp_path / "out", counts=[50, 1, 80], say=said.append)
    most = int(table["masks"].max())
    assert sorted(set(table["masks"])) == [0, 1, most]
    assert f"{most} stands for every larger number" in " ".join(said)


def refused(morphoscope: Morphoscope, *words: object) -> str:
    said = morphoscope("curve", *words)
    assert said.code == 2
    assert "Traceback" not in said.err
    return str(said.err)


def test_refusals(masked: Path, tmp_path: Path, morphoscope: Morphoscope) -> None:
    images, masks, out = masked / "images", masked / "instance_maps", ("--out", tmp_path / "out")
    given = (images, "--masks", masks, *out)
    for option in (["--per-class", "1"], ["--head", "knn"], ["--tasks", "Modality"], ["--backbone", "resnet18"]):
        assert f"{option[0]}: found {option[1]} beside --masks" in refused(morphoscope, *given, *option)
    for option in (["--counts", "1"], ["--steps", "5"], ["--mask-kind", "binary"]):
        assert f"{option[0]}: found {option[1]} without masks" in refused(morphoscope, images, *out, *option)
    assert "expected whole numbers with commas between" in refused(morphoscope, *given, "--counts", "some")
    assert "--counts: found 0; expected numbers from 1 on" in refused(morphoscope, *given, "--counts", "0,4")
    assert "random weights can't stay as they are" in refused(morphoscope, *given, "--encoders", "frozen:random")
    assert "--encoders defualt: found neither weights of that name" in refused(morphoscope, *given, "--encoders", "defualt")
    assert "found no such folder" in refused(morphoscope, images, "--masks", tmp_path / "none", *out)


def test_an_encoder_of_another_network_is_refused_before_any_fit(masked: Path, tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "encoder.json").write_text('{"backbone": "resnet18"}')
    with pytest.raises(MorphoscopeError, match="expected a segmenter, or an encoder of a resnet10t"):
        curve(masked, tmp_path / "out", encoders=[str(tmp_path / "encoder")])
    with pytest.raises(MorphoscopeError, match="multiple of 32"):
        curve(masked, tmp_path / "out", view_px=100)


def test_nothing_can_be_held_out(masked: Path, tmp_path: Path) -> None:
    sheet = pd.read_csv(masked / "labels.csv").assign(Sample="only one")
    sheet.to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(MorphoscopeError, match="0 to test on; expected some of both"):
        curve(masked, tmp_path / "out", labels=tmp_path / "one.csv")
