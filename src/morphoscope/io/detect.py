"""What kind of file it is, told from its first bytes and never from its name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from morphoscope.errors import ReadError
from morphoscope.io.file_format import MAGIC_BYTES, FileFormat
from morphoscope.registry import Registry

FILE_FORMATS = Registry(
    "file format",
    {
        "tiff": "morphoscope.io.formats.tiff:TIFF",
        "png": "morphoscope.io.formats.png:PNG",
        "jpeg": "morphoscope.io.formats.pillow:JPEG",
        "bmp": "morphoscope.io.formats.pillow:BMP",
        "webp": "morphoscope.io.formats.pillow:WEBP",
        "gif": "morphoscope.io.formats.pillow:GIF",
        "mrc": "morphoscope.io.formats.mrc:MRC",
        "dm": "morphoscope.io.formats.dm:DM",
        "ser": "morphoscope.io.formats.tia:SER",
        "emi": "morphoscope.io.formats.tia:EMI",
        "emd": "morphoscope.io.formats.emd:EMD",
        "bcf": "morphoscope.io.formats.bcf:BCF",
        "elid": "morphoscope.io.formats.elid:ELID",
        "tvips": "morphoscope.io.formats.tvips:TVIPS",
    },
)


def detect(path: Path) -> FileFormat:
    """The format of a file. Raises ReadError for what is missing, no file, not permitted, empty or no picture."""
    head = first_bytes(path)
    for file_format in _formats():
        if file_format.matches(head):
            return file_format
    known = ", ".join(name.upper() for name in FILE_FORMATS.names())
    found = "text" if _is_text(head) else f"bytes that begin with {head[:8].hex(' ')}"
    raise ReadError(f"{path}: found {found}; expected a picture ({known}). Export the picture again as TIFF.")


@cache
def extensions() -> frozenset[str]:
    """Extensions, lower case with the dot, of files that are pictures."""
    return frozenset(each for file_format in _formats() for each in file_format.extensions)


def is_part(path: Path) -> bool:
    """Whether a file's picture is read through another file of its folder."""
    suffix = path.suffix.lower()
    return any(file_format.is_part(path) for file_format in _formats() if suffix in file_format.extensions)


@cache
def _formats() -> tuple[FileFormat, ...]:
    return tuple(FILE_FORMATS.load(name) for name in FILE_FORMATS.names())


def first_bytes(path: Path) -> bytes:
    """What a file begins with. Raises ReadError for what is missing, no file, not permitted or empty."""
    try:
        with path.open("rb") as file:
            head = file.read(MAGIC_BYTES)
    except FileNotFoundError:
        raise ReadError(f"{path}: found no such file; expected a picture. Check the spelling and the folder.") from None
    except IsADirectoryError:
        raise _is_a_folder(path) from None
    except OSError as error:
        if path.is_dir():  # Windows reports a folder as permission denied
            raise _is_a_folder(path) from None
        raise ReadError(f"{path}: can't be opened ({error.strerror}); expected a readable file. Check its permissions.") from None
    if not head:
        raise ReadError(f"{path}: found an empty file (0 bytes); expected a picture. Copy or export it again.")
    return head


def _is_a_folder(path: Path) -> ReadError:
    return ReadError(f"{path}: found a folder; expected one file. Name a file in it, or use a command that takes folders.")


def _is_text(head: bytes) -> bool:
    try:
        text = head[:512].decode("utf-8", errors="strict" if len(head) < 512 else "ignore")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t\ufeff" for character in text)
