"""What kind of file it is, told from its first bytes and never from its name."""

from __future__ import annotations

import re
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
    },
)

# Formats of the field that no registered reader takes: a name, what begins such a file, its extensions.
_UNREADABLE: tuple[tuple[str, bytes, tuple[str, ...]], ...] = (
    ("a Gatan DigitalMicrograph file", rb"\x00\x00\x00[\x03\x04]", (".dm3", ".dm4")),
    ("an HDF5 file such as Thermo Velox or NCEM .emd", rb"\x89HDF\r\n\x1a\n", (".emd",)),
    ("an FEI TIA series", rb"II\x97\x01", (".ser",)),
    ("an FEI TIA .emi file", rb"JK\x00\x02", ()),
    ("a Bruker .bcf file", rb"AAMVHFSS", (".bcf",)),
    ("an MRC file", rb".{208}MAP", (".mrc",)),
    ("a bzip2 archive such as Phenom .elid", rb"BZh", (".elid",)),
)


def detect(path: Path) -> FileFormat:
    """The format of a file. Raises ReadError for what is missing, no file, not permitted, empty or no picture."""
    head = _first_bytes(path)
    for name in FILE_FORMATS.names():
        file_format: FileFormat = FILE_FORMATS.load(name)
        if file_format.matches(head):
            return file_format
    known = ", ".join(name.upper() for name in FILE_FORMATS.names())
    for description, magic, _ in _UNREADABLE:
        if re.match(magic, head, re.DOTALL):
            raise ReadError(
                f"{path}: found {description}, which this version can't read; expected {known}. "
                "Export the picture as TIFF with the maker's software and read that."
            )
    found = "text" if _is_text(head) else f"bytes that begin with {head[:8].hex(' ')}"
    raise ReadError(f"{path}: found {found}; expected a picture ({known}). Export the picture again as TIFF.")


def extensions() -> frozenset[str]:
    """Extensions, lower case with the dot, of files that are pictures: also of those that can only be refused by name."""
    readable = {each for name in FILE_FORMATS.names() for each in FILE_FORMATS.load(name).extensions}
    return frozenset(readable.union(*(each for _, _, each in _UNREADABLE)))


def _first_bytes(path: Path) -> bytes:
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
