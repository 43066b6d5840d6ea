"""The pages are true: every command in them exists, is documented, and does what the page shows."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from morphoscope.apps.cli.main import app, main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TRAINING_PAGES = [
    "README.md",
    "docs/train.md",
    "docs/label-sheets.md",
    "docs/splits.md",
    "docs/predict.md",
    "docs/metadata-and-scale.md",
    "docs/segment.md",
    "docs/few-labels.md",
    "docs/channels.md",
]
SECONDS_A_PAGE = 900
FEW = 6
"""Pictures that a page without training works on."""


@dataclass(frozen=True)
class Command:
    """A line `$ morphoscope …` of a page and what the page shows below it."""

    words: list[str]
    shown: str


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[Command]:
    """The commands of its console blocks, in order."""
    found = []
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            program, *words = shlex.split(line)
            assert program == "morphoscope", f"{page.name}: a console block runs '{program}'"
            found.append(Command(words, shown.strip()))
    return found


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=named)
def test_every_command_and_option_exists(page: Path) -> None:
    group: Any = typer.main.get_command(app)
    for command in commands(page):
        name, *words = command.words
        group.commands[name].make_context(name, words)  # raises for an option or a value that the command doesn't take


def test_every_command_and_option_is_documented() -> None:
    spec = importlib.util.spec_from_file_location("write_commands", ROOT / "docs" / "write_commands.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PAGE.read_text(encoding="utf-8") == script.commands_page(), "run: python docs/write_commands.py"


def test_the_tables_of_recipes_are_those_of_the_recipes() -> None:
    spec = importlib.util.spec_from_file_location("write_recipes", ROOT / "docs" / "write_recipes.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == script.recipes_page(page), "run: python docs/write_recipes.py"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            file, _, section = target.partition("#")
            linked = page.parent / file if file else page
            assert linked.exists(), target
            assert not section or section in _sections(linked), target


def _sections(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_error_messages_are_those_of_the_page(
    laboratory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(laboratory)
    write_schema(laboratory)
    for command in commands(ROOT / "docs" / "troubleshooting.md"):
        monkeypatch.setattr(sys, "argv", ["morphoscope", *command.words])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr().err
        assert stopped.value.code == 2
        pattern = ".*".join(re.escape(part) for part in command.shown.split("..."))
        assert re.search(pattern, said, re.DOTALL), f"{shlex.join(command.words)}\n{said}"


@pytest.mark.parametrize("name", ["docs/render.md", "docs/measure.md"])
def test_a_page_without_training_from_top_to_bottom(name: str, laboratory: Path, tmp_path: Path) -> None:
    labels = pd.read_excel(laboratory / "labels.xlsx").head(FEW)
    labels.to_excel(tmp_path / "labels.xlsx", index=False)
    for folder in ("images", "instance_maps"):
        (tmp_path / folder).mkdir()
        for picture in map(Path, labels["filename"]):
            (file,) = (laboratory / folder).glob(f"{picture.stem}.*")
            shutil.copy(file, tmp_path / folder)
    run_page(name, tmp_path, ["--count", str(FEW)])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINING_PAGES)
def test_a_page_from_top_to_bottom(name: str, laboratory: Path, trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "laboratory"
    shutil.copytree(laboratory, folder)
    write_schema(folder)
    if not any("run" in command.words and "train" in command.words for command in commands(ROOT / name)):
        shutil.copytree(trained, folder / "run")
    run_page(name, folder)


@pytest.mark.slow
def test_the_python_page_from_top_to_bottom(laboratory: Path, tmp_path: Path) -> None:
    folder = tmp_path / "laboratory"
    shutil.copytree(laboratory, folder)
    script = folder / "page.py"
    script.write_text("\n".join(blocks(ROOT / "docs" / "python.md", "python")), encoding="utf-8")
    subprocess.run([sys.executable, script.name], cwd=folder, check=True, timeout=SECONDS_A_PAGE)


@pytest.fixture(scope="session")
def trained(laboratory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the laboratory's pictures."""
    out = tmp_path_factory.mktemp("trained") / "run"
    run(["train", "images", "--labels", "labels.xlsx", "--group", "Sample", "--out", str(out)], laboratory)
    return out


def run_page(name: str, folder: Path, quick_rendering: Sequence[str] = ()) -> None:
    """Every command of a page, one after the other."""
    for command in commands(ROOT / name):
        run([*command.words, *(quick_rendering if command.words[0] == "render" else ())], folder)


def run(words: list[str], folder: Path) -> None:
    """One command as a user types it, in this process; trainings with few epochs, of small pictures where they have labels."""
    settings = ["steps=2", "view_px=64"] if "--masks" in words else ["fit.epochs=2", "model.image_size=64"]
    is_quick = words[0] == "train" and "--recipe" not in words
    quick = [word for setting in settings for word in ("--set", setting)] if is_quick else []
    quick += ["--epochs", "1"] if words[0] == "pretrain" else []
    quick += ["--steps", "1"] if words[0] == "curve" and "--masks" in words else []
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["morphoscope", *words, *quick])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code, shlex.join(words)


def write_schema(folder: Path) -> None:
    """The schema file as the page of label sheets gives it."""
    (schema,) = blocks(ROOT / "docs" / "label-sheets.md", "toml")
    (folder / "schema.toml").write_text(schema, encoding="utf-8")
