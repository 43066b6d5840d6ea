"""How a comparison divides the pictures: an untouched part first, then cross-validation on what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.data.split import Fold, split

OUTER_SEED = 0
"""The untouched part is the same whatever the seeds of the runs."""


@dataclass(frozen=True, eq=False)
class Division:
    """final: learns and stops on the development part, tests the untouched one. folds: by seed, inside the development part."""

    final: Fold
    folds: dict[int, list[Fold]]

    @property
    def development(self) -> np.ndarray:
        """Sorted rows that cross-validation may use."""
        return np.sort(np.concatenate([self.final.train, self.final.validation]))

    @property
    def has_untouched(self) -> bool:
        return bool(len(self.final.test))


def divided(
    truths: Sequence[np.ndarray],
    groups: np.ndarray,
    user_groups: Sequence[str | None],
    protocol: str,
    seeds: Sequence[int],
    untouched_percent: int,
) -> Division:
    """Both divisions keep groups whole and every task stratified. truths, groups, user_groups, protocol: as in `split`.

    Each seed divides anew, so that seeds are repeats of the cross-validation (Bouckaert & Frank 2004). untouched_percent 0:
    nothing is set aside, and `final` has no test pictures. Raises SplitError.
    """
    rows = np.arange(len(groups))
    if untouched_percent:
        (final,) = split(truths, groups, f"{100 - untouched_percent}/{untouched_percent}", OUTER_SEED)
        rows = np.sort(np.concatenate([final.train, final.validation]))
    else:
        (final,) = split(truths, groups, "80/20", OUTER_SEED)
        final = Fold(np.sort(np.concatenate([final.train, final.validation])), final.test, rows[:0], 0, 0)
    inner_truths, inner_groups = [truth[rows] for truth in truths], groups[rows]
    names = [user_groups[int(row)] for row in rows]
    return Division(
        final,
        {
            seed: [_of_all(fold, rows) for fold in split(inner_truths, inner_groups, protocol, seed, user_groups=names)]
            for seed in seeds
        },
    )


def _of_all(fold: Fold, rows: np.ndarray) -> Fold:
    """A fold of some rows in terms of all rows."""
    return Fold(rows[fold.train], rows[fold.validation], rows[fold.test], fold.repeat, fold.fold, rows[fold.calibration])
