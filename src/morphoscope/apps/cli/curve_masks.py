"""`morphoscope curve --masks`: the options of `curve` that a curve of masks takes, and a word on those that it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.apps.cli.console import say
from morphoscope.apps.cli.labelled import parts, whole_numbers
from morphoscope.errors import MorphoscopeError

OF_LABELS, OF_MASKS = (
    ("per_class", "head", "protocol", "tasks", "metadata", "backbone", "image_size"),
    ("counts", "steps", "mask_kind"),
)
"""Options that are nothing, unless given."""


def refuse(options: Mapping[str, Any], names: tuple[str, ...], why: str) -> None:
    """Raises MorphoscopeError for the first of these options that is given."""
    for name in names:
        if options[name] not in (None, ""):
            option = name.replace("_", "-")
            raise MorphoscopeError(f"--{option}: found {options[name]} {why}. Leave --{option} out.")


def curve_of_masks(options: Mapping[str, Any]) -> None:
    """Runs it with the options of `curve` by name. Raises MorphoscopeError for one that does not apply."""
    refuse(options, OF_LABELS, "beside --masks, where objects are learned; expected only options of a curve of masks")
    from morphoscope.apps.verbs.mask_curve import mask_curve

    mask_curve(
        options["images"],
        options["masks"],
        options["out"],
        labels=options["labels"] or (),
        group=options["group"],
        sample=options["sample"],
        mask_kind=None if options["mask_kind"] == "auto" else options["mask_kind"],
        encoders=parts(options["encoders"]),
        counts=whole_numbers(options["counts"], "--counts", "1,4,16"),
        repeats=options["repeats"],
        steps=options["steps"],
        seed=options["seed"],
        overwrite=options["overwrite"],
        say=say,
    )
