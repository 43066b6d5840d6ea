"""Backbones by name: the small networks of publications that timm lacks, one file each, and all of timm's.

To add one: a module with the interface of a timm network (`forward_features`, `forward_head`, `num_features`,
`head_hidden_size`, `feature_info`), built from a canvas, and one line in `OWN_BACKBONES`.
"""

from __future__ import annotations

from morphoscope.registry import Registry

OWN_BACKBONES = Registry(
    "backbone",
    {
        "simple_cnn": "morphoscope.models.backbones.simple_cnn:SimpleCNN",
        "cnn6": "morphoscope.models.backbones.cnn6:CNN6",
    },
)
