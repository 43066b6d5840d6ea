"""Learning that has left the numbers behind, in a sentence."""

from __future__ import annotations

from morphoscope.errors import DivergenceError
from morphoscope.training.selfsupervised.recipe import LearningSettings


def diverged(epoch: int, found: str, learning: LearningSettings) -> DivergenceError:
    """The error to raise in an epoch. found: such as `the loss is nan`."""
    return DivergenceError(
        f"Pretraining, epoch {epoch}: {found}; expected finite numbers. Use a smaller learning rate (learning.learning_rate is "
        f"{learning.learning_rate:g}) or a larger batch (learning.batch_size is {learning.batch_size})."
    )
