"""The door to RosettaSciIO, which reads the makers' own formats: an extra, loaded when such a file is met.

It is GPL-3.0-or-later: imported where the user has installed it, never copied.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphoscope.errors import ReadError
from morphoscope.io.formats.decoder_log import divert, diverted_log

INSTALL = 'pip install "morphoscope[vendor]"'


@dataclass(frozen=True, eq=False)
class DataSet:
    """One of a file's data sets: values (numpy, or dask where they are read when asked for), an axis each dimension,
    the library's own words in nested tables (`settings`) and the file's (`original`)."""

    values: Any
    axes: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    original: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What the file calls it, or nothing."""
        return str(self.setting("General", "title") or "")

    def setting(self, *names: str) -> Any:
        """A value of `settings` by its path, or None."""
        return value_at(self.settings, names)

    def stated(self, path: str) -> Any:
        """A value of `original` by its dotted path, or None."""
        return value_at(self.original, path.split("."))


@contextmanager
def data_sets(path: Path, module: str, what: str, **options: Any) -> Iterator[list[DataSet]]:
    """Every data set that RosettaSciIO finds, with its mapping applied; values must be taken inside the block.

    what: the format's name for a sentence. Raises ReadError without the extra; the library may raise anything on bad input.
    """
    # One rule for good and not `catch_warnings`, which threads would undo for each other.
    warnings.filterwarnings("ignore", module="rsciio")
    with diverted_log():
        found = _reader(path, module, what)(str(path), **options)
        try:
            yield [_data_set(each) for each in found]
        finally:
            _close(found)


def _reader(path: Path, module: str, what: str) -> Any:
    try:
        package = importlib.import_module("rsciio")
    except ImportError:
        raise ReadError(
            f"{path}: found {what}, and RosettaSciIO, which reads it, is not installed; expected the extra 'vendor'. "
            f"Run {INSTALL}, or export the picture as TIFF."
        ) from None
    for handler in logging.getLogger(package.__name__).handlers:
        divert(handler)
    return importlib.import_module(f"rsciio.{module}").file_reader


def _close(found: Sequence[Mapping[str, Any]]) -> None:
    """Closes the HDF5 file behind values that are read when asked for; other files close with them."""
    from rsciio.utils.file import get_file_handle

    for each in found:
        handle = get_file_handle(each["data"], warn=False) if hasattr(each["data"], "compute") else None
        if handle is not None and hasattr(handle, "close"):
            handle.close()


def _data_set(found: Mapping[str, Any]) -> DataSet:
    settings = _copied(found["metadata"])
    original = found["original_metadata"]
    for source, targets in (found.get("mapping") or {}).items():
        value = value_at(original, source.split("."))
        if value is None:
            continue
        for target, function in targets if isinstance(targets, list) else [targets]:
            try:
                converted = value if function is None else function(value)
            except Exception:  # noqa: S112  # the library's converters expect what its authors have seen
                continue
            if converted is not None:
                _put(settings, target.split("."), converted)
    return DataSet(found["data"], found["axes"], settings, original)


def value_at(tree: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The value at a path of nested tables, or None. The library writes blanks in names as `_` here and there."""
    value: Any = tree
    for name in names:
        if not isinstance(value, Mapping):
            return None
        key = name if name in value else next((key for key in value if _plain(key) == _plain(name)), None)
        if key is None:
            return None
        value = value[key]
    return value


def _plain(name: object) -> str:
    return str(name).replace(" ", "_")


def _copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in tree.items()}


def _put(tree: dict[str, Any], names: Sequence[str], value: Any) -> None:
    for name in names[:-1]:
        inner = tree.get(name)
        if not isinstance(inner, dict):
            inner = tree[name] = {}
        tree = inner
    tree[names[-1]] = value
