"""The project as a whole: imports run one way, help is light, files stay short, versions agree."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import morphoscope

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEAVY = {"torch", "torchvision", "timm", "lightning", "pandas", "scipy", "skimage", "sklearn", "cv2", "numpy"}
MOST_LINES = 400
MOST_LINES_A_FUNCTION = 60

HELP = """
import sys
from morphoscope.apps.cli.main import main
sys.argv = ["morphoscope", *sys.argv[1:]]
try:
    main()
except SystemExit as stopped:
    assert stopped.code == 0
print("imported:", *sorted(sys.modules))
"""


def test_imports_run_one_way() -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program, "lint-imports is not installed beside Python; pip install -e .[test]"
    found = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"]], ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    found = subprocess.run([sys.executable, "-c", HELP, *words], capture_output=True, text=True, encoding="utf-8", check=True)
    imported = set(found.stdout.rpartition("imported:")[2].split())
    assert "morphoscope" in imported
    assert not HEAVY & imported


@pytest.mark.parametrize("folder", ["src", "tests", "docs", "benchmarks"])
def test_files_stay_short(folder: str) -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert lines
    assert not {path.as_posix(): count for path, count in lines.items() if count > MOST_LINES}


def test_functions_stay_short() -> None:
    """With their options and their docstring: what is longer holds more than one idea."""
    long = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_A_FUNCTION:
                    long[f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}"] = lines
    assert not long


def test_one_version_everywhere() -> None:
    (cited,) = re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert cited == PROJECT["version"] == morphoscope.__version__


def test_every_requirement_has_a_tested_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if not line.startswith("#"))
    wanted = [*PROJECT["dependencies"], *(text for extra in PROJECT["optional-dependencies"].values() for text in extra)]
    for requirement in map(Requirement, wanted):
        if requirement.name != PROJECT["name"]:
            assert requirement.specifier.contains(tested[requirement.name]), requirement
