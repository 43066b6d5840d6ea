"""The objects of a micrograph at its own resolution, from file to instance map."""

from __future__ import annotations

import numpy as np

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.inference.segmentation import ObjectFinder
from morphoscope.micrograph import Micrograph

FINEST_PX = 2048
"""Longest side of the copy in which objects are looked for: smaller ones than a few of its pixels are not found."""
_WORKING = Preprocessing(height=0, width=0, working_side=FINEST_PX)


def find_instances(micrograph: Micrograph, finder: ObjectFinder) -> np.ndarray:
    """(Y, X) int32 of the stored picture's shape, 0 = background; the information bar holds no object."""
    specimen, bar = micrograph.specimen(), micrograph.information_bar
    instance_map = np.zeros(micrograph.pixels.shape, np.int32)
    top = 0 if bar is None or len(specimen) == bar.top else bar.top + bar.height
    instance_map[top : top + len(specimen)] = finder.find(_WORKING.working_copy(micrograph), specimen.shape)
    return instance_map
