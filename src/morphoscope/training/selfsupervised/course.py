"""How far a run of pretraining is, by its steps or by the clock, and its end at a deadline."""

from __future__ import annotations

import time
from typing import Any

import lightning.pytorch as pl


class Course:
    """The share of a run that is done, which learning rate and momentum follow: of its steps or, with a deadline, of the time, where
    that is ahead. It never falls, not after a resume with more time either."""

    def __init__(self, steps: int, deadline: float | None = None) -> None:
        """steps: of the whole run. deadline: on time.monotonic()."""
        self.steps, self._deadline = steps, deadline
        self.reached = 0.0
        """The last share told; set to the interrupted run's before begin()."""
        self._before, self._began = 0.0, 0.0

    def begin(self) -> None:
        """Counts the time from now on."""
        self._before, self._began = self.reached, time.monotonic()

    def at(self, step: int) -> float:
        """From 0 to 1, after a number of steps."""
        # A schedule that is built after a checkpoint was read asks for step 0.
        self.reached = max(self.reached, min(1.0, max(step / self.steps, self._by_the_clock())))
        return self.reached

    def _by_the_clock(self) -> float:
        if self._deadline is None or not self._began:
            return self._before
        now = time.monotonic()
        if now >= self._deadline:
            return 1.0
        return self._before + (1 - self._before) * (now - self._began) / (self._deadline - self._began)


class StopAtDeadline(pl.Callback):
    """Ends a run before a step that would end too late, within an epoch too."""

    def __init__(self, deadline: float) -> None:
        """deadline: on the clock of time.monotonic()."""
        self._deadline = deadline

    def on_train_batch_start(self, *_: Any) -> None:
        self._started = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        now = time.monotonic()
        if now + (now - self._started) > self._deadline:
            trainer.should_stop = True
