"""The package's own names: the verbs, loaded on first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import morphoscope


def test_every_verb_is_a_function_with_an_explanation() -> None:
    for name in morphoscope.__all__[1:]:
        verb = getattr(morphoscope, name)
        assert callable(verb)
        assert verb.__doc__


def test_measure_is_a_verb_and_the_folder_of_its_functions(tmp_path: Path) -> None:
    from morphoscope.measure.border import Border

    assert Border
    Image.fromarray(np.full((40, 60), 90, np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "maps").mkdir()
    instance_map = np.zeros((40, 60), np.uint8)
    instance_map[10:20, 20:40] = 1
    Image.fromarray(instance_map).save(tmp_path / "maps" / "a.png")
    table = morphoscope.measure(str(tmp_path / "a.png"), str(tmp_path / "m.csv"), masks=str(tmp_path / "maps"))
    assert table.read_text(encoding="utf-8").count("\n") == 2


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        morphoscope.tarin  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, morphoscope; sys.exit(bool({'torch', 'pandas', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
