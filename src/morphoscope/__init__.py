"""Morphoscope: folders of electron micrographs become scales, labels, measurements and reports.

The verbs of the command line, from Python: `morphoscope.train`, `predict`, `evaluate`, `segment`, `measure` and the others take the
same options and return what they found; `read` gives one micrograph, `render` draws some. Lengths are in nm and names say their
unit (`pixel_size_nm`, `time_budget_min`); arrays are (Y, X); what is unknown is None. Whatever a caller can have done wrong raises
`morphoscope.errors.MorphoscopeError`, whose text is meant to be shown. All load on first use, so that importing the package is free.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

_VERBS = {
    "train": "morphoscope.apps.verbs.train",
    "train_masks": "morphoscope.apps.verbs.train_masks",
    "predict": "morphoscope.apps.verbs.predict",
    "evaluate": "morphoscope.apps.verbs.evaluate",
    "pretrain": "morphoscope.apps.verbs.pretrain",
    "compare": "morphoscope.apps.verbs.compare",
    "curve": "morphoscope.apps.verbs.curve",
    "mask_curve": "morphoscope.apps.verbs.mask_curve",
    "suggest": "morphoscope.apps.verbs.suggest",
    "sweep": "morphoscope.apps.verbs.sweep",
    "embed": "morphoscope.apps.verbs.embed",
    "watch": "morphoscope.apps.verbs.watch",
    "inspect": "morphoscope.apps.verbs.inspect",
    "segment": "morphoscope.apps.verbs.segment",
    "serve": "morphoscope.apps.verbs.serve",
    "index": "morphoscope.apps.verbs.index",
    "search": "morphoscope.apps.verbs.search",
    "demo": "morphoscope.apps.verbs.demo",
    "datasets": "morphoscope.apps.verbs.datasets",
    "fetch": "morphoscope.apps.verbs.datasets",
    "read": "morphoscope.io",
    "render": "morphoscope.synthesis",
}

# The verbs come from __getattr__.
__all__ = [
    "__version__",
    "compare",
    "curve",
    "datasets",
    "demo",
    "embed",
    "evaluate",
    "fetch",
    "index",
    "inspect",
    "mask_curve",
    "measure",
    "predict",
    "pretrain",
    "read",
    "render",
    "search",
    "segment",
    "serve",
    "suggest",
    "sweep",
    "train",
    "train_masks",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("morphoscope")
    if name == "measure":
        return import_module("morphoscope.measure")  # the verb shares its name with the folder of its functions
    if name not in _VERBS:
        raise AttributeError(f"module 'morphoscope' has no attribute '{name}'")
    return getattr(import_module(_VERBS[name]), name)
