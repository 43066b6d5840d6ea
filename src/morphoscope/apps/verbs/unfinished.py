"""What a run began with, kept until it ends: `--resume` goes on with the same settings and pictures or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from morphoscope.apps.verbs.folder import Folder, FolderRequest
from morphoscope.apps.verbs.output import write_whole
from morphoscope.calibration.resolve import Scale
from morphoscope.data.cache import content_hash
from morphoscope.errors import OutputError
from morphoscope.training.recipe import Recipe

MAX_NAMED = 3
UNFINISHED = "unfinished.json"


@dataclass(frozen=True)
class Beginning:
    """settings: by dotted name. pictures: name to a digest of its content, labels, group, sample and metadata."""

    settings: dict[str, Any]
    pictures: dict[str, str]


def beginning_of(recipe: Recipe, source: FolderRequest, refit: bool, ablate: bool, folder: Folder) -> Beginning:
    """What a run with these options begins with."""
    settings = flat_settings(recipe.model_dump(mode="json", exclude={"data"}))
    settings |= {
        "--group": source.group,
        "--sample": source.sample,
        "--refit": refit,
        "--ablate": ablate,
        "--scale": source.scale,
        "--channel": sorted(source.channels),
        "--lost-files": source.lost_files,
    }
    # Tasks without a label among these pictures matter to the network too.
    settings["tasks"] = [[task.name, *task.classes] for task in folder.catalogue.schema.tasks]
    rows = zip(folder.catalogue.entries, folder.prepared.hashes, strict=True)
    return Beginning(
        settings,
        {e.name: _digest([content, e.labels, e.group, e.sample, e.metadata, _contents(e.files)]) for e, content in rows},
    )


def _contents(files: Mapping[str, Path]) -> dict[str, str]:
    """What the files of a picture's channels hold, as digests; nothing for one that can't be opened, which counts as absent."""
    found = {}
    for channel, path in files.items():
        with suppress(OSError):
            found[channel] = content_hash(path)
    return found


def write_beginning(fits: Path, beginning: Beginning) -> None:
    """Keeps it. Raises OSError."""
    fits.mkdir(parents=True, exist_ok=True)
    write_whole(fits / UNFINISHED, json.dumps(asdict(beginning)))


def is_unfinished(fits: Path) -> bool:
    """Whether a run began there and has not ended."""
    return (fits / UNFINISHED).is_file()


def source_scale(fits: Path) -> Scale | None:
    """Where the interrupted run took its pixel sizes from, where that was decided."""
    scale: Scale | None = _began_with(fits).get("--scale")
    return scale


def begun_branches(fits: Path) -> tuple[str, ...] | None:
    """What the interrupted run's network takes, where there is such a run."""
    branches = _began_with(fits).get("model.branches")
    return None if branches is None else tuple(branches)


def _began_with(fits: Path) -> dict[str, Any]:
    if not is_unfinished(fits):
        return {}
    settings: dict[str, Any] = json.loads((fits / UNFINISHED).read_text(encoding="utf-8"))["settings"]
    return settings


def mark_finished(fits: Path) -> None:
    """Nothing is left to resume."""
    (fits / UNFINISHED).unlink(missing_ok=True)


def refuse_resuming_nothing(out: Path, fits: Path) -> None:
    """Raises OutputError where no run was interrupted."""
    if is_unfinished(fits):
        return
    if (out / "metrics.json").exists():
        found, remedy = "the run there is finished", f"See {out / 'report.html'}, or train anew with --overwrite"
    else:
        found, remedy = "no run was begun there, or it was stopped before training", "Leave --resume out to begin one"
    raise OutputError(f"--resume: --out {out}: {found}; expected an interrupted run. {remedy}.")


def refuse_another(out: Path, fits: Path, now: Beginning) -> None:
    """Raises OutputError where the interrupted run began with other settings or pictures."""
    began = Beginning(**json.loads((fits / UNFINISHED).read_text(encoding="utf-8")))
    if changes := _changed_settings(began.settings, json.loads(json.dumps(now.settings))):
        what, remedy = f"the settings are not those that the run began with: {changes}", "Give those"
    elif changes := _changed_pictures(began.pictures, now.pictures):
        what, remedy = f"the pictures are not those that the run began with: {changes}", "Put those back"
    else:
        return
    raise OutputError(f"--resume: --out {out}: {what}; expected the same. {remedy}, or begin anew with --overwrite.")


def _changed_settings(began: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    changed = [name for name in {**began, **now} if began.get(name) != now.get(name)]
    return ", ".join(f"{name} was {began.get(name)} and is {now.get(name)}" for name in changed[:MAX_NAMED]) + _more(changed)


def _changed_pictures(began: Mapping[str, str], now: Mapping[str, str]) -> str:
    kinds = {
        "gone": [name for name in began if name not in now],
        "new": [name for name in now if name not in began],
        "of another content, label, group or metadata": [name for name in now if began.get(name, now[name]) != now[name]],
    }
    return "; ".join(
        f"{len(names)} {kind} ({', '.join(names[:MAX_NAMED])}{_more(names)})" for kind, names in kinds.items() if names
    )


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def flat_settings(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Those of sections within sections by dotted name."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= flat_settings(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
