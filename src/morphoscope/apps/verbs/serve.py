"""Serve: the web page and its API until it is stopped."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

from morphoscope.apps.verbs.arguments import PathLike, Say, as_path, silent
from morphoscope.errors import MorphoscopeError


def serve(
    *,
    model: PathLike | None = None,
    archive: PathLike | None = None,
    host: str = "127.0.0.1",
    port: int = 8765,
    token: str | None = None,
    tokens: PathLike | None = None,
    data: tuple[PathLike, ...] = (),
    runs: PathLike | None = None,
    allow_rtsp: bool = False,
    max_upload_mb: int = 512,
    max_pixels: int = 300_000_000,
    say: Say = silent,
) -> None:
    """Runs the server in this thread. The options are those of `morphoscope serve`.

    Raises MorphoscopeError, whose text is meant to be shown, where it can't be started as asked.
    """
    import uvicorn

    from morphoscope.apps.verbs.further_inputs import channels_not_given
    from morphoscope.apps.web.app import create_app
    from morphoscope.apps.web.settings import Limits, Settings, Token, check_reach, read_tokens

    if token and tokens:
        raise MorphoscopeError("--token and --tokens are both given; expected one of them. Put the token into the file.")
    known = read_tokens(Path(tokens)) if tokens else (Token(token, "admin", "admin"),) if token else ()
    folders = tuple(_folder(Path(one)) for one in data)
    limits = replace(Limits(), upload_bytes=max_upload_mb * 2**20, max_pixels=max_pixels)
    settings = Settings(as_path(model), as_path(archive), host, port, known, folders, as_path(runs), allow_rtsp, limits)
    check_reach(settings)
    with _listening(host, port) as listener:
        app = create_app(settings)
        shown = f"[{host}]" if ":" in host else host
        classifier = app.state.services.classifier
        if sentence := channels_not_given(classifier.bundle, "serve") if classifier else "":
            say(sentence)
        say(f"Morphoscope runs at http://{shown}:{listener.getsockname()[1]} (Ctrl-C stops it)")
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5)
        uvicorn.Server(config).run(sockets=[listener])


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise MorphoscopeError(f"--data {path}: no such folder; expected one that jobs may read. Check the spelling.")
    return path.resolve()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens there: a port that is taken is told before the model is loaded."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise MorphoscopeError(f"--host {host}: no such address ({error.strerror}); expected one of this machine.") from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise MorphoscopeError(
            f"--host {host} --port {port}: can't listen there ({error.strerror}); expected a free port of this machine. "
            "Choose another --port, or 0 for any."
        ) from error
    listener.listen(128)
    return listener
