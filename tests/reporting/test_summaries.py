"""The words and documents around the figures: verdicts, shortcuts, breakdowns, gallery, methods, metrics.json, versions."""

from __future__ import annotations

import base64
import io
import json
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from morphoscope.errors import OutputError
from morphoscope.reporting import page_text
from morphoscope.reporting.breakdown import by_group, by_pixel_size
from morphoscope.reporting.gallery import worst_mistakes
from morphoscope.reporting.methods import citation, methods_paragraph
from morphoscope.reporting.metrics_document import metrics_document, write_metrics
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.run_summary import RunSummary, SplitSummary
from morphoscope.reporting.verdict import shortcuts, verdict
from morphoscope.reporting.versions import versions

MakeOutcome = Callable[..., TaskOutcome]
MakeRun = Callable[..., RunSummary]


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (1.0, "far better than the majority class"),
        (0.75, "clearly better than the majority class"),
        (0.4, "no better than the majority class"),
        (0.0, "worse than the majority class"),
    ],
)
def test_verdicts_follow_the_interval(make_outcome: MakeOutcome, right: float, words: str) -> None:
    said = verdict(make_outcome(right=right).metrics())
    assert said.words == words
    assert said.is_bad == (right < 0.5)


def test_a_small_certain_gain_is_somewhat_better(make_outcome: MakeOutcome) -> None:
    assert verdict(make_outcome(right=0.5, n=3000).metrics()).words == "somewhat better than the majority class"


def test_verdicts_without_evidence_are_bad(make_outcome: MakeOutcome) -> None:
    assert verdict(make_outcome(n_unlabelled=60).metrics()).is_bad
    assert verdict(make_outcome(("only",), right=1.0).metrics()).words == "only one class to be found here"


def test_metadata_that_nearly_suffice_are_called_a_shortcut(make_outcome: MakeOutcome) -> None:
    fused = [make_outcome(right=0.85)]
    (sentence,) = shortcuts(fused, {"metadata only": [make_outcome(right=0.85, seed=1)]})
    assert sentence.startswith("Morphology: metadata only reaches")
    assert not shortcuts(fused, {"metadata only": [make_outcome(right=0.4)]})
    assert not shortcuts(fused, {"image only": [make_outcome(right=0.85)]})
    assert not shortcuts([make_outcome(right=1.0)], {"metadata only": [make_outcome(right=0.7)]})
    assert shortcuts(fused, {"metadata only, retrained": [make_outcome(right=0.85, seed=1)]})
    assert not shortcuts([make_outcome(n_unlabelled=60)], {"metadata only": [make_outcome(n_unlabelled=60)]})


def test_groups_are_ranked_by_evidence_and_single_pictures_left_out(make_outcome: MakeOutcome) -> None:
    outcome = make_outcome(right=1.0)
    chosen = outcome.prediction.probabilities
    chosen[:8] = np.roll(chosen[:8], 1, axis=1)  # the first eight wrong
    names = ["A"] * 6 + ["B"] * 2 + ["C"] * 2 + ["D"] * 49 + ["E"]
    chosen[8] = np.roll(chosen[8], 1)
    results = by_group(outcome, names)
    assert [group.name for group in results.worst] == ["A", "B", "C"]
    assert (results.n, results.n_all_right, results.n_none_right) == (5, 2, 2)
    assert results.worst[0].interval[1] < 0.5


def test_pixel_sizes_fall_into_ranges_of_as_many_pictures(make_outcome: MakeOutcome) -> None:
    sizes = np.r_[np.full(12, np.nan), np.geomspace(0.5, 5000, 48)]
    ranges = by_pixel_size(make_outcome(), sizes)
    assert [part.n for part in ranges] == [12, 12, 12, 12, 12]
    assert ranges[0].name.startswith("0.5 nm – ")
    assert ranges[-1].name == "unknown scale"


def test_pixel_sizes_that_are_all_alike_or_unknown_make_one_range(make_outcome: MakeOutcome) -> None:
    assert [part.n for part in by_pixel_size(make_outcome(), np.full(60, 2.0))] == [60]
    assert [part.name for part in by_pixel_size(make_outcome(), np.full(60, np.nan))] == ["unknown scale"]


def test_the_worst_mistakes_are_the_most_confident_and_each_picture_comes_once(make_outcome: MakeOutcome) -> None:
    outcome = make_outcome(right=0.5, n_unlabelled=5)
    names = [f"{row % 30}.tif" for row in range(60)]
    mistakes = worst_mistakes(outcome, names, lambda row: np.full((600, 300), row, dtype=np.uint8), 6)
    assert len({mistake.name for mistake in mistakes}) == 6
    assert [m.confidence for m in mistakes] == sorted((m.confidence for m in mistakes), reverse=True)
    assert all(mistake.true != mistake.answered for mistake in mistakes)
    wrong = outcome.prediction.confidence[outcome.is_labelled & ~outcome.hits]
    assert mistakes[0].confidence == wrong.max()
    picture = Image.open(io.BytesIO(base64.b64decode(mistakes[0].picture.partition(",")[2])))
    assert picture.size == (140, 280)


def test_metrics_document_is_the_contract_and_valid_json(make_run: MakeRun, make_outcome: MakeOutcome, tmp_path: Path) -> None:
    outcomes = [make_outcome(n_unlabelled=60)]
    document = metrics_document(make_run(outcomes, branch_outcomes={"image only": outcomes}))
    assert document.keys() >= {
        "tasks", "split", "encoder", "seconds_training", "seconds_inference_per_image", "peak_memory_mb", "versions",
    }  # fmt: skip
    write_metrics(document, tmp_path / "metrics.json")
    read = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert read["tasks"]["Morphology"]["accuracy"] is None
    assert read["split"]["decisions"][0] == {"decision": "early stopping", "images": "validation", "n": 30}
    assert read["branches"]["image only"]["Morphology"]["n"] == 0
    with pytest.raises(OutputError, match="expected a writable folder"):
        write_metrics(document, tmp_path / "missing" / "metrics.json")


def test_the_methods_paragraph_says_what_a_paper_must(make_run: MakeRun) -> None:
    run = make_run()
    text = methods_paragraph(run)
    for words in (
        "290 electron micrographs", "Morphoscope 0.1.0", "resnet18", "11.2 million parameters", "AdamW", "0.001", "40 epochs",
        "random seed 7", "80/20", "one Specimen stayed on one side", "early stopping", "95 %", "majority class", "torch 2.12.0",
    ):  # fmt: skip
        assert words in text, words
    assert "\n" not in text and "  " not in text
    assert citation(run).startswith("[1] Morphoscope, version 0.1.0")


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ("kfold:5x3", "by 5-fold cross-validation, repeated 3 times"),
        ("kfold:5x1", "by 5-fold cross-validation, stratified"),
        ("logo", "by leaving one group out at a time"),
        ("70/20/10", "70/20/10 into training, validation and test"),
    ],
)
def test_the_methods_paragraph_names_the_protocol(make_run: MakeRun, protocol: str, words: str) -> None:
    assert words in methods_paragraph(make_run(split=SplitSummary(protocol, {}, {}, [])))


def test_an_unmeasurable_task_is_told_in_the_methods(make_run: MakeRun, make_outcome: MakeOutcome) -> None:
    assert "not measurable" in methods_paragraph(make_run([make_outcome(n_unlabelled=60)]))


def test_rows_of_a_run_are_the_same_pictures(make_run: MakeRun, make_outcome: MakeOutcome) -> None:
    with pytest.raises(ValueError, match="same pictures"):
        make_run([make_outcome(n=10)], names=["only one"])


def test_versions_are_found_without_importing() -> None:
    found = versions()
    assert {"morphoscope", "torch", "python", "platform", "cpu"} <= found.keys()
    assert found["python"] == platform.python_version()


def test_page_text() -> None:
    assert [page_text.duration(seconds) for seconds in (0.0123, 3.21, 840, 7500)] == ["12.3 ms", "3.21 s", "14 min", "2 h 05 min"]
    assert [page_text.megabytes(mb) for mb in (812, 1900)] == ["812 MB", "1.9 GB"]
    assert page_text.percent(None) == page_text.figure(None) == page_text.percent_interval(None) == "–"
    assert page_text.figure(-0.25) == "−0.25"
    assert page_text.count(21169) == "21\N{NARROW NO-BREAK SPACE}169"
    assert page_text.counted(1, "picture") == "1 picture"
    assert page_text.settings({"a": {"b": {"c": 1}}, "d": 2}) == {"a.b.c": 1, "d": 2}
