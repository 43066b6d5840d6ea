"""The tour, with a handful of tiny pictures in place of hundreds."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from morphoscope.apps.verbs import demo as demo_module
from morphoscope.apps.verbs.demo import Tour, demo
from morphoscope.errors import OutputError


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "QUICK", Tour(24, 6, 0.05))
    monkeypatch.setattr(demo_module, "SIZE", (64, 80))


def test_the_tour_ends_with_a_report_a_table_copies_and_measurements(tmp_path: Path) -> None:
    said: list[str] = []
    report = demo(tmp_path / "tour", quick=True, say=said.append)
    assert report == tmp_path / "tour" / "run" / "report.html"
    assert report.is_file()
    metrics = json.loads((tmp_path / "tour" / "evaluation" / "metrics.json").read_text(encoding="utf-8"))
    assert 0 < metrics["tasks"]["Modality"]["n"] <= 6  # a class that no learning picture shows counts as blank
    assert len(pd.read_csv(tmp_path / "tour" / "evaluation" / "predictions.csv")) == 6
    assert len(pd.read_csv(tmp_path / "tour" / "predictions.csv")) == 6
    assert len(list((tmp_path / "tour" / "labelled").iterdir())) == 6
    assert not pd.read_csv(tmp_path / "tour" / "measurements.csv").empty
    assert said[-1].startswith(f"Done. Open {report}")
    with pytest.raises(OutputError, match="holds earlier results"):
        demo(tmp_path / "tour", quick=True)
