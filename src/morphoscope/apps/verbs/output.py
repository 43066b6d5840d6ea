"""Where results go: a folder that exists is fine, earlier results are not lost unasked, and a full disk is a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout
from safetensors import SafetensorError

from morphoscope.errors import OutputError


def claim_folder(
    out: Path, own_results: Iterable[str], may_replace: bool, hint: str = "--overwrite", option: str = "--out"
) -> None:
    """Makes the folder. Raises OutputError where it can't be written, or holds this command's results and may not lose them."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{option} {out}: it is a file; expected a folder, or a place to make one. Choose another {option}.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".morphoscope-writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"{option} {out}: the folder can't be written ({error.strerror}); expected a folder, or a place to make one. "
            f"Choose another {option}."
        ) from error
    found = [name for name in own_results if (out / name).exists()]
    if found and not may_replace:
        raise OutputError(
            f"{option} {out}: it holds earlier results ({', '.join(found)}); expected none. Choose another {option}, or add {hint}."
        )


def claim_file(out: Path, overwrite: bool, option: str = "--out") -> None:
    """The same for a single result file."""
    if out.is_dir():
        raise OutputError(
            f"{option} {out}: it is a folder; expected a file name such as {out / 'predictions.csv'}. Add the name."
        )
    if out.is_file() and not overwrite:
        raise OutputError(f"{option} {out}: the file exists already; expected none. Choose another {option}, or add --overwrite.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{option} {out}: its folder can't be made ({error.strerror}); expected a place to write. Choose another {option}."
        ) from error


@contextmanager
def working_alone(out: Path) -> Iterator[None]:
    """Holds the folder against a second command that would write the same results. Raises OutputError where one works there.

    The lock ends with the process, however it ends.
    """
    lock = FileLock(out / ".morphoscope-working", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"--out {out}: another command is writing there; expected none. Wait for its end, or choose another --out."
        ) from None
    try:
        yield
    finally:
        lock.release()


def write_whole(path: Path, text: str) -> None:
    """A text file that is there complete or as it was before, whenever the process is killed. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    part.replace(path)


@contextmanager
def writing(out: Path, remedy: str) -> Iterator[None]:
    """Raises OutputError where a file below `out` can't be written; remedy: the sentence that says what to do."""
    expected = "expected a writable place with room"
    try:
        yield
    except OSError as error:
        where = error.filename or out
        raise OutputError(f"{where}: can't be written ({error.strerror or error}); {expected}. {remedy}") from error
    except SafetensorError as error:  # what safetensors makes of an OSError
        raise OutputError(f"{out}: the weights can't be written ({error}); {expected}. {remedy}") from error


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MB."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
