"""Which inputs of a model answer a source: all, or those that answer within the time of a frame."""

from __future__ import annotations

from typing import Literal

from morphoscope.apps.watching.folder import FolderSource
from morphoscope.apps.watching.source import Source
from morphoscope.apps.watching.watcher import Search
from morphoscope.inference.forward import quick_branches
from morphoscope.inference.predictor import Predictor
from morphoscope.inference.target import Target
from morphoscope.models.bundle import Bundle

Inputs = Literal["auto", "all", "quick"]
"""What answers rest on. quick: all but measured shape, with a confidence of its own. auto: all for files, quick for frames."""


def predictor_for(bundle: Bundle, source: Source, inputs: Inputs) -> Predictor:
    """For what a source gives. Raises BundleError for `quick` where a model has no confidence for it; `auto` then takes all."""
    wants_quick = inputs == "quick" or (inputs == "auto" and not isinstance(source, FolderSource) and can_be_quick(bundle))
    return Predictor(bundle, quick=wants_quick)


def search_for(target: Target, predictor: Predictor, inputs: Inputs, tile_px: int | None = None) -> Search:
    """A search whose tiles, of which a picture has hundreds, are answered quickly, unless all inputs are asked for."""
    bundle = predictor.bundle
    wants_quick = inputs != "all" and not predictor.is_quick and can_be_quick(bundle)
    return Search(target, Predictor(bundle, quick=True) if wants_quick else predictor, tile_px)


def can_be_quick(bundle: Bundle) -> bool:
    """Whether a model has a confidence for quick answers, or has nothing slow to leave out."""
    return bool(bundle.quick_confidence) or not quick_branches(bundle.network.spec.branches)
