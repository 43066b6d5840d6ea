"""How long a command may take, and how much of that a step of it may have."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class TimeBudget:
    """began: on time.monotonic(). minutes: of the whole command; None, where it takes as long as it takes."""

    began: float
    minutes: float | None

    @classmethod
    def since(cls, began: float | None, minutes: float | None) -> TimeBudget:
        """Counted from `began`, or from now on."""
        return cls(time.monotonic() if began is None else began, minutes)

    @property
    def seconds(self) -> float:
        """Of the whole command; infinite without a limit."""
        return math.inf if self.minutes is None else 60 * self.minutes

    @property
    def seconds_spent(self) -> float:
        return time.monotonic() - self.began

    @property
    def seconds_left(self) -> float:
        """Negative once the time is up."""
        return self.seconds - self.seconds_spent

    def share_from_begin(self, share: float) -> float:
        """When a step must have ended that shares this much of the budget with what came before it, on time.monotonic()."""
        return self.began + share * self.seconds

    def share_from_now(self, share: float) -> float:
        """When a step that begins now must have ended that may take this much of the budget, on time.monotonic()."""
        return time.monotonic() + share * self.seconds

    def deadline(self, kept_share: float, most_kept_seconds: float) -> float | None:
        """When to stop with a share kept back, at most so many seconds; on time.monotonic(), or None without a limit."""
        if self.minutes is None:
            return None
        return self.began + self.seconds - min(most_kept_seconds, kept_share * self.seconds)
