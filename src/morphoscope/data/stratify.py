"""Iterative stratification: parts of a data set that each hold their share of every label, of several tasks at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np


def stratify(
    counts: np.ndarray,
    sizes: np.ndarray,
    shares: Sequence[float] | np.ndarray,
    rng: np.random.Generator,
    essential: Sequence[int] = (),
) -> np.ndarray:
    """(U,) the part that each unit goes to.

    counts: (U, L) images of unit u with label l; sizes: (U,) images of each unit. A unit (a group of images) stays whole.
    shares: (P,) fraction of the images wanted in each part. essential: parts that get a unit of every label before others do.
    No part is empty where there are as many units as parts.

    The order is that of Sechidis, Tsoumakas, Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011: the rarest
    label first. A unit goes where chi squared of the parts' label counts grows least: a group brings many labels at once.
    """
    shares = np.asarray(shares, dtype=float) / np.sum(shares)
    counts_and_size = np.column_stack([counts, sizes])
    totals = np.maximum(counts_and_size.sum(axis=0), 1)
    wanted = np.outer(shares, totals)
    part = np.full(len(counts), -1)
    has_label = np.zeros(wanted.shape, dtype=bool)
    shuffled = rng.permutation(len(counts))
    largest_first = shuffled[np.argsort(-sizes[shuffled], kind="stable")]

    def assign(unit: int, best: int | None) -> None:
        amount = counts_and_size[unit]
        if best is None:
            growth = ((amount**2 - 2 * wanted * amount) / totals).sum(axis=1) / shares
            best = int(rng.choice(np.flatnonzero(growth <= growth.min() + 1e-9)))
        part[unit] = best
        wanted[best] -= amount
        has_label[best] |= amount > 0

    remaining = counts.sum(axis=0)
    while remaining.any():
        label = int(np.where(remaining > 0, remaining, np.inf).argmin())
        units = deque(largest_first[(part[largest_first] < 0) & (counts[largest_first, label] > 0)].tolist())
        while units:
            lacking = [p for p in essential if not has_label[p, label]]
            # The first essential part gets the largest unit, the others the smallest: a large one would crowd a small part.
            takes_smallest = bool(lacking) and lacking[0] != essential[0]
            assign(units.pop() if takes_smallest else units.popleft(), lacking[0] if lacking else None)
        remaining = counts[part < 0].sum(axis=0)
    for unit in largest_first[part[largest_first] < 0]:
        assign(unit, None)
    return _without_empty_parts(part, counts, sizes, len(shares))


def _without_empty_parts(part: np.ndarray, counts: np.ndarray, sizes: np.ndarray, n_parts: int) -> np.ndarray:
    """The same where every empty part was given a unit of the fullest: one that takes the fewest labels away with it."""
    for empty in set(range(n_parts)) - set(part.tolist()):
        fullest = np.bincount(part, minlength=n_parts).argmax()
        units = np.flatnonzero(part == fullest)
        if len(units) > 1:
            holders = (counts[units] > 0).sum(axis=0)
            loss = ((counts[units] > 0) & (holders == 1)).sum(axis=1)
            part[units[np.lexsort((sizes[units], loss))[0]]] = empty
    return part
