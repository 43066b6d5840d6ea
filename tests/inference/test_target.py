"""What a person looks for, as they write it, and when it counts as found."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.errors import MorphoscopeError
from morphoscope.inference.target import Target
from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Schema, Task

SCHEMA = Schema((Task("Morphology", ("Rod", "Sphere")), Task("Layer", ("Sphere", "None"))))


@pytest.mark.parametrize("text", ["Morphology=Rod", "morphology = rod", "Rod"])
def test_ways_to_write_it(text: str) -> None:
    target = Target.parse(text, SCHEMA)
    assert (target.task, target.chosen, str(target)) == (0, 0, "Morphology=Rod")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Morfology=Rod", "Did you mean 'Morphology'"),
        ("Morphology=Rodd", "Did you mean 'Rod'"),
        ("Sphere", "several tasks"),
        ("", "no class"),
        ("Morphology=None", "expected TASK=CLASS with one of Rod, Sphere"),
    ],
)
def test_what_does_not_exist_is_a_sentence(text: str, said: str) -> None:
    with pytest.raises(MorphoscopeError, match=said):
        Target.parse(text, SCHEMA)


def predictions(rod: list[float], sure: list[bool]) -> list[ClassPrediction]:
    p = np.stack([rod, 1 - np.array(rod)], 1)
    return [ClassPrediction(task, p, p > 0.2, np.array(sure)) for task in SCHEMA.tasks]


def test_an_abstention_finds_nothing_unless_a_threshold_is_given() -> None:
    said = predictions([0.9, 0.9, 0.1, 0.4], [True, False, True, True])
    assert Target.parse("Rod", SCHEMA).is_found(said).tolist() == [True, False, False, False]
    assert Target.parse("Rod", SCHEMA, 0.4).is_found(said).tolist() == [True, True, False, True]
    assert Target.parse("Rod", SCHEMA).probability(said).tolist() == [0.9, 0.9, 0.1, 0.4]
