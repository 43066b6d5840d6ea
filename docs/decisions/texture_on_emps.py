"""What texture descriptors know of real particles, and what logit adjustment costs: three folds of EMPS, grouped by paper.

python docs/decisions/texture_on_emps.py ../shared/data
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from morphoscope.calibration.resolve import resolve
from morphoscope.data.preprocessing import Preprocessing
from morphoscope.io import read
from morphoscope.measure.texture import texture_descriptors
from morphoscope.models.branches.texture import TextureBranch
from morphoscope.schema import Schema, Task
from morphoscope.training.objectives import MultitaskLoss, log_priors

TASKS = ("Modality", "Particle count", "Morphology", "Structure", "Arrangement")
STEPS, BATCH, RATE = 1200, 32, 1e-3


def trained_branch(x: torch.Tensor, truths: list[torch.Tensor], schema: Schema, tau: float) -> nn.Module:
    """The texture branch with its heads, fitted alone."""
    torch.manual_seed(0)
    branch = TextureBranch(x.shape[1])
    branch.standardise_by(x)
    heads = nn.ModuleList([nn.Linear(branch.out_features, len(task.classes)) for task in schema.tasks])
    loss = MultitaskLoss(schema, log_priors(schema, truths), tau, 0.05)
    parameters = [*branch.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.15)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,))
        features = branch(x[rows])
        value = loss([head(features) for head in heads], [truth[rows] for truth in truths])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    return nn.ModuleDict({"branch": branch.eval(), "heads": heads})


def main(data: Path) -> None:
    """Prints a table: accuracy a task, mean accuracy, mean balanced accuracy."""
    with (data / "emps" / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    preprocessing = Preprocessing(0, 0)
    pictures = [preprocessing.working_copy(resolve(read(data / "emps" / "images" / row["filename"]))) for row in rows]
    x = np.stack([texture_descriptors(picture) for picture in pictures])
    schema = Schema(tuple(Task(name, tuple(sorted({row[name] for row in rows} - {""}))) for name in TASKS))
    folds = list(GroupKFold(3, shuffle=True, random_state=0).split(x, groups=[row["Paper"] for row in rows]))

    answers: dict[str, list[list[str]]] = {}
    for index, task in enumerate(schema.tasks):
        truth = np.array([row[task.name] for row in rows])
        majority, machine = np.empty(len(rows), object), np.empty(len(rows), object)
        for train, test in folds:
            known = train[truth[train] != ""]
            majority[test] = Counter(truth[known]).most_common(1)[0][0]
            machine[test] = make_pipeline(StandardScaler(), SVC(C=3)).fit(x[known], truth[known]).predict(x[test])
        answers.setdefault("majority class", []).insert(index, majority.tolist())
        answers.setdefault("descriptors, RBF support vectors", []).insert(index, machine.tolist())
    for tau in (0.0, 0.3, 0.6, 1.0):
        found = [np.empty(len(rows), object) for _ in TASKS]
        for train, test in folds:
            truths = [torch.tensor([[rows[i][t.name] == c for c in t.classes] for i in train]) for t in schema.tasks]
            model = trained_branch(torch.from_numpy(x[train]), truths, schema, tau)
            with torch.no_grad():
                features = model["branch"](torch.from_numpy(x[test]))
                for task, head, answer in zip(schema.tasks, model["heads"], found, strict=True):
                    answer[test] = np.array(task.classes, object)[head(features).argmax(1).numpy()]
        answers[f"texture branch, logit adjustment {tau:g}"] = [answer.tolist() for answer in found]

    print(f"| model | {' | '.join(TASKS)} | mean | mean balanced |\n|{'---|' * (len(TASKS) + 3)}")
    for name, columns in answers.items():
        pairs = [[(r[t], a) for r, a in zip(rows, column, strict=True) if r[t]] for t, column in zip(TASKS, columns, strict=True)]
        accuracy = [np.mean([true == said for true, said in pair]) for pair in pairs]
        balanced = [balanced_accuracy_score(*zip(*pair, strict=True)) for pair in pairs]
        print(f"| {name} | {' | '.join(f'{a:.3f}' for a in accuracy)} | {np.mean(accuracy):.3f} | {np.mean(balanced):.3f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
