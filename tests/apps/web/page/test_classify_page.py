"""Classify: from a dropped file to bars, scale, outlines and exports."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect


@pytest.fixture
def dropped(page: Page, lab) -> Page:
    """The page with two pictures dropped, the first answered."""
    page.goto(f"{lab.address}/#/classify")
    page.set_input_files("input[type=file]", [lab.pictures / "discs_00.tif", lab.pictures / "discs_11.tif"])
    expect(page.get_by_role("region", name="Classes").get_by_role("list").first).to_be_visible()
    return page


def test_bars_say_what_the_model_says(dropped: Page, lab, accessible: Callable[[Page], None]):
    bars = dropped.get_by_role("list", name="Morphology: probability of each class").get_by_role("listitem")
    expect(bars).to_have_count(3)
    shown = [int(text.split()[-2]) for text in bars.all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    assert 98 <= sum(shown) <= 102
    expect(dropped.get_by_text("2 pictures", exact=True)).to_be_visible()
    expect(dropped.get_by_role("region", name="Objects")).to_contain_text("objects")
    expect(dropped.get_by_role("region", name="Most similar").get_by_role("link")).to_have_count(13)
    accessible(dropped)


def test_every_row_goes_into_the_csv(dropped: Page, tmp_path: Path):
    expect(dropped.get_by_text("2 pictures", exact=True)).to_be_visible()
    with dropped.expect_download() as waiting:
        dropped.get_by_role("complementary", name="Dropped pictures").get_by_role("button", name="CSV").click()
    waiting.value.save_as(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ["discs_00.tif", "discs_11.tif"]
    assert all(row["status"] == "ok" and row["Morphology.best"] for row in rows)


def test_objects_are_sorted_chosen_and_saved(dropped: Page):
    objects = dropped.get_by_role("region", name="Objects")
    rows = objects.locator("tbody tr")
    expect(rows.first).to_be_visible()
    objects.get_by_role("button", name="diameter, nm").click()
    sizes = [float(text) for text in objects.locator("tbody tr td:nth-of-type(1)").all_inner_texts()]
    assert sizes == sorted(sizes, reverse=True)
    objects.get_by_role("button", name="Show object").first.click()
    expect(rows.first).to_have_attribute("aria-selected", "true")
    with dropped.expect_download() as waiting:
        objects.get_by_role("button", name="CSV").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(sizes)
    assert "equivalent_circular_diameter_nm" in lines[0]


def test_figures_carry_picture_and_scale_bar(dropped: Page, tmp_path: Path):
    expect(dropped.get_by_role("region", name="Objects").locator("tbody tr").first).to_be_visible()
    with dropped.expect_download() as waiting:
        dropped.get_by_role("button", name="Figure as PNG").click()
    waiting.value.save_as(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as figure:
        assert figure.size == (160, 120 + 34)
    with dropped.expect_download() as waiting:
        dropped.get_by_role("button", name="Figure as SVG").click()
    drawing = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert 'id="scale-bar"' in drawing
    assert "<path d=" in drawing
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")


def test_a_bar_set_by_hand_gives_nanometres(dropped: Page):
    dropped.get_by_role("button", name="discs_11.tif").click()
    scale = dropped.get_by_role("region", name="Scale")
    expect(scale).to_contain_text("Unknown")
    scale.get_by_role("button", name="Set from the bar").click()
    scale.get_by_label("From x, px").fill("10")
    scale.get_by_label("To x, px").fill("60")
    scale.get_by_label("The bar stands for").fill("0,2")
    expect(scale).to_contain_text("= 4 nm per pixel")
    scale.get_by_role("button", name="Set the scale").click()
    expect(scale).to_contain_text("4 nm per pixel set by a person")
    expect(scale).to_contain_text("Kept until the server stops")
    expect(dropped.get_by_role("region", name="Objects")).to_contain_text("diameter, nm")


def test_sizes_are_shown_in_the_unit_that_suits_them(dropped: Page):
    dropped.get_by_role("button", name="discs_11.tif").click()
    scale, objects = dropped.get_by_role("region", name="Scale"), dropped.get_by_role("region", name="Objects")
    scale.get_by_role("button", name="Set from the bar").click()
    scale.get_by_label("or nm per pixel").fill("500")
    scale.get_by_role("button", name="Set", exact=True).click()
    expect(objects.get_by_role("button", name="diameter, µm")).to_be_visible(timeout=120_000)  # outlines are found first
    expect(objects.get_by_role("button", name="area, µm²")).to_be_visible()
    expect(objects.locator("figcaption")).to_have_text("Equivalent circular diameter, µm")
    diameter = float(objects.locator("tbody td").first.inner_text())
    assert 4 < diameter < 14, "discs of 12 to 24 px, some of them cut or touching"
    assert abs(float(objects.get_by_text("D50").inner_text().split()[1]) - diameter) < 10
    with dropped.expect_download() as saved:
        objects.get_by_role("button", name="CSV").click()
    heading, first, *_ = saved.value.path().read_text().splitlines()
    cells = dict(zip(heading.split(","), first.split(","), strict=True))
    assert float(cells["equivalent_circular_diameter_nm"]) == pytest.approx(1000 * diameter, rel=0.01), "the file stays in nm"


def test_the_ends_of_a_bar_are_dragged_on_the_picture(dropped: Page):
    dropped.get_by_role("button", name="discs_11.tif").click()
    expect(dropped.get_by_text("scale unknown").first).to_be_visible()
    dropped.get_by_role("button", name="Set from the bar").click()
    box = dropped.get_by_role("group", name="discs_11.tif: picture").bounding_box()
    middle = box["y"] + box["height"] / 2
    dropped.mouse.move(box["x"] + box["width"] * 0.4, middle)
    dropped.mouse.down()
    dropped.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    dropped.mouse.up()
    start = float(dropped.get_by_label("From x, px").input_value())
    end = float(dropped.get_by_label("To x, px").input_value())
    zoom = min(box["width"] / 160, box["height"] / 120)
    assert end - start == pytest.approx(box["width"] * 0.2 / zoom, abs=1.5)


def test_a_broken_file_is_a_sentence_and_the_others_go_on(page: Page, lab, tmp_path: Path):
    broken = tmp_path / "<b>broken<b>.tif"
    broken.write_bytes(b"II*\0 nothing of the kind")
    page.goto(f"{lab.address}/#/classify")
    page.set_input_files("input[type=file]", [broken, lab.pictures / "discs_02.tif"])
    expect(page.get_by_role("alert")).to_contain_text("<b>broken<b>.tif")
    expect(page.get_by_text("2 pictures", exact=True)).to_be_visible()
    page.get_by_role("button", name="<b>broken<b>.tif").press("ArrowDown")
    expect(page.get_by_role("article", name="discs_02.tif")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("1 picture", exact=True)).to_be_visible()


def test_the_heat_map_is_drawn_over_the_picture(dropped: Page):
    with dropped.expect_response(lambda answer: "heat-map.webp" in answer.url) as waiting:
        dropped.get_by_label("Heat map").select_option("Count")
    assert waiting.value.ok


def test_attention_is_offered_where_the_model_has_any(page: Page, dropped: Page, start, vit, pictures):
    assert "attention" not in dropped.get_by_label("Heat map").inner_text()
    page.goto(f"{start(model=vit)}/#/classify")
    page.get_by_label("Micrographs to classify").set_input_files([pictures / "discs_00.tif"])
    choice = page.get_by_label("Heat map")
    expect(choice).to_be_enabled()
    with page.expect_response("**/attention.webp") as answer:
        choice.select_option("attention")
    assert answer.value.ok
