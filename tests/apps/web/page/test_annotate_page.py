"""Annotate: by keyboard alone; the guess is told after the answer, never before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def labelling(page: Page, lab) -> Page:
    """The first picture of a random audit of Morphology, for Ada."""
    page.goto(f"{lab.address}/#/annotate")
    page.get_by_label("You are").fill("Ada")
    page.get_by_label("You are").press("Enter")
    page.get_by_label("Queue").select_option("audit")
    expect(page.get_by_alt_text("Micrograph to label")).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    return page


def test_keys_answer_and_undo(labelling: Page, accessible: Callable[[Page], None]):
    told = labelling.get_by_role("region", name="Your last answers")
    picture = labelling.get_by_alt_text("Micrograph to label")
    first = picture.get_attribute("src")
    expect(told).to_contain_text("never before")
    assert "model:" not in labelling.locator("main").inner_text()
    labelling.keyboard.press("2")
    expect(told).to_contain_text("Rod")
    expect(told).to_contain_text("model: ")
    expect(picture).not_to_have_attribute("src", first)
    second = picture.get_attribute("src")
    labelling.keyboard.press("u")
    expect(told).to_contain_text("unsure")
    labelling.keyboard.press("z")
    expect(picture).to_have_attribute("src", second)
    labelling.keyboard.press("z")
    expect(picture).to_have_attribute("src", first)
    expect(told.get_by_role("listitem")).to_have_count(0)
    accessible(labelling)


def test_agreement_and_adjudication_follow_two_annotators(page: Page, lab, accessible: Callable[[Page], None]):
    post = "([key, name, who]) => fetch('/api/annotation/answers', { method: 'POST', headers: { 'Content-Type': 'application/json' }, "
    post += "body: JSON.stringify({ key, task: 'Count', class: name, annotator: who }) }).then((answer) => answer.status)"
    page.goto(f"{lab.address}/#/annotate/agreement")
    for key, ben, chen in (("a1", "Few", "Few"), ("a2", "Many", "Many"), ("a3", "Few", "Many"), ("a4", "Many", "Many")):
        assert page.evaluate(post, [key, ben, "Ben"]) == 200
        assert page.evaluate(post, [key, chen, "Chen"]) == 200
    page.get_by_label("Question").select_option("Count")
    row = page.get_by_role("row", name="Ben and Chen")
    expect(row.get_by_role("cell").first).to_have_text("4")
    expect(row.get_by_role("cell").nth(1)).to_have_text("0.50")  # (3/4 − 1/2) / (1 − 1/2)
    accessible(page)
    page.get_by_label("You are").fill("Ada")
    page.get_by_label("You are").press("Enter")
    page.get_by_role("link", name="Adjudicate").click()
    expect(page.get_by_role("region", name="Decision")).to_contain_text("Ben")
    accessible(page)
    page.get_by_role("button", name="Many", exact=True).click()
    expect(page.get_by_text("No two annotators disagree on Count.")).to_be_visible()


def test_a_class_gets_a_definition(page: Page, lab, accessible: Callable[[Page], None]):
    page.goto(f"{lab.address}/#/annotate/classes")
    page.get_by_role("button", name="Cube", exact=True).click()
    page.get_by_label("Definition").fill("Six faces, all alike")
    page.get_by_role("button", name="Say what it is").click()
    expect(page.get_by_role("row", name="Cube")).to_contain_text("Six faces, all alike")
    accessible(page)
