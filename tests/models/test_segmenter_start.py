"""Where a segmenter starts: whole weights, an encoder's, or random ones, and nothing unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from morphoscope.errors import MorphoscopeError
from morphoscope.models.segmenter import Segmenter, SegmenterSpec
from morphoscope.models.segmenter_file import load_segmenter, save_segmenter
from morphoscope.models.segmenter_start import begun_segmenter, is_whole_start, resolved_start


def test_auto_is_the_shipped_segmenter() -> None:
    assert resolved_start("auto") == "default-segmenter"
    assert is_whole_start("default-segmenter")
    assert torch.equal(begun_segmenter("default-segmenter").head.weight, load_segmenter().head.weight)


def test_default_is_the_shipped_encoder_under_a_random_decoder() -> None:
    assert not is_whole_start("default")
    torch.manual_seed(0)
    first = begun_segmenter("default")
    torch.manual_seed(1)
    second = begun_segmenter("default")
    for one, other in zip(first.encoder.parameters(), second.encoder.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(first.head.weight, second.head.weight)


def test_a_file_of_an_encoder_and_a_folder_of_a_segmenter(tmp_path: Path) -> None:
    torch.manual_seed(0)
    given = Segmenter(SegmenterSpec())
    save_file(given.encoder.model.state_dict(), tmp_path / "encoder.safetensors")
    found = begun_segmenter(str(tmp_path / "encoder.safetensors"))
    assert torch.equal(next(found.encoder.parameters()), next(given.encoder.parameters()))
    save_segmenter(given, tmp_path / "run" / "model", {})
    assert is_whole_start(resolved_start(str(tmp_path / "run")))
    assert torch.equal(begun_segmenter(str(tmp_path / "run")).head.weight, given.head.weight.half().float())


def test_weights_that_are_not_there_or_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(MorphoscopeError, match="found neither weights of that name nor a file; expected"):
        resolved_start("nowhere")
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(MorphoscopeError, match="weights can't be used"):
        begun_segmenter(str(tmp_path / "a.safetensors"))
