"""Names to things. Built-ins and outside plug-ins (entry points of the group `morphoscope.<kind>`) use the same door."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from morphoscope.errors import MorphoscopeError, did_you_mean


class Registry:
    """The things of one kind, loaded on first use so that listing them costs nothing."""

    def __init__(self, kind: str, built_in: Mapping[str, str]) -> None:
        """kind: for messages and the entry-point group. built_in: name to `module:attribute`."""
        self.kind = kind
        self._built_in = frozenset(built_in)
        self._targets = dict(built_in)
        for point in entry_points(group=f"morphoscope.{kind.replace(' ', '_')}"):
            self._targets.setdefault(point.name, point.value)

    def names(self) -> list[str]:
        """All registered names in order of registration."""
        return list(self._targets)

    def load(self, name: str) -> Any:
        """The registered thing. Raises MorphoscopeError that lists the names there are, or names a plug-in that is broken."""
        if name not in self._targets:
            raise MorphoscopeError(
                f"There is no {self.kind} called '{name}'; expected one of {', '.join(self._targets)}."
                f"{did_you_mean(name, self._targets)}"
            )
        module, _, attribute = self._targets[name].partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            if name in self._built_in:
                raise
            raise MorphoscopeError(
                f"The {self.kind} '{name}' can't be loaded from {self._targets[name]} ({error}); expected the plug-in that a package "
                "promised. Update or remove that package."
            ) from error
