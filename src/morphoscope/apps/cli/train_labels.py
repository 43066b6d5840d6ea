"""`morphoscope train` on labels: the options of the command line as the verb takes them, and a word on how to go on after Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import typer

from morphoscope.apps.cli.console import repeat_command, say
from morphoscope.apps.cli.labelled import parts


def train_on_labels(options: Mapping[str, Any], began: float) -> None:
    """Runs it with the options of `train` by name; began is on time.monotonic()."""
    from morphoscope.apps.verbs.train import train, where_it_stopped

    command = repeat_command(sys.argv[1:])
    try:
        train(
            options["images"] or (),
            labels=options["labels"] or (),
            group=options["group"],
            sample=options["sample"],
            metadata=options["metadata"],
            scale=options["scale"],
            channels=options["channel"] or (),
            lost_files=options["lost_files"],
            schema=options["schema"],
            tasks=parts(options["tasks"]),
            unmatched=options["unmatched"],
            recipe=options["recipe"],
            encoder=options["encoder"],
            epochs=options["epochs"],
            time_budget_min=options["time_budget"],
            seed=options["seed"],
            split=options["split"],
            refit=options["refit"],
            ablate=options["ablate"],
            settings=options["set_"] or (),
            out=options["out"],
            resume=options["resume"],
            overwrite=options["overwrite"],
            checkpoint_seconds=options["checkpoint_seconds"],
            say=say,
            command=command,
            began=began,
        )
    except KeyboardInterrupt:
        say(where_it_stopped(options["out"], command))
        raise typer.Exit(130) from None
