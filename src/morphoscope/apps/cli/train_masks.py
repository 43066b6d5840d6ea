"""`morphoscope train --masks`: the options of `train` that a training on masks takes, and a word on those that it does not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from morphoscope.apps.cli.console import repeat_command, say
from morphoscope.apps.cli.masked import refuse
from morphoscope.errors import MorphoscopeError

_REFUSED = {
    "metadata": "objects are learned from pixels alone",
    "channel": "objects are learned from pixels alone",
    "scale": "objects are learned from pixels alone",
    "schema": "there are no classes to learn",
    "tasks": "objects are learned, not the columns of a sheet",
    "unmatched": "there are no classes to learn",
    "refit": "the model that is tested is the one that is kept",
    "ablate": "there are no inputs beside the pixels",
    "resume": "it keeps its best weights, not its state",
}
"""Options of `train` to the reason why they do not go with --masks."""


def learns_objects(masks: Path | None, mask_kind: str | None, recipe: str) -> bool:
    """Whether a command line asks for a training on masks, by its option or by its recipe. Raises MorphoscopeError for a kind
    of masks without any."""
    if masks is not None:
        return True
    if recipe != "default":
        from morphoscope.training.segmentation.recipe import is_mask_recipe

        if is_mask_recipe(recipe):
            return True
    if mask_kind:
        raise MorphoscopeError(
            f"--mask-kind: found {mask_kind} without masks; expected --masks DIR beside it. Add that, or leave --mask-kind out."
        )
    return False


def train_on_masks(options: Mapping[str, Any], began: float) -> None:
    """Runs it with the options of `train` by name. Raises MorphoscopeError for one that does not apply."""
    only = "expected only options of a training on masks"
    refuse(options, {name: f"beside --masks, where {reason}; {only}" for name, reason in _REFUSED.items()})
    from morphoscope.apps.verbs.train_masks import train_masks

    train_masks(
        options["images"] or (),
        options["masks"],
        labels=options["labels"] or (),
        group=options["group"],
        sample=options["sample"],
        mask_kind=options["mask_kind"],
        recipe=options["recipe"],
        encoder=options["encoder"],
        epochs=options["epochs"],
        time_budget_min=options["time_budget"],
        seed=options["seed"],
        split=options["split"],
        settings=options["set_"] or (),
        out=options["out"],
        overwrite=options["overwrite"],
        say=say,
        command=repeat_command(sys.argv[1:]),
        began=began,
    )
