"""The page: whole for every kind of run, loading nothing, and safe from the names it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morphoscope.errors import OutputError
from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.reporting.report import render_report, write_report
from morphoscope.reporting.run_summary import DataSummary, LabelCheck, RunSummary, SplitSummary

MakeOutcome = Callable[..., TaskOutcome]
MakeRun = Callable[..., RunSummary]

VOID = {"meta", "br", "img", "wbr"}


class Page(HTMLParser):
    """Tags of a page; fails on one that is closed out of order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> out of order at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_full_run_shows_every_part(make_run: MakeRun, make_outcome: MakeOutcome, tmp_path: Path) -> None:
    branches = {
        name: [make_outcome(right=0.7), make_outcome(("SEM", "TEM"), name="Modality", right=0.95)]
        for name in ("image only", "metadata only", "image only, retrained")
    }
    run = make_run(branch_outcomes=branches, warnings=["Rod has 3 pictures."])
    path = write_report(run, tmp_path)
    assert path == tmp_path / "report.html"
    page = Page(path.read_text(encoding="utf-8"))
    for text in (
        "Morphology", "Modality", "majority class", "Confusion matrix", "Commonly confused", "worst errors", "By pixel size",
        "Weakest by Specimen", "image only, retrained", "Possible shortcut", "Rod has 3 pictures.", "early stopping",
        "a.tif: cut short.", "Spheer", "gone.tif", run.command, "torch", "Methods, ready to paste", "training.learning_rate",
    ):  # fmt: skip
        assert text in page.text, text
    assert path.stat().st_size < 3_000_000


def test_the_page_loads_nothing_from_outside(make_run: MakeRun) -> None:
    html = render_report(make_run())
    page = Page(html)
    loads = [value for _, name, value in page.attributes if name in {"src", "href", "srcset", "action", "data", "poster"}]
    assert loads
    assert all(value.startswith(("#", "data:image/jpeg;base64,")) for value in loads)
    assert not re.search(r"@import|url\(|https?://", html)
    assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes
    assert not {"link", "iframe", "object"} & set(page.tags)


def test_hostile_names_stay_text(make_run: MakeRun, make_outcome: MakeOutcome) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    outcome = make_outcome((evil, "Rod", "</style>{{ 7*7 }}"), name=evil, right=0.5)
    n = len(outcome.truth)
    run = make_run([outcome], title=evil, names=[evil + str(row) for row in range(n)], group_names=[evil] * n, warnings=[evil])
    page = Page(render_report(run))
    assert page.tags.count("script") == 1
    assert evil in page.text
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert {value[:5] for tag, name, value in page.attributes if (tag, name) == ("img", "src")} == {"data:"}


def test_every_picture_has_words_and_every_column_a_header(make_run: MakeRun) -> None:
    page = Page(render_report(make_run()))
    n_images = page.tags.count("img")
    assert n_images > 0
    assert len([value for tag, name, value in page.attributes if (tag, name) == ("img", "alt") and value]) == n_images
    n_plots = len([1 for tag, name, _ in page.attributes if (tag, name) == ("svg", "role")])
    assert len([value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label") and value]) == n_plots
    assert page.tags.count("th") == len([1 for tag, name, _ in page.attributes if (tag, name) == ("th", "scope")])
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")} <= set(ids)


@pytest.mark.parametrize(
    "settings",
    [
        {"right": 1.0},
        {"right": 0.0},
        {"n_unlabelled": 60},
        {"n_unlabelled": 59},
        {"is_multilabel": True},
        {"classes": ("only",), "right": 1.0},
        {"classes": tuple(f"class {c}" for c in range(24))},
        {"classes": ("Fibres/Polymer", "Fibres/Glass", "Tips")},
        {"images": np.arange(60) % 20},
    ],
)
def test_one_task_of_any_kind_makes_a_page(make_run: MakeRun, make_outcome: MakeOutcome, settings: dict) -> None:
    Page(render_report(make_run([make_outcome(**settings)])))


def test_a_bare_run_makes_a_page(make_run: MakeRun, make_outcome: MakeOutcome) -> None:
    run = make_run(
        [make_outcome()],
        group_names=None,
        pixel_size_nm=np.full(60, np.nan),
        data=DataSummary(60),
        label_check=LabelCheck("class folders", []),
        split=SplitSummary("logo", {"test": 60}, {"test": {}}, []),
        history=pd.DataFrame({"epoch": [], "train_loss": []}),
        recipe={},
        versions={},
    )
    text = Page(render_report(run)).text
    assert "By pixel size" not in text
    assert "Weakest by" not in text
    assert "No training history was kept." in text


def test_no_errors_are_said_in_words(make_run: MakeRun, make_outcome: MakeOutcome) -> None:
    page = Page(render_report(make_run([make_outcome(right=1.0)])))
    assert "img" not in page.tags
    assert "No held-out picture was answered wrongly" in page.text


def test_folds_are_shown_beside_each_other(make_run: MakeRun, make_outcome: MakeOutcome) -> None:
    history = pd.DataFrame({"epoch": [1, 2, 1, 2], "fold": [1, 1, 2, 2], "train_loss": [2.0, 1, 2, 1]})
    run = make_run([make_outcome(images=np.arange(60) % 30)], folds=[1, 2] * 30, history=history)
    html = render_report(run)
    assert "Fold by fold" in html
    assert html.count('class="curve soft thin"') == 2


def test_a_model_below_the_majority_class_is_called_so_in_red(make_run: MakeRun, make_outcome: MakeOutcome) -> None:
    html = render_report(make_run([make_outcome(right=0.3)]))
    assert re.search(r'class="says bad-text">no better than the majority class', html)


def test_a_folder_that_is_missing_is_told(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="expected a writable folder"):
        write_report(make_run(), tmp_path / "missing")


def test_a_file_name_that_is_no_text_does_not_stop_the_report(
    make_run: MakeRun, make_outcome: MakeOutcome, tmp_path: Path
) -> None:
    run = make_run([make_outcome(right=0.0)], names=["caf\udce9.tif"] * 60)
    assert "caf\\udce9.tif" in write_report(run, tmp_path).read_text(encoding="utf-8")
