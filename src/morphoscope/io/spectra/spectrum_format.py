"""What a spectrum format is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from morphoscope.spectrum import Spectrum


@dataclass(frozen=True)
class SpectrumFormat:
    """A kind of file. `magic` is a regular expression on its first 4096 bytes; `read(path)` may raise anything on damaged
    input. own_extensions: of files that hold nothing but a spectrum, so that a folder can be searched for them."""

    name: str
    magic: bytes
    read: Callable[[Path], Spectrum]
    own_extensions: tuple[str, ...] = ()

    def matches(self, head: bytes) -> bool:
        """Whether a file that begins like this is of the format."""
        return re.match(self.magic, head, re.DOTALL) is not None
