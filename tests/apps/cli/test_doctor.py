"""`morphoscope doctor`: what is there, what is not, and the command that adds it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from morphoscope.apps.verbs import doctor

Morphoscope = Callable[..., Any]


def test_every_requirement_has_a_line(morphoscope: Morphoscope) -> None:
    said = morphoscope("doctor")
    assert said.code == 0
    for text in requires("morphoscope") or []:
        if "extra ==" not in text:
            assert f"ok       {Requirement(text).name} " in said.out
    assert "cache " in said.out
    assert "memory " in said.out


def test_what_is_missing_comes_with_its_command(morphoscope: Morphoscope, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "timm" else usual(name))
    lines = morphoscope("doctor").out.splitlines()
    at = lines.index("missing  timm")
    assert lines[at + 1].strip().startswith('pip install "timm')


@pytest.mark.parametrize(
    ("extra", "module", "what"), [("vendor", "rsciio", "Gatan, TIA, Velox"), ("usearch", "usearch", "similarity in archives")]
)
def test_the_extras_are_named(
    morphoscope: Morphoscope, monkeypatch: pytest.MonkeyPatch, extra: str, module: str, what: str
) -> None:
    assert f"ok       extra {extra}: {what}" in morphoscope("doctor").out
    usual = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == module else usual(name))
    lines = morphoscope("doctor").out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith(f"missing  extra {extra}")]
    assert lines[at + 1].strip() == f'pip install "morphoscope[{extra}]"'


def test_a_cache_that_can_not_be_written_is_told(
    morphoscope: Morphoscope, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MORPHOSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    said = morphoscope("doctor")
    assert f"missing  cache {tmp_path / 'cache'}" in said.out
    assert "Set MORPHOSCOPE_CACHE" in said.out
