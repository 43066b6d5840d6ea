"""What a run's recipe.toml records beside the settings: pictures, labels, and how far each fit went. And the way back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from morphoscope.apps.verbs.arguments import command_line
from morphoscope.apps.verbs.folder import FolderRequest
from morphoscope.errors import RecipeError
from morphoscope.training.fit import Fitted
from morphoscope.training.recipe import DataRecord, ReachedByFit, Recipe


def with_record(recipe: Recipe, source: FolderRequest, refit: bool, ablate: bool, fitted: Mapping[str, Fitted]) -> Recipe:
    """The recipe of a finished run with all that repeats it. fitted: by the name of the fit, the bundle's at the end."""
    fits = {
        name: ReachedByFit(
            epochs=f.epochs,
            batch_size=f.batch_size,
            stopped_after=f.stopped_after,
            pretraining_stopped_after=f.pretraining_epochs,
        )
        for name, f in fitted.items()
    }
    data = DataRecord(
        images=tuple(str(path.resolve()) for path in source.images),
        labels=tuple(str(path.resolve()) for path in source.labels),
        metadata=_text(source.metadata),
        schema_file=_text(source.schema_file),
        group=source.group or "",
        sample=source.sample or "",
        tasks=source.tasks,
        unmatched=source.unmatched or "",
        scale=source.scale or "",
        channels=dict(option.split("=", 1) for option in source.channels),
        lost_files=source.lost_files or "",
        refit=refit,
        ablate=ablate,
        fits=fits,
    )
    return _reaching(recipe, list(fits.values())[-1]).model_copy(update={"data": data})


def repeating(out: Path) -> str:
    """The command line that repeats the run in `out` from what it recorded."""
    return command_line("train", "--recipe", out / "recipe.toml", "--out", "again")


def as_recorded(recipe: Recipe, fit_name: str) -> Recipe:
    """The recipe with the epochs and the batch size that a fit had in the run that is repeated, where it was recorded."""
    reached = recipe.data.fits.get(fit_name)
    return _reaching(recipe, reached) if reached else recipe


def without_stale_record(recipe: Recipe) -> Recipe:
    """The recipe without its recorded fits where someone has changed what they rest on; nothing then ends a fit early."""
    fits = list(recipe.data.fits.values())
    if not fits or recipe.fit == _reaching(recipe, fits[-1]).fit:
        return recipe
    fit, data = (
        recipe.fit.model_copy(update={"stopped_after": 0, "pretraining_stopped_after": 0}),
        recipe.data.model_copy(update={"fits": {}}),
    )
    return recipe.model_copy(update={"fit": fit, "data": data})


def completed(given: FolderRequest, recipe: Recipe) -> FolderRequest:
    """What the caller left out, from the recipe. Its sheets speak of its own pictures and stay out where others are given.

    Raises RecipeError without pictures from either.
    """
    record = recipe.data
    if not given.images and not record.images:
        raise RecipeError(
            f"IMAGES: no folder of pictures is given, and the recipe '{recipe.name}' records none; expected one. Name it."
        )
    are_its_own = not given.images or [str(path.resolve()) for path in given.images] == list(record.images)
    return dataclasses.replace(
        given,
        images=given.images or tuple(map(Path, record.images)),
        labels=given.labels or (tuple(map(Path, record.labels)) if are_its_own else ()),
        metadata=given.metadata or (_path(record.metadata) if are_its_own else None),
        schema_file=given.schema_file or _path(record.schema_file),
        group=given.group or record.group or None,
        sample=given.sample or record.sample or None,
        tasks=given.tasks or record.tasks,
        unmatched=given.unmatched or record.unmatched or None,
        scale=given.scale or record.scale or None,
        channels=given.channels or (tuple(map("=".join, record.channels.items())) if are_its_own else ()),
        lost_files=given.lost_files or record.lost_files or None,
    )


def _reaching(recipe: Recipe, reached: ReachedByFit) -> Recipe:
    return recipe.model_copy(update={"fit": recipe.fit.model_copy(update=reached.model_dump())})


def _text(path: Path | None) -> str:
    return str(path.resolve()) if path else ""


def _path(text: str) -> Path | None:
    return Path(text) if text else None
