"""Plots: well-formed, in place, and silent where there is nothing to draw."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from morphoscope.reporting.svg import SHARE, Line, line_plot, reliability_diagram, whisker
from morphoscope.scores.calibration import reliability


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314


def test_a_whisker_lies_where_its_share_is() -> None:
    plot = parsed(whisker(0.62, (0.5, 0.74), 0.4))
    assert plot.find("circle").get("cx") == "62.00%"
    marks = {line.get("class"): line for line in plot.findall("line")}
    assert (marks["whisker"].get("x1"), marks["whisker"].get("x2")) == ("50.00%", "74.00%")
    assert marks["majority"].get("x1") == "40.00%"
    assert plot.get("aria-label") == "62.0 %, 95 % interval 50.0 to 74.0 %; majority class 40.0 %"


def test_a_whisker_without_a_figure_has_no_dot() -> None:
    assert parsed(whisker(None, None)).find("circle") is None


def test_curves_break_at_gaps_and_names_are_escaped() -> None:
    plot = parsed(line_plot([Line(np.arange(5), np.array([1, 2, np.nan, 3, 4.0]), label="<b>")], 'Loss "x" & <y>', "epoch"))
    path = plot.find("path")
    assert path.get("d").count("M") == 2
    assert path.find("title").text == "<b>"
    assert plot.get("aria-label") == 'Loss "x" & <y>'


def test_axes_are_labelled_with_round_values() -> None:
    labels = [text.text for text in parsed(line_plot([Line(np.array([0, 37]), np.array([0, 0.83]))], "t", "x")).findall("text")]
    assert labels == ["0", "0.2", "0.4", "0.6", "0.8", "0", "10", "20", "30", "x"]
    shares = parsed(line_plot([Line(np.array([0, 1]), np.array([0, 1]))], "t", "x", SHARE, SHARE)).findall("text")
    assert [text.text for text in shares][:6] == ["0", "20", "40", "60", "80", "100"]


@pytest.mark.parametrize("y", [np.array([2.0]), np.array([0.0, 0.0]), np.array([3.0, 3.0])])
def test_a_constant_or_lone_value_is_drawn(y: np.ndarray) -> None:
    assert "nan" not in line_plot([Line(np.arange(len(y)), y)], "t", "x")


def test_nothing_finite_gives_nothing() -> None:
    assert line_plot([Line(np.arange(2), np.full(2, np.nan))], "t", "x") == ""
    assert line_plot([], "t", "x") == ""


def test_a_reliability_dot_lies_at_confidence_and_accuracy() -> None:
    plot = parsed(reliability_diagram(reliability(np.full(8, 0.75), np.arange(8) < 4)))
    (dot,) = plot.findall("circle")
    left, right, top, bottom = 38, 200, 8, 180
    assert float(dot.get("cx")) == pytest.approx(left + 0.75 * (right - left), abs=0.1)
    assert float(dot.get("cy")) == pytest.approx((top + bottom) / 2, abs=0.1)
    assert "8 answers" in dot.find("title").text
