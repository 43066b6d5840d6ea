"""Runs: a job from the page, seen to its end. Live: a folder watched, a file answered and kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


def test_a_measurement_is_queued_and_seen_to_its_end(page: Page, lab, accessible: Callable[[Page], None]):
    page.goto(f"{lab.address}/#/runs")
    page.get_by_role("button", name="Measure").click()
    page.get_by_label("Name").fill("Three discs")
    page.get_by_label("Pictures or folders").fill(str(lab.pictures / "discs_00.tif"))
    accessible(page)
    page.get_by_role("button", name="Queue it").click()
    job = page.get_by_role("article", name="Three discs")
    expect(job).to_contain_text("measure, done", timeout=120_000)
    job.get_by_text("Command and log").click()
    expect(job).to_contain_text("morphoscope measure")
    expect(job).to_contain_text("measurements.csv")
    accessible(page)


def test_a_folder_elsewhere_is_refused_in_a_sentence(page: Page, lab):
    page.goto(f"{lab.address}/#/runs")
    page.get_by_label("Folder of pictures").fill("/etc")
    page.get_by_role("button", name="Queue it").click()
    expect(page.get_by_role("alert")).to_contain_text("/etc")


@pytest.fixture(scope="module")
def scope(start: Callable[..., str], model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A server of its own, whose pinned frames get into no other test's archive, and the folder that it may watch."""
    folder = tmp_path_factory.mktemp("scope")
    return start(model=model, data=(folder,)), folder


def test_a_watched_folder_answers_and_keeps(
    page: Page, scope: tuple[str, Path], pictures: Path, accessible: Callable[[Page], None]
):
    address, folder = scope
    page.goto(f"{address}/#/live")
    page.get_by_label("Folder, video file").fill(str(folder))
    page.get_by_role("button", name="Watch").click()
    expect(page.get_by_text("Waiting for the first picture")).to_be_visible()
    shutil.copy(pictures / "discs_04.tif", folder / "fresh.tif")
    expect(page.get_by_role("region", name="Answers").get_by_role("list").first).to_be_visible()
    expect(page.get_by_alt_text("Frame 1")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_role("region", name="Found and pinned").get_by_role("link")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Watch")).to_be_visible()


def test_a_source_that_is_not_there_is_a_sentence(page: Page, scope: tuple[str, Path]):
    address, folder = scope
    page.goto(f"{address}/#/live")
    page.get_by_label("Folder, video file").fill(str(folder / "nowhere"))
    page.get_by_role("button", name="Watch").click()
    expect(page.get_by_role("alert")).to_contain_text("nowhere")
