"""`morphoscope watch`: answers as pictures come, and an alert when what is looked for is in view."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from morphoscope.apps.cli.scale import ScaleOption, ScaleSource

if TYPE_CHECKING:
    from morphoscope.reporting.predictions_table import Row


class InputChoice(StrEnum):
    """What answers rest on."""

    auto = "auto"
    all = "all"
    quick = "quick"


ModelOption = Annotated[Path, typer.Option(help="The model folder, or the run folder that holds it.")]
ArchiveOption = Annotated[
    Path | None, typer.Option(help="Archive that files are added to as they come, and frames when they are pinned.")
]
OutOption = Annotated[Path | None, typer.Option(help="Table of a row a picture; a later watch goes on with it.")]
FindOption = Annotated[
    str | None, typer.Option(metavar="TASK=CLASS", help="Tell when this class is in view, and where in large pictures.")
]
ThresholdOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Probability that is enough; without it the model must be sure.")
]
PinsOption = Annotated[Path | None, typer.Option(help="Folder for pictures in which --find was found, as PNG.")]
InputsOption = Annotated[
    InputChoice, typer.Option(help="auto: all for files; all but measured shape, which is slow, for frames.")
]
PaceOption = Annotated[bool, typer.Option(help="Video: play it as a camera would, and drop frames in place of lagging.")]
PixelSizeOption = Annotated[
    float | None, typer.Option(min=1e-6, help="Video, camera, address: nm a pixel; a frame itself does not say.")
]
TileOption = Annotated[
    int | None, typer.Option(min=32, help="Side in pixels of the parts that --find looks at; what the model was trained on.")
]


def watch(
    source: Annotated[str, typer.Argument(help="A folder, a video file, a camera's number such as 0, or an rtsp:// address.")],
    model: ModelOption,
    archive: ArchiveOption = None,
    out: OutOption = None,
    find: FindOption = None,
    find_threshold: ThresholdOption = None,
    pins: PinsOption = None,
    inputs: InputsOption = InputChoice.auto,
    existing: Annotated[bool, typer.Option(help="Folder: answer the files that lie there already, too.")] = False,
    poll: Annotated[float, typer.Option(min=0.05, help="Folder: seconds between two looks.")] = 0.5,
    settle: Annotated[int, typer.Option(min=1, help="Folder: looks in a row that must find a file unchanged.")] = 2,
    idle: Annotated[float | None, typer.Option(min=0, help="Folder: end when nothing came for so many seconds.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Video: take each N-th frame.")] = 1,
    at_its_pace: PaceOption = False,
    pixel_size: PixelSizeOption = None,
    scale: ScaleOption = ScaleSource.auto,
    tile: TileOption = None,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
    overwrite: Annotated[bool, typer.Option(help="Begin the table anew.")] = False,
) -> None:
    """Label pictures as they come from a microscope: a folder being filled, a video, a camera or a network stream.

    Example: morphoscope watch session --model run --out rows.csv --find "Morphology=Rod" --pins pins
    """
    from morphoscope.apps.cli.status_line import StatusLine
    from morphoscope.apps.verbs.watch import watch as run

    line = StatusLine()
    rows = run(
        source,
        model,
        archive=archive,
        out=out,
        find=find,
        find_threshold=find_threshold,
        pins=pins,
        inputs=inputs.value,
        existing=existing,
        poll_s=poll,
        settle=settle,
        idle_s=idle,
        every=every,
        at_its_pace=at_its_pace,
        pixel_size_nm=pixel_size,
        scale=scale.value,
        tile_px=tile,
        max_pixels=max_pixels,
        overwrite=overwrite,
        say=line.say,
        alert=line.ring,
        status=line.show,
    )
    _until_stopped(rows)


def _until_stopped(rows: Iterator[Row]) -> None:
    """Every row, until the source ends or somebody ends the watch, which is the way of most watches: its summary was said."""
    # SIGTERM is how a service is stopped; a shell starts what runs in its background with SIGINT ignored.
    before = {sent: signal.signal(sent, signal.default_int_handler) for sent in (signal.SIGINT, signal.SIGTERM)}
    with suppress(KeyboardInterrupt):
        try:
            for _ in rows:
                pass
        finally:
            for sent, handler in before.items():
                signal.signal(sent, handler)
