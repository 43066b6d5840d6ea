"""`morphoscope watch`: answers as pictures come, and an alert when what is looked for is in view."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphoscope.apps.cli.scale import ScaleOption, ScaleSource


class InputChoice(StrEnum):
    """What answers rest on."""

    auto = "auto"
    all = "all"
    quick = "quick"


def watch(
    source: Annotated[str, typer.Argument(help="A folder, a video file, a camera's number such as 0, or an rtsp:// address.")],
    model: Annotated[Path, typer.Option(help="The model folder, or the run folder that holds it.")],
    archive: Annotated[
        Path | None, typer.Option(help="Archive that files are added to as they come, and frames when they are pinned.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Table of a row a picture; a later watch goes on with it.")] = None,
    find: Annotated[
        str | None, typer.Option(metavar="TASK=CLASS", help="Tell when this class is in view, and where in large pictures.")
    ] = None,
    find_threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Probability that is enough; without it the model must be sure.")
    ] = None,
    pins: Annotated[Path | None, typer.Option(help="Folder for pictures in which --find was found, as PNG.")] = None,
    inputs: Annotated[
        InputChoice, typer.Option(help="auto: all for files; all but measured shape, which is slow, for frames.")
    ] = InputChoice.auto,
    existing: Annotated[bool, typer.Option(help="Folder: answer the files that lie there already, too.")] = False,
    poll: Annotated[float, typer.Option(min=0.05, help="Folder: seconds between two looks.")] = 0.5,
    settle: Annotated[int, typer.Option(min=1, help="Folder: looks in a row that must find a file unchanged.")] = 2,
    idle: Annotated[float | None, typer.Option(min=0, help="Folder: end when nothing came for so many seconds.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Video: take each N-th frame.")] = 1,
    at_its_pace: Annotated[
        bool, typer.Option(help="Video: play it as a camera would, and drop frames in place of lagging.")
    ] = False,
    pixel_size: Annotated[
        float | None, typer.Option(min=1e-6, help="Video, camera, address: nm a pixel; a frame itself does not say.")
    ] = None,
    scale: ScaleOption = ScaleSource.auto,
    tile: Annotated[
        int | None, typer.Option(min=32, help="Side in pixels of the parts that --find looks at; what the model was trained on.")
    ] = None,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures become error rows.")] = 500_000_000,
    overwrite: Annotated[bool, typer.Option(help="Begin the table anew.")] = False,
) -> None:
    """Label pictures as they come from a microscope: a folder being filled, a video, a camera or a network stream.

    Example: morphoscope watch session --model run --out rows.csv --find "Morphology=Rod" --pins pins
    """
    import signal

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
    # SIGTERM is how a service is stopped; a shell starts what runs in its background with SIGINT ignored.
    before = {sent: signal.signal(sent, signal.default_int_handler) for sent in (signal.SIGINT, signal.SIGTERM)}
    try:
        for _ in rows:
            pass
    except KeyboardInterrupt:
        return  # the way a watch ends: its summary was said
    finally:
        for sent, handler in before.items():
            signal.signal(sent, handler)
