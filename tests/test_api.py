"""The package's own names: the verbs, loaded on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

import morphoscope


def test_every_verb_is_a_function_with_an_explanation() -> None:
    for name in morphoscope.__all__[1:]:
        verb = getattr(morphoscope, name)
        assert callable(verb)
        assert verb.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        morphoscope.tarin  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, morphoscope; sys.exit(bool({'torch', 'pandas', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
