"""`morphoscope render` writes what the contract names and answers bad usage in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from morphoscope.apps.cli.render import render
from morphoscope.errors import MorphoscopeError

app = typer.Typer()
app.command()(render)


def test_the_files_of_the_contract(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["sem10", "--count", "3", "--size", "48x64", "--layout", "folders", "--out", str(tmp_path / "set")]
    )
    assert result.exit_code == 0, result.output
    assert result.output == ""
    names = {p.name for p in (tmp_path / "set").iterdir()}
    assert names == {"images", "instance_maps", "labels.csv", "truth.csv", "objects.csv"}
    assert {p.name for p in (tmp_path / "set/images").iterdir()} == {"Biological", "Fibres", "Films_Coated_Surface"}


@pytest.mark.parametrize(
    ("arguments", "sentence"), [(["sem11"], "Did you mean 'sem10'"), (["sem10", "--size", "big"], "--size is 'big'")]
)
def test_bad_usage(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, [*arguments, "--count", "1", "--out", str(tmp_path / "set")])
    assert isinstance(result.exception, MorphoscopeError)
    assert sentence in str(result.exception)


def test_help_has_an_example() -> None:
    assert "Example:" in CliRunner().invoke(app, ["--help"]).output
