"""Rendered micrographs: physically motivated pictures with their whole truth, for the demo, the tests and pretraining."""

from morphoscope.synthesis.canvas import TrueObject
from morphoscope.synthesis.dataset import write_dataset
from morphoscope.synthesis.picture import Rendered
from morphoscope.synthesis.rendering import KINDS, render

__all__ = ["KINDS", "Rendered", "TrueObject", "render", "write_dataset"]
