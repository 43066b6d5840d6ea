"""The recipes of a comparison: by name or file, each with a label of its own, and the pictures as each wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from morphoscope.apps.verbs.arguments import Say, silent
from morphoscope.apps.verbs.folder import Folder
from morphoscope.apps.verbs.recorded import without_stale_record
from morphoscope.apps.verbs.shared_material import SharedMaterial
from morphoscope.apps.verbs.train import with_known_network
from morphoscope.errors import MorphoscopeError, RecipeError
from morphoscope.training.recipe import DataRecord, Recipe, load_recipe


@dataclass(frozen=True, eq=False)
class Contestant:
    """A recipe that is ready to run."""

    label: str
    recipe: Recipe
    material: SharedMaterial


def labelled_recipes(names: Sequence[str], settings: Sequence[str], epochs: int | None = None) -> dict[str, Recipe]:
    """Recipes by label: the name, or a file's without its ending where that is unique. Raises RecipeError for an unknown recipe,
    setting or value, before any picture is read."""
    if not names:
        raise RecipeError("--recipes: none is named; expected one or more, such as --recipes default,mine.toml. Name them.")
    stems = [Path(name).stem if name.endswith(".toml") else name for name in names]
    labels = [stem if stems.count(stem) == 1 else name for stem, name in zip(stems, names, strict=True)]
    return {label: plain(load_recipe(name, settings), epochs) for label, name in zip(labels, names, strict=True)}


def plain(recipe: Recipe, epochs: int | None = None) -> Recipe:
    """The recipe with `epochs` for its fit, which its stages share, and as many for its pretraining. Without what a finished run
    recorded of its own pictures, and without a publication's way to choose on test pictures: a comparison divides by itself."""
    counts = {} if epochs is None else {"epochs": epochs} | ({"pretraining_epochs": epochs} if recipe.pretraining else {})
    fit = without_stale_record(recipe).fit.model_copy(update={"stopped_after": 0, "pretraining_stopped_after": 0} | counts)
    split = recipe.split.model_copy(update={"chosen_on": "validation", "keep_together": True})
    return recipe.model_copy(update={"data": DataRecord(), "fit": fit, "split": split})


def contestants(
    recipes: dict[str, Recipe], folder: Folder, pictures: Path, failures: dict[str, str], say: Say
) -> list[Contestant]:
    """Those that can run. What can't, for want of weights or because pictures don't fit, gets a sentence in `failures`."""
    ready = []
    for label, recipe in recipes.items():
        try:
            known = with_known_network(_suited(recipe, folder, say))
            ready.append(Contestant(label, known, SharedMaterial.of(folder.material(known, silent), pictures)))
        except MorphoscopeError as error:
            failures[label] = str(error)
            say(f"Failed: {label}: {error}")
    return ready


def _suited(recipe: Recipe, folder: Folder, say: Say) -> Recipe:
    """The recipe without measured shape where that has nothing to tell."""
    if "shape" not in recipe.model.branches or folder.is_measurable(say):
        return recipe
    branches = tuple(name for name in recipe.model.branches if name != "shape")
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"branches": branches})})
