"""Every error class of the product.

A message says four things: where, what was found, what was expected, what to do. The command line and the web page show
the same sentence, so a `MorphoscopeError` never needs a traceback to be understood.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class MorphoscopeError(Exception):
    """Bad usage or bad input, told in a sentence that a user can act on."""


class ReadError(MorphoscopeError):
    """A file that can't be read as a micrograph."""


class NoPictureError(ReadError):
    """A sound file that holds spectra or other data, but no picture. settings: what it says of the instrument."""

    def __init__(self, sentence: str, settings: Any = None) -> None:
        super().__init__(sentence)
        self.settings = settings


class LabelSheetError(MorphoscopeError):
    """A label or metadata sheet that can't be read, or contradicts itself."""


class SplitError(MorphoscopeError):
    """A data set that can't be split as asked."""


class RecipeError(MorphoscopeError):
    """A recipe or setting that doesn't exist or doesn't fit."""


class BundleError(MorphoscopeError):
    """A model folder that is missing, damaged or of another version."""


class ArchiveError(MorphoscopeError):
    """An archive that can't be opened, written or changed as asked."""


class QueryError(MorphoscopeError):
    """A search that can't be understood."""


class DownloadError(MorphoscopeError):
    """A public data set that can't be fetched, or isn't what was published."""


class DivergenceError(MorphoscopeError):
    """A loss or features that are no finite numbers any more: learning can't go on from there."""


class OutputError(MorphoscopeError):
    """A result that can't be written where it was asked for."""


def did_you_mean(found: str, expected: Iterable[str]) -> str:
    """`" Did you mean 'Sphere'?"` for the closest of the expected names, or an empty string."""
    by_lower = {name.lower(): name for name in expected}
    close = difflib.get_close_matches(found.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""
