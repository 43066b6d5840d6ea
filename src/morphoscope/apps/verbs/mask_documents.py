"""Everything that a training on masks writes beside its model: figures, report, tables, the recipe that repeats it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morphoscope.apps.verbs.arguments import Say
from morphoscope.data.split import split_rows
from morphoscope.io.display import to_display
from morphoscope.micrograph import Micrograph
from morphoscope.models.segmenter_start import described_start
from morphoscope.reporting.compared_outlines import compared
from morphoscope.reporting.metrics_document import write_metrics
from morphoscope.reporting.objects_report import ComparedPicture, ObjectsPage, write_objects_report
from morphoscope.reporting.outlines import data_address
from morphoscope.reporting.page_text import counted, duration
from morphoscope.reporting.versions import versions
from morphoscope.scores.instance_summary import summarised
from morphoscope.scores.instances import PictureScore
from morphoscope.training.segmentation.held_out import OTSU, SHIPPED, TRAINED, n_known_to_shipped
from morphoscope.training.segmentation.losses import WEIGHTS

if TYPE_CHECKING:
    from morphoscope.apps.verbs.train_masks import MaskRun

SHOWN_PICTURES = 24
_SCORES = ("ap50", "ap75", "iou", "dice", "row_averaged_iou", "count_error", "diameter_error")


@dataclass(frozen=True, eq=False)
class MaskSummary:
    """figures: as metrics.json gives them under `objects`, without any where nothing was held out. baselines: the same of each."""

    figures: Mapping[str, Any]
    baselines: Mapping[str, Mapping[str, Any]]
    mask_kind: str
    n_train: int
    n_validation: int
    n_test: int
    out: Path
    notes: Sequence[str] = ()


@dataclass
class Gallery:
    """Keeps the worst of the held-out pictures as they come, ready to be shown."""

    pictures: list[ComparedPicture] = field(default_factory=list)

    def add(self, name: str, micrograph: Micrograph, true: np.ndarray, found: np.ndarray, score: PictureScore) -> None:
        if len(self.pictures) == SHOWN_PICTURES and _rank(score) >= _rank(self.pictures[-1].score):
            return
        overlay = data_address(compared(to_display(micrograph.pixels), true, found))
        self.pictures.append(ComparedPicture(name, score, overlay))
        self.pictures.sort(key=lambda picture: _rank(picture.score))
        del self.pictures[SHOWN_PICTURES:]


def _rank(score: PictureScore) -> tuple[float, float]:
    return score.ap50, score.iou


def write_mask_documents(run: MaskRun, gallery: Gallery, say: Say) -> MaskSummary:
    """Writes the results of a training on masks into its folder. Raises OutputError or OSError where there is no room."""
    out, folder, fold = run.out, run.folder, run.fold
    names, groups = [picture.name for picture in folder.pictures], [picture.group for picture in folder.pictures]
    clusters = folder.groups[fold.test]
    figures = {method: summarised(found.scores, clusters) for method, found in run.tests.items()}
    history = _history(run)
    notes = _notes(run, figures)
    (out / "recipe.toml").write_text(run.recipe.to_toml(), encoding="utf-8")
    pd.DataFrame(split_rows([fold], names, groups)).to_csv(out / "splits.csv", index=False)
    history.to_csv(out / "history.csv", index=False)
    _predictions(run).to_csv(out / "predictions.csv", index=False)
    write_metrics(_metrics(run, figures, notes), out / "metrics.json")
    page = ObjectsPage(
        figures=figures,
        notes=notes,
        facts=_facts(run),
        history=history,
        kept_step=run.fitted.kept_step,
        pictures=gallery.pictures,
        n_test=len(fold.test),
        command=run.command,
        recipe=run.recipe.model_dump(mode="json"),
        versions=versions(),
    )
    write_objects_report(page, out)
    for method in figures:
        say(_line(method, figures[method]))
    for sentence in notes:
        say(f"Note: {sentence}")
    say(f"Report: {out / 'report.html'}. To use the model: morphoscope segment PICTURES --model {out} --out instance_maps")
    baselines = {method: found for method, found in figures.items() if method != TRAINED}
    own = figures.get(TRAINED, {})
    return MaskSummary(own, baselines, folder.kind, len(fold.train), len(fold.validation), len(fold.test), out, notes)


def _history(run: MaskRun) -> pd.DataFrame:
    """A row a look or a report, with the weighted sum of the losses."""
    history = pd.DataFrame(run.fitted.history)
    if set(WEIGHTS) <= set(history):
        total = sum(weight * history[name] for name, weight in WEIGHTS.items())
        history.insert(2, "loss", total)
    return history


def _predictions(run: MaskRun) -> pd.DataFrame:
    """A row a held-out picture, with every score of the trained segmenter and those of the baselines behind."""
    columns = ["path", "status", "error", "group", "objects_true", "objects_found"]
    rows = []
    for index, row in enumerate(run.fold.test):
        picture = run.folder.pictures[int(row)]
        own = run.tests[TRAINED].scores[index]
        cells: dict[str, Any] = dict(zip(columns, [picture.name, "ok", "", picture.group, own.n_true, own.n_found], strict=True))
        for method in run.tests:
            prefix = "" if method == TRAINED else f"{method}."
            cells |= {f"{prefix}{_named(score)}": getattr(run.tests[method].scores[index], score) for score in _SCORES}
        rows.append(cells)
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*columns, *map(_named, _SCORES)])


def _named(score: str) -> str:
    return "row_averaged_iou_lu2022" if score == "row_averaged_iou" else score


def _metrics(run: MaskRun, figures: Mapping[str, Mapping[str, Any]], notes: Sequence[str]) -> dict[str, Any]:
    folder, fold = run.folder, run.fold
    return {
        "tasks": {},
        "objects": figures.get(TRAINED, {"n": 0}),
        "baselines": {method: found for method, found in figures.items() if method != TRAINED},
        "masks": {"kind": folder.kind, "n": len(folder.pictures), "objects": folder.n_objects, "left_out": len(folder.left_out)},
        "split": {
            "protocol": run.recipe.split,
            "n_train": len(fold.train),
            "n_validation": len(fold.validation),
            "n_test": len(fold.test),
            "n_groups": len(np.unique(folder.groups)),
        },
        "encoder": run.recipe.encoder,
        "steps": run.fitted.steps,
        "kept_step": run.fitted.kept_step,
        "seconds_training": run.seconds,
        "seconds_inference_per_image": run.tests[TRAINED].seconds if run.tests else None,
        "peak_memory_mb": run.peak_memory_mb,
        "versions": versions(),
        "warnings": list(notes),
    }


def _notes(run: MaskRun, figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What a reader of the figures must know."""
    notes = list(run.folder.left_out)
    if not figures:
        return notes
    if known := n_known_to_shipped(run.folder, run.fold.test):
        notes.insert(
            0,
            f"{known} of the held-out pictures trained the segmenter that comes with Morphoscope: its figures are flattering, and so "
            "are those of a model that began with it. --encoder random or --encoder default gives honest ones.",
        )
    own = figures[TRAINED]
    for method, name in ((SHIPPED, "the segmenter that comes with Morphoscope"), (OTSU, "Otsu + watershed")):
        if figures[method]["ap50"] > own["ap50"]:
            notes.insert(0, f"On the held-out pictures {name} finds more: {figures[method]['ap50']:.3f} to {own['ap50']:.3f} AP.")
    if own["ap50_ci95"] is None:
        notes.append("All held-out pictures belong together, so no interval can be given.")
    return notes


def _facts(run: MaskRun) -> dict[str, str]:
    folder, fold = run.folder, run.fold
    return {
        "masks": f"{counted(len(folder.pictures), 'mask')} of kind {folder.kind} with {counted(folder.n_objects, 'object')}",
        "split": f"{len(fold.train)} to learn from, {len(fold.validation)} to choose by, {len(fold.test)} held out",
        "start": f"from {described_start(run.recipe.encoder)}",
        "fit": f"{run.fitted.steps} steps in {duration(run.fitted.seconds)}, weights of step {run.fitted.kept_step}",
    }


def _line(method: str, figures: Mapping[str, Any]) -> str:
    """The figures of a method for the terminal."""
    interval = figures["ap50_ci95"]
    between = f" (95 % {interval[0]:.2f}–{interval[1]:.2f})" if interval else ""
    errors = [f"{100 * figures[n]:.0f} %" if figures[n] is not None else "unknown" for n in ("count_error", "diameter_error")]
    return (
        f"{method.replace('_', ' ')}: AP50 {figures['ap50']:.3f}{between}, AP75 {figures['ap75']:.3f}, IoU {figures['iou']:.3f}, "
        f"Dice {figures['dice']:.3f}, error of the count {errors[0]}, of the mean diameter {errors[1]}."
    )
