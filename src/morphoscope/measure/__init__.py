"""Sizes and shapes of the objects of an instance map, as pure functions on arrays, a file an idea.

Called, it is the verb of that name, which shares its name with this folder: `morphoscope.measure("images", "measurements.csv")`
takes the options of `morphoscope measure`; `help(morphoscope.apps.verbs.measure.measure)` says which.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallableFolder(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return import_module("morphoscope.apps.verbs.measure").measure(*arguments, **options)


sys.modules[__name__].__class__ = _CallableFolder
