"""Viewer: deep zoom, grey levels on the stored depth, ruler, comparison."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def opened(page: Page, lab) -> Page:
    """The first picture, drawn."""
    page.goto(f"{lab.address}/#/viewer/a1")
    expect(page.get_by_role("complementary", name="About discs_00.tif")).to_contain_text("160 × 120 px, uint16")
    expect(page.get_by_text("Opening…")).to_have_count(0)
    return page


def test_grey_levels_are_those_of_the_file(opened: Page, accessible: Callable[[Page], None]):
    levels = opened.get_by_role("region", name="Grey levels")
    expect(levels).to_contain_text("Stored values from 6")  # 16 bits: thousands, not 0 to 255
    with opened.expect_response(lambda answer: "/tiles/" in answer.url and "high=" in answer.url) as waiting:
        levels.get_by_role("button", name="Full").click()
    assert waiting.value.ok
    accessible(opened)


def test_the_ruler_tells_nanometres(opened: Page):
    opened.keyboard.press("r")
    box = opened.get_by_role("group", name="discs_00.tif: picture").bounding_box()
    zoom = min(box["width"] / 160, box["height"] / 120)
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] / 2 + 40 * zoom, box["y"] + box["height"] / 2 + 30 * zoom, steps=5)
    opened.mouse.up()
    shown = opened.get_by_role("status").filter(has_text="nm").inner_text()
    assert float(shown.split()[0]) == pytest.approx(100, abs=3)  # 50 px of 2 nm


def test_the_ruler_goes_by_keyboard(opened: Page):
    opened.get_by_role("button", name="Ruler").press("Enter")
    opened.get_by_role("button", name="Zoom in").press("Enter")
    opened.evaluate("document.activeElement.blur()")
    opened.keyboard.press("Enter")
    opened.locator(".openseadragon-canvas").first.focus()
    for _ in range(5):
        opened.keyboard.press("ArrowRight")
    opened.wait_for_timeout(600)
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("status").filter(has_text="nm")).not_to_have_text("0 nm")


def test_two_pictures_move_together_at_equal_nanometres(page: Page, lab, accessible: Callable[[Page], None]):
    page.goto(f"{lab.address}/#/viewer/a1?with=a2")
    expect(page.get_by_role("group", name="picture")).to_have_count(2)
    expect(page.get_by_text("Opening…")).to_have_count(0)
    page.get_by_role("group", name="discs_00.tif: picture").hover()
    page.mouse.wheel(0, -400)
    bars = page.locator(".scale .bar")
    expect(bars).to_have_count(2)
    page.wait_for_timeout(800)
    texts = page.locator(".scale").all_inner_texts()
    widths = [one.evaluate("bar => bar.getBoundingClientRect().width") for one in bars.all()]
    assert texts[0] == texts[1]
    assert widths[0] == pytest.approx(widths[1], rel=0.02)
    accessible(page)


def test_a_picture_to_compare_is_chosen_among_similar_ones(opened: Page):
    opened.get_by_role("button", name="Compare with…").click()
    opened.get_by_role("list", name="Similar pictures").get_by_role("link").nth(1).click()
    expect(opened.get_by_role("group", name="picture")).to_have_count(2)


def test_a_key_that_is_nothing_is_a_sentence(page: Page, lab):
    page.goto(f"{lab.address}/#/viewer/a999")
    expect(page.get_by_role("alert").first).to_be_visible()


def test_a_scale_set_by_a_person_stays_in_the_archive(page: Page, lab, accessible: Callable[[Page], None]):
    page.goto(f"{lab.address}/#/annotate")
    page.get_by_label("You are").fill("Ada")
    page.get_by_label("You are").press("Enter")
    page.goto(f"{lab.address}/#/viewer/a12")
    scale = page.get_by_role("region", name="Scale")
    scale.get_by_role("button", name="Set from the bar").click()
    scale.get_by_label("or nm per pixel").fill("3")
    scale.get_by_role("button", name="Set", exact=True).click()
    expect(scale).to_contain_text("3 nm per pixel set by Ada")
    page.reload()
    expect(scale).to_contain_text("3 nm per pixel set by Ada")
    expect(scale).to_contain_text("Kept in the archive")
    accessible(page)
    scale.get_by_role("button", name="Correct").click()
    scale.get_by_role("button", name="Forget").click()
    expect(scale).to_contain_text("Unknown")
    scale.get_by_text("Who set it").click()
    expect(scale.get_by_role("row").filter(has_text="forgot it")).to_contain_text("Ada")
