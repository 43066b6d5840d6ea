"""A real Chromium before a real server; whatever the page asks of any other machine fails the test."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from morphoscope.apps.verbs.index import index
from morphoscope.apps.web.app import create_app
from morphoscope.apps.web.services import PAGE
from morphoscope.apps.web.settings import Limits, Settings

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The Chromium of the machine; its absence, or that of the built page, skips with a reason."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    if not (PAGE / "index.html").is_file():
        pytest.skip("the page is not built: pip install -e . where npm can fetch, or cd frontend && npm ci && npm run build")
    expect.set_options(timeout=30_000)  # a busy machine fails no test
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Served:
    """A running server, and the folder of the pictures in its archive."""

    address: str
    pictures: Path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve drawn micrographs of discs, of two pixel sizes, and one without a scale."""
    folder = tmp_path_factory.mktemp("drawn")
    rows, columns = np.mgrid[:120, :160]
    for number in range(12):
        rng = np.random.default_rng(number)
        disc = np.zeros(rows.shape, bool)
        for _ in range(2 + number):
            y, x, radius = rng.uniform(20, 100), rng.uniform(20, 140), rng.uniform(6, 12)
            disc |= (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        pixels = (8000 + 20000 * disc + rng.normal(0, 300, disc.shape)).astype(np.uint16)
        scale = {} if number == 11 else {"resolution": (0.5 / (1 + number % 2),) * 2, "metadata": {"unit": "nm"}}
        tifffile.imwrite(folder / f"discs_{number:02d}.tif", pixels, imagej=True, **scale)
    return folder


@contextmanager
def _running(settings: Settings) -> Iterator[str]:
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive() and time.monotonic() < give_up, "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., str]]:
    """Starts servers on free ports; `start(model=…)` is the address of one."""
    with ExitStack() as stack:
        yield lambda **asked: stack.enter_context(_running(Settings(**{"limits": Limits(decoders=1), **asked})))


@pytest.fixture(scope="session")
def lab(
    start: Callable[..., str], model: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> Served:
    """A server with a model, an archive of twelve measured pictures, and a folder that jobs may read."""
    folder = tmp_path_factory.mktemp("lab")
    index([pictures], folder / "lab.archive", model=model, measure=True)
    return Served(start(model=model, archive=folder / "lab.archive", data=(pictures,), runs=folder / "runs"), pictures)


@pytest.fixture(scope="session")
def bare(start: Callable[..., str], chromium: Browser) -> str:
    """The address of a server with neither model nor archive."""
    return start()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab that fails the test for a request to another machine, an error in a script, or a breach of the policy."""
    faults: list[str] = []

    def local_only(route: Route) -> None:
        if route.request.url.startswith("http://127.0.0.1:"):
            route.continue_()
        else:
            faults.append(f"asked {route.request.url}")
            route.abort()

    context = chromium.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.route("**/*", local_only)
    tab = context.new_page()
    tab.set_default_timeout(30_000)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda said: faults.append(said.text) if said.type == "error" and "status of" not in said.text else None)
    yield tab
    context.close()
    assert faults == []


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Asserts that axe finds nothing; in the dark scheme only contrast differs."""

    def check(tab: Page) -> None:
        for scheme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
            tab.emulate_media(color_scheme=scheme)
            found = Axe().run(tab, options=options)
            assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"

    return check
