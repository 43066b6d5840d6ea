"""Space files: what they may say, and what is told to those that say something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from morphoscope.errors import RecipeError
from morphoscope.training.recipe import Recipe
from morphoscope.training.sweep.space import Parameter, load_space, with_values


@pytest.fixture
def space(tmp_path: Path):
    def load(text: str) -> list[Parameter]:
        path = tmp_path / "space.toml"
        path.write_text(text, encoding="utf-8")
        return load_space(path, Recipe())

    return load


def test_ranges_and_choices_in_either_spelling(space) -> None:
    found = space(
        '"fit.learning_rate" = { low = 1e-4, high = 1e-2, log = true }\n'
        "epochs = { low = 4, high = 16, step = 4 }\n"
        '[model]\nbackbone = ["resnet10t", "mobilenetv3_small_050"]\nbranches = { choices = [["image"], ["image", "texture"]] }\n'
    )
    rate, epochs, backbone, branches = found
    assert rate == Parameter("fit.learning_rate", 1e-4, 1e-2, None, True)
    assert not rate.is_whole
    assert (epochs.name, epochs.is_whole, epochs.step) == ("fit.epochs", True, 4)
    assert backbone.labels == ["resnet10t", "mobilenetv3_small_050"]
    assert branches.value_of(branches.labels[1]) == ["image", "texture"]
    assert with_values(Recipe(), {"model.branches": ["image"], "fit.epochs": 8}, "here").fit.epochs == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"fit.learning_rat" = [1, 2]', "Did you mean 'fit.learning_rate'"),
        ('"data.group" = ["a", "b"]', "no such setting to sweep"),
        ('"fit.learning_rate" = { low = 1e-4, hihg = 1 }', "Did you mean 'high'"),
        ('"fit.learning_rate" = { low = 1e-2, high = 1e-4 }', "expected low below high"),
        ('"fit.learning_rate" = { low = 0.0, high = 0.1, log = true }', "above 0 where log"),
        ('"fit.learning_rate" = { low = "a", high = 0.1 }', "expected two numbers"),
        ('"fit.learning_rate" = 0.1', "expected a list of choices"),
        ('"fit.epochs" = { low = -4, high = 4 }', "'fit.epochs' is -4"),
        ('"fit.epochs" = { low = 1.5, high = 4.5 }', "'fit.epochs' is 1.5"),
        ('"model.branches" = [["image", "sound"]]', "'model.branches"),
        ("epochs = [1, 2]\n[fit]\nepochs = [3, 4]", "there twice"),
        ("", "names no setting"),
        ("epochs = [", "not valid TOML"),
    ],
)
def test_what_does_not_fit_is_one_sentence(text: str, said: str, space) -> None:
    with pytest.raises(RecipeError) as found:
        space(text)
    assert said in str(found.value)
    assert "\n" not in str(found.value)
