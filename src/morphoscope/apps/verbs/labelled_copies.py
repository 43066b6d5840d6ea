"""Copies of pictures with their labels on a margin, in a folder that holds nothing they could replace unasked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from morphoscope.errors import OutputError
from morphoscope.inference.predictor import Predicted, Seen
from morphoscope.micrograph import PixelSize
from morphoscope.reporting.overlay import label_lines, labelled_copy


class LabelledCopies:
    """Writes a PNG a picture, named like it; pictures of the same name are told apart by folder and extension."""

    def __init__(self, folder: Path, files: Sequence[Path], overwrite: bool) -> None:
        """Raises OutputError where the folder holds one of the pictures themselves, or copies that may not be replaced."""
        self._folder, self._names = folder, _names(files)
        if folder.resolve() in {path.parent.resolve() for path in files}:
            raise OutputError(
                f"--overlay {folder}: pictures to be labelled lie there; expected another folder, so that no copy replaces one. "
                "Choose another --overlay."
            )
        existing = [name for name in self._names.values() if (folder / name).exists()]
        if existing and not overwrite:
            raise OutputError(
                f"--overlay {folder}: it holds {existing[0]}{' and more' if existing[1:] else ''} already; expected none of the "
                "copies. Choose another --overlay, or add --overwrite."
            )

    def write(self, batch: Predicted) -> None:
        """The copies of a batch. Raises OutputError."""
        for row, one in enumerate(batch.seen):
            picture = labelled_copy(one.working, label_lines(batch.predictions, row), _pixel_size_of_working_copy(one))
            target = self._folder / self._names[one.micrograph.path]
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                picture.save(target)
            except OSError as error:
                raise OutputError(
                    f"--overlay {self._folder}: {target.name} can't be written ({error.strerror or error}); expected a writable "
                    "folder with room. Choose another --overlay; the table holds the rows written so far."
                ) from error


def _names(files: Sequence[Path]) -> dict[Path, str]:
    stems = Counter(path.stem.casefold() for path in files)
    wanted = {path: path.stem if stems[path.stem.casefold()] == 1 else _telling(path) for path in files}
    taken: Counter[str] = Counter()
    names = {}
    for path, name in wanted.items():
        taken[name.casefold()] += 1
        count = taken[name.casefold()]
        names[path] = f"{name}.png" if count == 1 else f"{name}_{count}.png"
    return names


def _telling(path: Path) -> str:
    return f"{path.absolute().parent.name}_{path.name.replace('.', '_')}"


def _pixel_size_of_working_copy(seen: Seen) -> PixelSize | None:
    size = seen.micrograph.pixel_size
    shrunk = seen.micrograph.specimen().shape[1] / seen.working.shape[1]
    return size.scaled(size.x_nm * shrunk / size.y_nm, shrunk) if size else None
