"""How far annotators agree on a task: every pair of them, all together, and class by class."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from morphoscope.archive.annotation.answers import current_answers
from morphoscope.archive.annotation.tasks import label_task
from morphoscope.archive.store import Archive
from morphoscope.scores.agreement import Kappa, class_kappas, cohens_kappa, fleiss_kappa


@dataclass(frozen=True)
class Agreement:
    """pairs: Cohen's kappa on the pictures that both answered; fleiss: of all annotators on pictures with two answers or more;
    per_class: each class against the others. Unsure and outdated answers are left out and counted in n_unsure, n_outdated."""

    task: str
    pairs: dict[tuple[str, str], Kappa]
    fleiss: Kappa
    per_class: dict[str, Kappa]
    n_unsure: int
    n_outdated: int


def agreement(archive: Archive, task: str) -> Agreement:
    """Of the answers that hold now. Raises ArchiveError for a task that there isn't."""
    classes = [one.name for one in label_task(archive, task).open_classes]
    index = {name: place for place, name in enumerate(classes)}
    by_annotator: dict[str, dict[int, int]] = defaultdict(dict)
    n_unsure = n_outdated = 0
    for answer in current_answers(archive, task):
        if answer.class_name is not None:
            by_annotator[answer.annotator][answer.picture] = index[answer.class_name]
        elif answer.is_outdated:
            n_outdated += 1
        else:
            n_unsure += 1
    pairs = {(a, b): _pair(by_annotator[a], by_annotator[b], len(classes)) for a, b in combinations(sorted(by_annotator), 2)}
    counts = _counts(by_annotator, len(classes))
    per_class = dict(zip(classes, class_kappas(counts), strict=True))
    return Agreement(task, pairs, fleiss_kappa(counts), per_class, n_unsure, n_outdated)


def _pair(first: dict[int, int], second: dict[int, int], n_classes: int) -> Kappa:
    both = sorted(first.keys() & second.keys())
    codes_of_first, codes_of_second = (np.array([answers[picture] for picture in both], int) for answers in (first, second))
    return cohens_kappa(codes_of_first, codes_of_second, n_classes)


def _counts(by_annotator: dict[str, dict[int, int]], n_classes: int) -> np.ndarray:
    """(N, C) answers a class for every picture with any."""
    row = {picture: place for place, picture in enumerate(sorted({p for answers in by_annotator.values() for p in answers}))}
    counts = np.zeros((len(row), n_classes))
    for answers in by_annotator.values():
        for picture, code in answers.items():
            counts[row[picture], code] += 1
    return counts
