"""A server with tokens: the page asks for one, and lets its role do what it may."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from morphoscope.apps.web.settings import Token


def test_the_page_asks_for_a_token(page: Page, start: Callable[..., str], accessible: Callable[[Page], None]):
    word = "only-to-look-0123456789"
    page.goto(f"{start(tokens=(Token(word, 'Vera', 'viewer'),))}/#/runs")
    box = page.get_by_label("Token")
    expect(box).to_be_visible()
    accessible(page)
    box.fill("a-wrong-one-0123456789")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not known")
    box.fill(word)
    box.press("Enter")
    expect(page.get_by_text("starting one needs an admin's")).to_be_visible()
    page.reload()
    expect(page.get_by_text("starting one needs an admin's")).to_be_visible()  # the session holds
