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


def test_several_classes_are_chosen_by_keys_and_confirmed(page: Page, lab, accessible: Callable[[Page], None]):
    page.goto(f"{lab.address}/#/annotate/classes")
    form = page.locator("form", has_text="A new question")
    form.get_by_label("Question").fill("Content")
    form.get_by_label("Its classes").fill("Particles, Nanowires, Film")
    form.get_by_label("Several can hold at once").check()
    form.get_by_role("button", name="Add").click()
    page.get_by_role("combobox", name="Question").select_option("Content")
    page.get_by_label("You are").fill("Ada")
    page.get_by_label("You are").press("Enter")
    page.get_by_role("link", name="Label", exact=True).click()
    page.get_by_label("Queue").select_option("audit")
    picture, told = page.get_by_alt_text("Micrograph to label"), page.get_by_role("region", name="Your last answers")
    expect(picture).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    classes = page.get_by_role("region", name="Classes of Content")
    expect(classes).to_contain_text("Several may be chosen")
    page.keyboard.press("2")
    page.keyboard.press("1")
    page.keyboard.press("3")
    page.keyboard.press("3")
    expect(classes.get_by_role("checkbox", name="Particles")).to_be_checked()
    expect(classes.get_by_role("checkbox", name="Film")).not_to_be_checked()
    accessible(page)
    first = picture.get_attribute("src")
    page.keyboard.press("Enter")
    expect(told).to_contain_text("Particles + Nanowires")
    expect(picture).not_to_have_attribute("src", first)
    expect(classes.get_by_role("checkbox", checked=True)).to_have_count(0)
    page.keyboard.press("Enter")  # nothing is chosen: nothing is said
    page.keyboard.press("z")
    expect(picture).to_have_attribute("src", first)
    classes.get_by_role("checkbox", name="Film").click()  # and with the pointer, Enter still confirms
    page.keyboard.press("Enter")
    expect(told.get_by_role("listitem")).to_have_count(1)
    expect(told).to_contain_text("Film")


def test_a_dispute_over_several_classes_is_settled(page: Page, lab, accessible: Callable[[Page], None]):
    page.goto(f"{lab.address}/#/annotate/agreement")
    send = "([method, path, body]) => fetch(path, { method, headers: { 'Content-Type': 'application/json' }, "
    send += "body: JSON.stringify(body) }).then((answer) => answer.status)"
    for name in ("Voids", "Cracks", "Grains"):
        change = {"task": "Defects", "change": "add", "name": name, "multi_label": True}
        assert page.evaluate(send, ["PUT", "/api/annotation/tasks", change]) == 200
    for who, said in (("Ben", "Voids|Cracks"), ("Chen", "Voids|Grains"), ("Dia", "Voids")):
        answer = {"key": "a3", "task": "Defects", "class": said, "annotator": who}
        assert page.evaluate(send, ["POST", "/api/annotation/answers", answer]) == 200
    page.reload()
    page.get_by_label("Question").select_option("Defects")
    expect(page.get_by_text("κ is pooled over them")).to_be_visible()
    page.get_by_label("You are").fill("Ada")
    page.get_by_label("You are").press("Enter")
    page.get_by_role("link", name="Adjudicate").click()
    decision = page.get_by_role("region", name="Decision")
    expect(decision).to_contain_text("Voids + Grains")
    accessible(page)
    decision.get_by_label("Voids").check()
    decision.get_by_label("Cracks").check()
    decision.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("No two annotators disagree on Defects.")).to_be_visible()
    sheet = page.request.get(f"{lab.address}/api/annotation/sheet.csv").text()
    assert "Voids|Cracks" in sheet
