"""Writes the tables of docs/recipes.md from the recipes themselves: run `python docs/write_recipes.py` after any change of one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from morphoscope.training.recipe import AS_PUBLISHED, Recipe, load_recipe, recipe_names, rule_names
from morphoscope.training.segmentation.recipe import MaskRecipe, load_mask_recipe, mask_recipe_names

PAGE = Path(__file__).with_name("recipes.md")
BEGIN, END = "<!-- Written by docs/write_recipes.py: change the recipes, then run that. -->", "<!-- End of what is written. -->"
STARTS = {"auto": "the shipped encoder", "imagenet": "ImageNet", "random": "random"}
CHANGES = {
    "rotation_deg": "rotation ±{:g}°",
    "flip": "left-right",
    "vertical_flip": "up-down",
    "zoom": "zoom {:g}",
    "shift": "shift {:g}",
    "shear_deg": "shear {:g}°",
    "contrast": "contrast {:g}",
    "brightness": "brightness {:g}",
    "gamma": "gamma {:g}",
    "blur": "blur {:g}",
    "noise": "noise {:g}",
}


def recipes_page(page: str) -> str:
    """The page with its tables written anew."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n" + "\n".join(_tables()) + f"\n{END}{rest.partition(END)[2]}"


def _tables() -> Iterator[str]:
    recipes = [load_recipe(name) for name in recipe_names()]
    yield "| Recipe | Network, start | Pictures | Training | Augmentation | Reported |"
    yield "|---|---|---|---|---|---|"
    for recipe in recipes:
        cells = [
            f"`{recipe.name}`",
            _network(recipe),
            _pictures(recipe),
            _training(recipe),
            _changes(recipe),
            recipe.reported or "–",
        ]
        yield _row(cells)
    for name in mask_recipe_names():
        yield _row(_mask_cells(load_mask_recipe(name)))
    for name in rule_names():
        rule = tomllib.loads(files("morphoscope.recipes.measuring").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
        words = f"DBSCAN, eps {rule['eps_px']} px, {rule['min_samples']} samples; spans to within {rule['span_slack_px']} px"
        yield _row([f"`{name}`", "none: a rule", words, f"`{rule['command']}`", "–", rule["reported"]])
    yield from ("", "| Recipes | Source | What `protocol=as-published` brings back |", "|---|---|---|")
    alike: dict[tuple[str, str], list[str]] = {}
    for recipe in recipes:
        if recipe.source:
            brought_back = " ".join(_defects(recipe.name)) or "nothing: it is not published"
            alike.setdefault((recipe.source, brought_back), []).append(f"`{recipe.name}`")
    for (source, brought_back), names in alike.items():
        yield _row([", ".join(names), source, brought_back])
    yield ""


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _network(recipe: Recipe) -> str:
    further = [name for name in recipe.model.branches if name != "image"]
    beside = f" beside {', '.join(further)}" if further else ""
    pretraining = f", then {recipe.pretraining}" if recipe.pretraining else ""
    return f"{recipe.model.backbone}{beside}; {STARTS[recipe.encoder]}{pretraining}"


def _pictures(recipe: Recipe) -> str:
    size = recipe.model.image_size
    shape = f"about {size} × {size} px" if isinstance(size, int) else f"{size[1]} × {size[0]} px"
    return f"{shape}, mean {recipe.model.grey_mean:g}, std {recipe.model.grey_std:g}"


def _training(recipe: Recipe) -> str:
    fit = recipe.fit
    epochs = f"{fit.epochs} epochs" if fit.epochs else "epochs by the data"
    batch = f"batch {fit.batch_size}" if fit.batch_size else "batch by the data"
    words = [
        f"{fit.optimizer} {fit.learning_rate:g}",
        *([f"decay {fit.weight_decay:g}"] if fit.weight_decay else []),
        batch,
        epochs,
    ]
    if fit.auxiliary_loss:
        words.append(f"auxiliary loss × {fit.auxiliary_loss:g}")
    if fit.reconstruction_loss:
        words.append(f"reconstruction loss × {fit.reconstruction_loss:g}")
    for stage in fit.stages:
        frozen = {"": "all learn", "heads": "heads alone"}.get(stage.frozen_below, f"from {stage.frozen_below} on")
        words.append(f"{stage.epochs} at {stage.learning_rate:g}: {frozen}")
    return ", ".join(words)


def _changes(recipe: Recipe) -> str:
    strengths = recipe.augmentation.model_dump()
    return ", ".join(phrase.format(strengths[name]) for name, phrase in CHANGES.items() if strengths[name]) or "none"


def _mask_cells(recipe: MaskRecipe) -> list[str]:
    network = f"{recipe.backbone}, transposed convolutions {'/'.join(map(str, recipe.decoder))}; {STARTS[recipe.encoder]}, frozen"
    training = f"adam {recipe.learning_rate:g}, batch {recipe.batch_size}, soft Dice; with `--masks`"
    return [f"`{recipe.name}`", network, f"{recipe.view_px} × {recipe.view_px} px", training, "turns, zooms", recipe.reported]


def _defects(name: str) -> list[str]:
    document = tomllib.loads(files("morphoscope.recipes").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return list(document.get(AS_PUBLISHED, {}).get("defects", ()))


if __name__ == "__main__":
    PAGE.write_text(recipes_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
