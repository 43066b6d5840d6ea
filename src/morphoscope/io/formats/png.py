"""PNG through imagecodecs, which keeps 16 bits in colour too. Its resolution is print dpi and no calibration."""

from __future__ import annotations

import struct
from pathlib import Path

from morphoscope.io.file_format import FileFormat, Picture, check_frame, check_size
from morphoscope.io.formats.decoder_log import diverted_log
from morphoscope.io.grey import one_channel

_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    import imagecodecs

    check_frame(path, frame, 1)
    with path.open("rb") as file:
        width, height, _, colour_type = struct.unpack(">16xIIBB", file.read(26))
        check_size(path, height, width, _SAMPLES.get(colour_type, 1), max_pixels)
        file.seek(0)
        with diverted_log() as messages:
            pixels = imagecodecs.png_decode(file.read())
    # A bad colour profile is common and means nothing to a grey channel.
    notes = tuple(message for message in messages if "iCCP" not in message)
    return Picture(pixels if pixels.ndim == 2 else one_channel(pixels), warnings=notes)


PNG = FileFormat("png", (".png",), rb"\x89PNG\r\n\x1a\n", _read)
