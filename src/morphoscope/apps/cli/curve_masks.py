"""`morphoscope curve --masks`: the options of `curve` that a curve of masks takes, and a word on those that it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.apps.cli.console import say
from morphoscope.apps.cli.labelled import parts, whole_numbers
from morphoscope.apps.cli.masked import refuse

_OF_LABELS = ("per_class", "head", "protocol", "tasks", "metadata", "backbone", "image_size")
"""Options of a curve of labels alone; None or empty where not given."""


def curve_of_masks(options: Mapping[str, Any]) -> None:
    """Runs it with the options of `curve` by name. Raises MorphoscopeError for one that does not apply."""
    reason = "beside --masks, where objects are learned; expected only options of a curve of masks"
    refuse(options, dict.fromkeys(_OF_LABELS, reason))
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
