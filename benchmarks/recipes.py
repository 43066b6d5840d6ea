"""The founding systems' recipes and the default side by side, all by one protocol on pictures of the same size.

    python benchmarks/recipes.py --data ../shared/data --work runs [--quick]   # runs what `runs` does not hold, writes RECIPES.md

Rendered: ten classes of SEM pictures in class folders, like NFFA-EUROPE's, at equal time for each fit on one thread; the default
without measured shape, which takes its time before the fit. With one job the time is the processor's, which other programs on the
machine don't stretch. EMPS: real pictures of particles, papers kept whole, all networks from random weights at equal epochs; what the
default measures of a picture's objects comes from segmenters that did not see its paper. ImageNet's weights are not on the machine, so
recipes that ask for them start from random weights; the default starts from its shipped encoder where nothing else is said. All see
pictures of the same size, which for most recipes is less than they were published with, and a recipe's own patience may end it sooner.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from morphoscope.apps.verbs.compare import compare
from morphoscope.reporting.comparison import Comparison, Pair
from morphoscope.synthesis import write_dataset
from morphoscope.training import callbacks, fit, pretrained_start
from morphoscope.training.comparison import run
from morphoscope.training.recipe import load_recipe, recipe_names
from morphoscope.training.selfsupervised import pretraining

PAGE = Path(__file__).parent / "RECIPES.md"
CLASSES, SEED = 10, 4_001
REAL_SPLIT = "kfold:3"
EMPS_TASKS = ("Modality", "Particle count", "Morphology", "Structure", "Arrangement")
DEFAULT, RANDOM_START = "default", "default-random-start"
QUICK_RECIPES = (
    DEFAULT,
    RANDOM_START,
    "accords-resnet18",
    "accords-efficientnet-b0",
    "accords-convnext-tiny",
    "weintraub-simple-cnn",
    "weintraub-xception",
    "biswas-cnn6",
    "biswas-densenet121-m1",
    "biswas-inception-v3",
    "biswas-autoencoder-densenet121-ad2",
    "lu-barlow-twins",
)
"""One of each architecture."""
WITHOUT_SHAPE = 'model.branches=["image", "texture", "metadata"]'
TIMED = (callbacks, fit, run, pretrained_start, pretraining)
"""Where training looks at the clock."""


@dataclass(frozen=True)
class Size:
    """How much is run. a_class: rendered pictures. side: of all pictures that networks see, in px. minutes: a fit on rendered
    pictures. epochs: a fit on EMPS."""

    name: str
    a_class: int
    side: int
    minutes: float
    epochs: int
    seeds: Sequence[int]
    recipes: Sequence[str]
    jobs: int


FULL = Size("full", 200, 128, 10.0, 30, (0, 1, 2), (), 2)
QUICK = Size("quick", 200, 96, 4.0, 10, (0,), QUICK_RECIPES, 1)


def recipe_files(names: Sequence[str], work: Path, random_start: bool) -> list[Path]:
    """Each recipe as a file that starts as described above. random_start: all of them from random weights."""
    folder = work / ("recipes-random" if random_start else "recipes")
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name in names:
        is_ours = name in (DEFAULT, RANDOM_START)
        start = "random" if random_start or name != DEFAULT else "auto"
        settings = [f"encoder={start}", *([WITHOUT_SHAPE] if is_ours and not random_start else [])]
        recipe = load_recipe(DEFAULT if is_ours else name, settings)
        files.append(folder / f"{name}.toml")
        files[-1].write_text(recipe.to_toml(), encoding="utf-8")
    return files


def rendered(size: Size, work: Path, names: Sequence[str]) -> Comparison:
    """Every recipe on rendered class folders, at equal wall time."""
    folder = work / f"sem10-{size.name}"
    if not (folder / "truth.csv").is_file():
        write_dataset("sem10", CLASSES * size.a_class, folder, size=(size.side, size.side), seed=SEED, layout="folders")
    return compare(
        folder / "images",
        work / f"compare-sem10-{size.name}",
        recipes=recipe_files(names, work, random_start=False),
        seeds=size.seeds,
        split="80/20",
        time_budget_min=size.minutes,
        settings=[f"model.image_size={size.side}"],
        jobs=size.jobs,
        say=print,
    )


def real(size: Size, work: Path, names: Sequence[str], emps: Path) -> Comparison:
    """Every recipe on EMPS from random weights, at equal epochs."""
    names = [name for name in names if name != RANDOM_START]
    return compare(
        emps / "images",
        work / f"compare-emps-{size.name}",
        labels=emps / "labels.csv",
        group="Paper",
        tasks=EMPS_TASKS,
        recipes=recipe_files(names, work, random_start=True),
        seeds=size.seeds,
        split=REAL_SPLIT,
        epochs=size.epochs,
        settings=[f"model.image_size={size.side}"],
        jobs=size.jobs,
        say=print,
    )


def by_processor_time() -> None:
    """From here on training counts the processor's seconds of this process."""
    clock = SimpleNamespace(monotonic=time.process_time, perf_counter=time.process_time)
    for module in TIMED:
        module.time = clock  # type: ignore[attr-defined]


def section(title: str, protocol: str, found: Comparison) -> list[str]:
    """A table: recipes by mean accuracy over tasks, what they cost, and whether they differ from the default."""
    costs = {cost.recipe: cost for cost in found.costs()}
    names = sorted(found.finished, key=lambda name: -found.mean_accuracy(name))
    tasks = [task.name for task in found.schema.tasks]
    n_groups = len(np.unique(found.groups))
    lines = [f"## {title}", "", f"{protocol} {len(found.groups)} pictures in {n_groups} groups.", ""]
    left_out = [name for name in recipe_names() if name not in found.recipes]
    lines += [f"Not run here: {', '.join(left_out)}.", ""] if left_out else []
    lines += [f"| recipe | {' | '.join(tasks)} | training | parameters | epochs | minutes a fit | pictures/s learned |"]
    lines += [f"|---|{'---|' * len(tasks)}---|---|---|---|---|"]
    by_task = [{standing.recipe: standing for standing in found.standings(number)} for number in range(len(tasks))]
    majorities = [next(iter(table.values())).majority for table in by_task]
    lines.append(f"| majority class | {' | '.join(_share(value) for value in majorities)} | | | | | |")
    for name in names:
        shown = []
        for table in by_task:
            accuracy, interval = table[name].test.accuracy, table[name].test.interval
            shown.append(f"**{_share(accuracy)}** ({interval[0]:.2f}–{interval[1]:.2f})" if interval else _share(accuracy))
        learned = sum(table[name].training.accuracy or 0 for table in by_task) / len(by_task)
        cost = costs[name]
        lines.append(
            f"| {name} | {' | '.join(shown)} | {learned:.3f} | {cost.parameters:,} | {cost.epochs:.0f} | {cost.minutes:.1f} | "
            f"{cost.training_images_per_second:.0f} |"
        )
    lines += ["", *_verdict(found, tasks), ""]
    for name, sentence in found.failures.items():
        lines += [f"{name} failed: {sentence.partition(': ')[2] or sentence}", ""]
    return lines


def _verdict(found: Comparison, tasks: Sequence[str]) -> list[str]:
    """Whether the default is ahead, by how much, what the untouched pictures say, and which differences are clear."""
    if DEFAULT not in found.finished:
        return ["The default has no result here."]
    others = [name for name in found.finished if not name.startswith(DEFAULT)]
    if not others:
        return ["No other recipe has a result here."]
    ours, best_other = found.mean_accuracy(DEFAULT), max(others, key=found.mean_accuracy)
    ahead = [name for name in others if ours > found.mean_accuracy(name)]
    lines = [
        f"Mean accuracy over tasks: default {ours:.3f}, the best of the others ({best_other}) {found.mean_accuracy(best_other):.3f}. "
        f"The default is ahead of {len(ahead)} of {len(others)}."
    ]
    clear = {task: [_other(pair) for pair in found.pairs(number) if _is_ours(pair)] for number, task in enumerate(tasks)}
    if any(len(found.of(name)) > 1 for name in found.finished):
        counts = ", ".join(f"{task}: {sum(names)} of {len(names)}" for task, names in clear.items())
        lines.append(f"Differs from the default at a joint 5 % (corrected resampled t-test, Holm): {counts}.")
    else:
        lines.append(
            "With one run a recipe no test of the differences is possible; the intervals say how far to trust the order."
        )
    for standing, task in zip(found.untouched_standings(), tasks, strict=False):
        if standing.test.accuracy is not None and standing.test.interval:
            low, high = standing.test.interval
            lines.append(
                f"Untouched pictures, {standing.recipe}, {task}: {standing.test.accuracy:.3f} ({low:.2f}–{high:.2f}), n = "
                f"{standing.test.n}, majority class {_share(standing.majority)}."
            )
    return lines


def _is_ours(pair: Pair) -> bool:
    return DEFAULT in (pair.first, pair.second) and RANDOM_START not in (pair.first, pair.second)


def _other(pair: Pair) -> bool:
    return pair.is_clear


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def page(size: Size, sections: Sequence[list[str]]) -> str:
    """RECIPES.md."""
    parts = (__doc__ or "").split("\n\n")
    lines = ["# Recipes", "", parts[0], "", parts[2].strip(), ""]
    lines.append(
        f"This page is of the {size.name} run"
        + (": one recipe of each architecture, one seed, minutes a fit." if size.name != FULL.name else ".")
    )
    lines.append("Accuracy on the test pictures of the splits, with 95 % intervals that allow for groups.")
    return "\n".join([*lines, "", *(line for part in sections for line in part)]).rstrip() + "\n"


def main() -> None:
    """Runs where needed; the page is written after each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="a recipe of each architecture, small pictures, minutes")
    parser.add_argument("--jobs", type=int, help="fits at a time, one thread each")
    for kind in ("rendered", "real"):
        parser.add_argument(f"--{kind}", help="recipes of that set, comma between; `none` leaves the set out")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    size = replace(size, jobs=options.jobs) if options.jobs else size
    every = list(size.recipes) or [DEFAULT, RANDOM_START, *(name for name in recipe_names() if name != DEFAULT)]
    chosen = {kind: _chosen(getattr(options, kind), every) for kind in ("rendered", "real")}
    options.work.mkdir(parents=True, exist_ok=True)
    if size.jobs == 1:  # otherwise fits run in processes of their own
        by_processor_time()
    sections = []
    if chosen["rendered"]:
        found = rendered(size, options.work, chosen["rendered"])
        protocol = (
            f"`render sem10`, {size.side} px, {size.a_class} a class; 20 % untouched, then 80/20 by seeds {_listed(size)}; "
            f"at most {size.minutes:g} min a fit, {size.jobs} at a time."
        )
        sections.append(section("Rendered SEM, ten classes, equal time", protocol, found))
        PAGE.write_text(page(size, sections), encoding="utf-8")
    emps = options.data / "emps"
    if chosen["real"] and emps.is_dir():
        found = real(size, options.work, chosen["real"], emps)
        protocol = (
            f"Random weights, {size.epochs} epochs, {size.side} px; 20 % untouched, then {REAL_SPLIT} by seeds "
            f"{_listed(size)}, papers kept whole."
        )
        sections.append(section("EMPS, random weights, equal epochs", protocol, found))
        PAGE.write_text(page(size, sections), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def _chosen(asked: str | None, every: Sequence[str]) -> list[str]:
    if asked is None:
        return list(every)
    return [] if asked == "none" else asked.split(",")


def _listed(size: Size) -> str:
    return ", ".join(map(str, size.seeds))


if __name__ == "__main__":
    main()
