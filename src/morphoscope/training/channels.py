"""The channels of a run: every file read once, an encoder fitted on what the files say, and the arrays that training takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.errors import MorphoscopeError
from morphoscope.models.channels import Channel, ChannelReader, branch_type


@dataclass(frozen=True, eq=False)
class ChannelSamples:
    """values: (N, …) of the channel's encoder, zero where `present` (N,) is False."""

    channel: Channel
    values: np.ndarray
    present: np.ndarray

    def arguments(self, image: Mapping[str, Any]) -> dict[str, Any]:
        """Those of its branch. image: those of the image branch."""
        return branch_type(self.channel.name).arguments(self.channel.encoder, image)


def read_channel(
    name: str,
    column: str,
    files: Sequence[Path | None],
    preprocessing: Preprocessing,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[ChannelSamples | None, dict[int, str]]:
    """The channel of N pictures from their files (None: it has none), and row → sentence for files that can't be used.

    None in place of the samples where no file is left.
    """
    reader = ChannelReader()
    facts: dict[int, Mapping[str, Any]] = {}
    failed: dict[int, str] = {}
    for row, path in enumerate(files):
        if path is not None:
            try:
                facts[row] = reader.read(name, path).facts
            except MorphoscopeError as error:
                failed[row] = str(error)
        progress(row + 1)
    if not facts:
        return None, failed
    channel = Channel(name, column, branch_type(name).encoder.fit(list(facts.values()), preprocessing))
    values = np.zeros((len(files), *channel.encoder.shape), channel.encoder.dtype)
    present = np.zeros(len(files), bool)
    for row in facts:
        try:
            values[row] = reader.encoded(channel, files[row] or Path())
            present[row] = True
        except MorphoscopeError as error:
            failed[row] = str(error)
    reader.shrink()
    return (ChannelSamples(channel, values, present) if present.any() else None), failed
