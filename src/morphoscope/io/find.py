"""Folders and files to a list of micrographs: naturally sorted, nothing dropped that was named."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from morphoscope.errors import ReadError
from morphoscope.io.detect import extensions, is_part

_FOLDERS_OF_OTHERS = {"__MACOSX"}


def find_micrographs(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    recursive: bool = True,
    *,
    every_file: bool = False,
    further: Collection[str] = (),
) -> list[Path]:
    """Files named and files in the folders named, each once: the order of `paths`, inside a folder natural order (2 before 10).

    A file named is always returned, whatever it is, so that reading it tells what is wrong. In folders, pictures are known
    by extension in any case; hidden files, `__MACOSX`, sidecars and sheets are skipped, and so are files whose picture comes
    through another one (`a.emi` beside `a_1.ser`), unless `every_file`. further: extensions beside those of pictures. Symbolic
    links are followed, each real folder once.
    Raises ReadError where a path is missing, a folder can't be listed, or nothing is found.
    """
    named = [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
    found: dict[Path, None] = {}
    for path in named:
        if path.is_dir():
            found.update(dict.fromkeys(pictures_in(path, recursive, every_file, further)))
        elif path.exists():
            found[path] = None
        else:
            raise ReadError(f"{path}: found no such file or folder; expected pictures. Check the spelling.")
    if not found:
        places = ", ".join(str(path) for path in named) or "no path"
        raise ReadError(
            f"{places}: found no picture; expected files that end with {', '.join(sorted(extensions()))}. "
            "Name another folder, or the files themselves."
        )
    return list(found)


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sorts numbers in names by value and letters without case: `img2` before `img10`."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in re.split(r"(\d+)", text) if part]


def pictures_in(folder: Path, recursive: bool = True, every_file: bool = False, further: Collection[str] = ()) -> list[Path]:
    """Those of one folder, by the same rules; none is an answer. Raises ReadError where a folder can't be listed."""
    known = {*extensions(), *further}
    files = [path for path in _files_in(folder, recursive, set()) if path.suffix.lower() in known]
    files = [path for path in files if every_file or not is_part(path)]
    return sorted(files, key=lambda path: [natural_key(part) for part in path.relative_to(folder).parts])


def _files_in(folder: Path, recursive: bool, visited: set[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in visited:
        return
    visited.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ReadError(
            f"{folder}: can't be listed ({error.strerror}); expected a readable folder. Check its permissions."
        ) from None
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _FOLDERS_OF_OTHERS:
            continue
        if Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir():
            if recursive:
                yield from _files_in(folder / entry.name, recursive, visited)
        else:
            yield folder / entry.name
