"""The first run: no model, no archive. Each page says what it is for and what to do, and breaks nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

FIRST_WORDS = {
    "classify": "From a file to classes, scale and sizes",
    "gallery": "No archive yet",
    "viewer": "No picture is open",
    "annotate": "Nothing to annotate yet",
    "runs": "New job",
    "live": "Live needs a model",
}


@pytest.mark.parametrize("name", FIRST_WORDS)
def test_each_page_says_what_to_do(page: Page, bare: str, accessible: Callable[[Page], None], name: str):
    page.goto(f"{bare}/#/{name}")
    expect(page.get_by_role("heading", name=FIRST_WORDS[name])).to_be_visible()
    expect(page.get_by_role("link", name=name.capitalize(), exact=True)).to_have_attribute("aria-current", "page")
    accessible(page)


def test_a_picture_without_a_model_gets_its_scale(page: Page, bare: str, pictures):
    page.goto(bare)
    page.set_input_files("input[type=file]", pictures / "discs_01.tif")
    expect(page.get_by_role("region", name="Scale")).to_contain_text("4 nm per pixel")
    expect(page.get_by_role("region", name="Classes")).to_have_count(0)


def test_the_theme_is_kept(page: Page, bare: str):
    page.emulate_media(color_scheme="light")
    page.goto(bare)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    button = page.get_by_role("button", name="Colours:")
    button.click()
    button.click()
    expect(button).to_contain_text("Dark")
    dark = page.evaluate(ground)
    page.reload()
    expect(button).to_contain_text("Dark")
    assert page.evaluate(ground) == dark != light


def test_keyboard_alone_reaches_a_page(page: Page, bare: str):
    page.goto(bare)
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
