"""Where results go: a folder that exists is fine, earlier results are not lost unasked, and a full disk is a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from morphoscope.errors import OutputError


def claim_folder(out: Path, own_results: Iterable[str], may_replace: bool, hint: str = "--overwrite") -> None:
    """Makes the folder. Raises OutputError where it can't be written, or holds this command's results and may not lose them."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".morphoscope-writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"--out {out}: the folder can't be written ({error.strerror}); expected a folder, or a place to make one. Choose another --out."
        ) from error
    found = [name for name in own_results if (out / name).exists()]
    if found and not may_replace:
        raise OutputError(
            f"--out {out}: it holds earlier results ({', '.join(found)}); expected none. Choose another --out, or add {hint}."
        )


def claim_file(out: Path, overwrite: bool) -> None:
    """The same for a single result file."""
    if out.is_dir():
        raise OutputError(f"--out {out}: it is a folder; expected the name of a file in it, such as {out / 'results.csv'}.")
    if out.exists() and not overwrite:
        raise OutputError(f"--out {out}: the file exists already; expected none. Choose another --out, or add --overwrite.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--out {out}: its folder can't be made ({error.strerror}). Choose another --out.") from error


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MB."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
