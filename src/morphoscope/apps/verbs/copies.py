"""Copies of pictures, labelled or explained, in a folder that holds nothing they could replace unasked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from morphoscope.errors import OutputError
from morphoscope.inference.attention import AttentionReader
from morphoscope.inference.explanation import Explainer
from morphoscope.inference.predictor import Predicted, Seen
from morphoscope.micrograph import PixelSize
from morphoscope.models.bundle import Bundle
from morphoscope.reporting.heat_map import BRANCH_NAMES, Panel, explained_copy
from morphoscope.reporting.overlay import label_lines, labelled_copy


class LabelledCopies:
    """Pictures with their labels on a margin."""

    def __init__(self, folder: CopyFolder) -> None:
        self._folder = folder

    def write(self, batch: Predicted) -> None:
        """The copies of a batch. Raises OutputError."""
        for row, one in enumerate(batch.seen):
            lines = label_lines(batch.predictions, row)
            self._folder.save(one.micrograph.path, labelled_copy(one.working, lines, _pixel_size_of_working_copy(one)))


class ExplainedCopies:
    """Pictures beside what the model looked at."""

    def __init__(self, folder: CopyFolder, bundle: Bundle) -> None:
        self._folder, self._explainer, self._attention = folder, Explainer(bundle), AttentionReader(bundle)

    def write(self, batch: Predicted) -> None:
        """The copies of a batch. Raises OutputError."""
        if not batch.seen:
            return
        explained = self._explainer.explain(batch.seen, batch.predictions)
        attended = self._attention.look(batch.seen)
        for row, (one, explanations, looks) in enumerate(zip(batch.seen, explained, attended, strict=True)):
            answers = label_lines(batch.predictions, row)
            panels = [Panel(answer, e.heat, e.shares) for answer, e in zip(answers, explanations, strict=True)]
            panels += [
                Panel(f"What the {BRANCH_NAMES.get(name, name)} gathers (attention rollout; grey: an even share)", heat)
                for name, heat in looks.items()
            ]
            self._folder.save(one.micrograph.path, explained_copy(one.working, panels, _pixel_size_of_working_copy(one)))


class CopyFolder:
    """Where a PNG a picture goes, named like it; pictures of the same name are told apart by folder and extension."""

    def __init__(self, option: str, folder: Path, files: Sequence[Path], overwrite: bool) -> None:
        """Raises OutputError where the folder holds one of the pictures themselves, or copies that may not be replaced."""
        self._option, self._folder, self._names = option, folder, _names(files)
        if folder.resolve() in {path.parent.resolve() for path in files}:
            raise OutputError(
                f"{option} {folder}: pictures to be labelled lie there; expected another folder, so that no copy replaces one. "
                f"Choose another {option}."
            )
        existing = [name for name in self._names.values() if (folder / name).exists()]
        if existing and not overwrite:
            raise OutputError(
                f"{option} {folder}: it holds {existing[0]}{' and more' if existing[1:] else ''} already; expected none of the "
                f"copies. Choose another {option}, or add --overwrite."
            )

    def save(self, path: Path, copy: Image.Image) -> None:
        """Writes the copy of a picture. Raises OutputError."""
        target = self._folder / self._names[path]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            copy.save(target)
        except OSError as error:
            raise OutputError(
                f"{self._option} {self._folder}: {target.name} can't be written ({error.strerror or error}); expected a writable "
                f"folder with room. Choose another {self._option}; the table holds the rows written so far."
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
