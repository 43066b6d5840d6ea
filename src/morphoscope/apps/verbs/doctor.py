"""What is installed, which accelerator there is, where the cache lies, and what would add the rest."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import requires, version
from importlib.util import find_spec

import psutil
import torch
from packaging.requirements import Requirement

from morphoscope.data.cache import cache_folder
from morphoscope.reporting.versions import versions


@dataclass(frozen=True)
class Finding:
    """One line; remedy: the command that mends it, or empty."""

    what: str
    is_fine: bool = True
    remedy: str = ""


def examine() -> list[Finding]:
    """Findings in the order a person asks: the program, its packages, the machine, the disk, the extras."""
    found = versions()
    findings = [Finding(f"morphoscope {found['morphoscope']} on Python {found['python']}, {found['platform']}")]
    findings += [_package(Requirement(text)) for text in requires("morphoscope") or [] if "extra ==" not in text]
    findings.append(_accelerator(found["cpu"]))
    memory = psutil.virtual_memory()
    findings.append(Finding(f"memory {memory.total / 2**30:.0f} GB, {memory.available / 2**30:.0f} GB free"))
    findings.append(_cache())
    findings.append(_extra("vendor", "rsciio", "Gatan, TIA, Velox, NCEM, Bruker, Phenom and TVIPS files"))
    findings.append(_extra("usearch", "usearch", "similarity in archives of more than 250,000 pictures in a few milliseconds"))
    return findings


def _extra(name: str, module: str, what: str) -> Finding:
    """An optional extra of the package, known by a module that it brings."""
    is_there = find_spec(module) is not None
    return Finding(f"extra {name}: {what}", is_there, "" if is_there else f'pip install "morphoscope[{name}]"')


def _package(requirement: Requirement) -> Finding:
    if find_spec(_import_name(requirement.name)) is None:
        return Finding(requirement.name, False, f'pip install "{requirement}"')
    installed = version(requirement.name)
    fits = requirement.specifier.contains(installed, prereleases=True)
    return Finding(f"{requirement.name} {installed}", fits, "" if fits else f'pip install --upgrade "{requirement}"')


def _import_name(package: str) -> str:
    names = {
        "pillow": "PIL",
        "scikit-image": "skimage",
        "scikit-learn": "sklearn",
        "opencv-python-headless": "cv2",
    }
    return names.get(package, package.replace("-", "_"))


def _accelerator(cpu: str) -> Finding:
    if torch.cuda.is_available():
        return Finding(f"accelerator: {torch.cuda.get_device_name(0)}")
    return Finding(f"no GPU: computing on {cpu}, {torch.get_num_threads()} threads")


def _cache() -> Finding:
    folder = cache_folder()
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(parent).free / 2**30
    writable = os.access(parent, os.W_OK)
    remedy = (
        "" if writable else "Set MORPHOSCOPE_CACHE to a folder that can be written; until then pictures are read anew each time."
    )
    return Finding(f"cache {folder}, {free:.0f} GB free on its disk", writable, remedy)
