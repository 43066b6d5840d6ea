"""Recipes: loading, settings on top, and what is said of wrong ones."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from morphoscope.errors import RecipeError
from morphoscope.training.recipe import Recipe, checked_recipe, load_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_package_loads_under_its_own_name(name: str) -> None:
    assert load_recipe(name).name == name


def test_round_trip_through_toml(tmp_path: Path) -> None:
    recipe = load_recipe("default", ["fit.epochs=7", "backbone=resnet34", "split.protocol=kfold:5x2"])
    assert recipe.fit.epochs == 7
    assert recipe.model.backbone == "resnet34"
    assert recipe.split.protocol == "kfold:5x2"
    assert checked_recipe(tomllib.loads(recipe.to_toml()), "text") == recipe
    file = tmp_path / "recipe.toml"
    file.write_text(recipe.to_toml(), encoding="utf-8")
    assert load_recipe(str(file)) == recipe


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["fit.epoch=3"], "Did you mean 'fit.epochs'"),
        (["epochs"], "expected key=value"),
        (["fit.epochs=many"], "'fit.epochs' is 'many'"),
        (["model.image_size=1"], "'model.image_size' is 1"),
        (['model.branches=["image", "spectra"]'], "there is no branch 'spectra', there are image, texture"),
    ],
)
def test_wrong_settings_are_told(settings: list[str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        load_recipe("default", settings)


def test_unknown_recipes_are_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Did you mean 'default'"):
        load_recipe("defalt")
    broken = tmp_path / "broken.toml"
    broken.write_text("a = [", encoding="utf-8")
    with pytest.raises(RecipeError, match="not valid TOML"):
        load_recipe(str(broken))
    with pytest.raises(RecipeError, match="can't be read"):
        load_recipe(str(tmp_path / "missing.toml"))
    with pytest.raises(RecipeError, match="no setting 'colour'"):
        checked_recipe({"colour": 1}, "x.toml")
    assert Recipe().name == "default"
