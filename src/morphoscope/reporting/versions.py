"""What a run was computed with, learned without importing any of it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("morphoscope", "torch", "torchvision", "timm", "lightning", "numpy", "scikit-learn", "tifffile")


def versions() -> dict[str, str]:
    """Package versions, Python, platform and processor, by name; a package that is not installed is left out."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    cpu = f"{_processor()}, {os.cpu_count()} logical cores"
    return found | {"python": platform.python_version(), "platform": platform.platform(), "cpu": cpu}


def _processor() -> str:
    """The processor's trade name where the system tells it, else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
