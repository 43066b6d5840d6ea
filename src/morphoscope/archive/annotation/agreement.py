"""How far annotators agree on a task: every pair of them, all together, and class by class."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from morphoscope.archive.annotation.answers import current_answers
from morphoscope.archive.annotation.tasks import label_task
from morphoscope.archive.store import Archive
from morphoscope.schema import CLASS_SEPARATOR
from morphoscope.scores.agreement import (
    UNDEFINED,
    Kappa,
    class_kappas,
    cohens_kappa,
    fleiss_kappa,
    pooled_cohens_kappa,
    pooled_fleiss_kappa,
    yes_or_no,
)

_Sets = dict[int, np.ndarray]
"""(C,) bool of the classes that an annotator named, by picture."""


@dataclass(frozen=True)
class Agreement:
    """pairs: Cohen's kappa on the pictures that both answered; fleiss: of all annotators on pictures with two answers or more;
    per_class: each class against the others. Of a multi-label task each class is a question of its own, and the first two are
    pooled over them. Unsure and outdated answers are left out and counted in n_unsure, n_outdated."""

    task: str
    pairs: dict[tuple[str, str], Kappa]
    fleiss: Kappa
    per_class: dict[str, Kappa]
    n_unsure: int
    n_outdated: int


def agreement(archive: Archive, task: str) -> Agreement:
    """Of the answers that hold now. Raises ArchiveError for a task that there isn't."""
    asked = label_task(archive, task)
    classes = [one.name for one in asked.open_classes]
    by_annotator: dict[str, _Sets] = defaultdict(dict)
    n_unsure = n_outdated = 0
    for answer in current_answers(archive, task):
        if answer.class_name is not None:
            by_annotator[answer.annotator][answer.picture] = np.isin(classes, answer.class_name.split(CLASS_SEPARATOR))
        elif answer.is_outdated:
            n_outdated += 1
        else:
            n_unsure += 1
    pairs = {
        (a, b): _pair(by_annotator[a], by_annotator[b], asked.is_multilabel) for a, b in combinations(sorted(by_annotator), 2)
    }
    counts, answers = _counts(by_annotator, len(classes))
    fleiss = pooled_fleiss_kappa(yes_or_no(counts, answers)) if asked.is_multilabel else fleiss_kappa(counts)
    per_class = dict(zip(classes, class_kappas(counts, answers), strict=True))
    return Agreement(task, pairs, fleiss, per_class, n_unsure, n_outdated)


def _pair(first: _Sets, second: _Sets, is_multilabel: bool) -> Kappa:
    both = sorted(first.keys() & second.keys())
    if not both:
        return UNDEFINED
    of_first, of_second = (np.stack([sets[picture] for picture in both]) for sets in (first, second))
    if is_multilabel:
        return pooled_cohens_kappa(of_first, of_second)
    return cohens_kappa(of_first.argmax(1), of_second.argmax(1), of_first.shape[1])


def _counts(by_annotator: dict[str, _Sets], n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, C) answers that name a class and (N,) answers, for every picture with any."""
    row = {picture: place for place, picture in enumerate(sorted({p for answers in by_annotator.values() for p in answers}))}
    counts, answers = np.zeros((len(row), n_classes)), np.zeros(len(row))
    for sets in by_annotator.values():
        for picture, named in sets.items():
            counts[row[picture]] += named
            answers[row[picture]] += 1
    return counts, answers
