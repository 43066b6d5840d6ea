"""Accuracy on real micrographs, from random weights and from the shipped encoder, beside the majority class.

    python benchmarks/accuracy.py --data ../shared/data --work runs        # trains what `runs` does not hold, writes ACCURACY.md

EMPS: 366 pictures of particles from 247 papers; three folds that never divide a paper; each fold trains on two thirds of the
pictures less the part that stops and calibrates. Figures are pooled over the folds; intervals allow for papers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ENCODERS = ("random", "default")
TASKS = ("Modality", "Particle count", "Morphology", "Structure", "Arrangement")
PAGE = Path(__file__).parent / "ACCURACY.md"
MODELS = {"fused": None, "network only": "network only", "texture only": "texture only", "shape only": "shape only"}


def trained(encoder: str, data: Path, work: Path) -> dict[str, Any]:
    """The metrics of a finished run, trained now where the work folder has none."""
    run = work / f"emps-{encoder}"
    if not (run / "metrics.json").is_file():
        emps = data / "emps"
        command = [sys.executable, "-m", "morphoscope.apps.cli.main", "train", emps / "images", "--labels", emps / "labels.csv"]
        command += ["--group", "Paper", "--split", "kfold:3x1", "--encoder", encoder, "--out", run]
        subprocess.run([str(part) for part in command], check=True)
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def page(metrics: dict[str, dict[str, Any]]) -> str:
    """ACCURACY.md: a row a start and model, a column a task, then what the sets hold."""
    lines = ["# Accuracy", "", (__doc__ or "").split("\n\n")[0], "", (__doc__ or "").split("\n\n")[2], ""]
    first = next(iter(metrics.values()))
    lines += [f"| start | model | {' | '.join(TASKS)} |", f"|---|---|{'---|' * len(TASKS)}"]
    majority = [f"{first['tasks'][task]['majority_accuracy']:.3f}" for task in TASKS]
    lines.append(f"| | majority class | {' | '.join(majority)} |")
    for encoder, document in metrics.items():
        for model, branch in MODELS.items():
            figures = document["branches"][branch] if branch else document["tasks"]
            lines.append(f"| {encoder} | {model} | {' | '.join(_accuracy(figures[task]) for task in TASKS)} |")
        balanced = [f"{document['tasks'][task]['balanced_accuracy']:.3f}" for task in TASKS]
        lines.append(f"| {encoder} | fused, balanced accuracy | {' | '.join(balanced)} |")
    lines += ["", "How far its confidence can be trusted (fused; 90 % sets should hold the truth in 90 %):", ""]
    lines += ["| start | figure | " + " | ".join(TASKS) + " |", f"|---|---|{'---|' * len(TASKS)}"]
    for encoder, document in metrics.items():
        for title, key in (("calibration error", "ece"), ("truth in the set", "set_coverage")):
            shown = [f"{document['tasks'][task][key]:.3f}" for task in TASKS]
            lines.append(f"| {encoder} | {title} | {' | '.join(shown)} |")
    lines.append("")
    for encoder, document in metrics.items():
        parts = ", ".join(f"{count} {part}" for part, count in document["split"]["n_images"].items())
        lines.append(f"{encoder}: {document['encoder']}; pictures a fold: {parts}.")
        lines.append("")
    return "\n".join(lines)


def _accuracy(figures: dict[str, Any]) -> str:
    low, high = figures["accuracy_ci95"]
    return f"**{figures['accuracy']:.3f}** ({low:.2f}–{high:.2f})"


def main() -> None:
    """Trains where needed and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--starts", nargs="+", choices=ENCODERS, default=list(ENCODERS), help="encoders to start from")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page({encoder: trained(encoder, options.data, options.work) for encoder in options.starts}), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
