"""Gallery: facets, words, likeness, equal nanometres, the map and its lasso."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def opened(page: Page, lab) -> Page:
    """All twelve pictures, their counts and the map."""
    page.goto(f"{lab.address}/#/gallery")
    expect(page.get_by_role("status").filter(has_text="12 pictures")).to_be_visible()
    expect(page.get_by_role("group", name="Morphology")).to_be_visible()
    expect(page.get_by_role("application", name="Map of 12 pictures")).to_be_visible()
    return page


def found(page: Page, count: int) -> None:
    """Waits until that many pictures are found."""
    expect(page.get_by_role("status").filter(has_text=f"{count} picture")).to_be_visible()


def test_pictures_counts_and_map_are_there(opened: Page, accessible: Callable[[Page], None]):
    pictures = opened.get_by_role("region", name="Pictures", exact=True).get_by_role("listitem")
    expect(pictures).to_have_count(12)
    expect(pictures.first).to_have_attribute("aria-setsize", "12")
    counts = opened.get_by_role("group", name="Morphology").locator(".faint").all_inner_texts()
    assert sum(map(int, counts)) == 12
    accessible(opened)


def test_a_class_narrows_and_its_neighbours_keep_their_counts(opened: Page):
    facet = opened.get_by_role("group", name="Morphology")
    first = facet.locator("label").first
    before = facet.locator(".faint").all_inner_texts()
    first.click()
    found(opened, int(before[0]))
    expect(facet.locator(".faint")).to_have_text(before)
    opened.reload()
    found(opened, int(before[0]))  # the address holds the filters
    opened.get_by_role("button", name="Show all").click()
    found(opened, 12)


def test_words_and_fields_are_searched(opened: Page):
    box = opened.get_by_role("searchbox", name="Search")
    box.fill("discs_07")
    found(opened, 1)
    box.fill("pixel_size_nm>3")
    found(opened, 5)
    box.fill("pixel_sise_nm>3")
    expect(opened.get_by_role("alert").first).to_contain_text("pixel_size_nm")
    box.fill("nothing_of_this_name")
    expect(opened.get_by_text("No picture fits.")).to_be_visible()


def test_a_slider_keeps_the_pictures_at_its_ends(opened: Page):
    opened.get_by_role("slider", name="Pixel size, from").press("ArrowRight")
    found(opened, 5)
    opened.get_by_role("slider", name="Pixel size, from").press("ArrowLeft")
    found(opened, 12)


def test_the_like_of_a_picture_comes_with_scores(opened: Page):
    opened.get_by_role("link", name="discs_03.tif").hover()
    opened.get_by_role("button", name="Pictures like discs_03.tif").click()
    expect(opened.get_by_text("discs_03.tif").first).to_be_visible()
    first = opened.get_by_role("region", name="Pictures", exact=True).get_by_role("listitem").first
    expect(first).to_contain_text("discs_03.tif")
    expect(first.get_by_title("Similarity")).to_have_text("1.00")
    opened.get_by_role("button", name="Stop searching by picture").click()
    expect(first.get_by_title("Similarity")).to_have_count(0)


def test_an_outside_picture_is_searched_by(opened: Page, lab):
    opened.get_by_label("Picture to search by").set_input_files(lab.pictures / "discs_05.tif")
    first = opened.get_by_role("region", name="Pictures", exact=True).get_by_role("listitem").first
    expect(first.get_by_title("Similarity")).to_be_visible()
    expect(first).to_contain_text("discs_05.tif")


def test_at_equal_nanometres_coarser_pixels_are_drawn_larger(opened: Page):
    opened.get_by_role("button", name="Equal nanometres").click()
    expect(opened.get_by_text("in every picture")).to_be_visible()

    def width(name: str) -> float:
        return opened.get_by_role("link", name=name).locator("img").evaluate("image => image.getBoundingClientRect().width")

    assert width("discs_01.tif") == pytest.approx(2 * width("discs_00.tif"), rel=0.01)  # 4 nm and 2 nm a pixel
    expect(opened.locator(".ground.unknown")).to_have_count(1)  # one has no scale


def test_arrows_walk_through_the_pictures(opened: Page):
    links = opened.get_by_role("region", name="Pictures", exact=True).get_by_role("link")
    names = [name.split(",")[0] for name in links.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")]
    links.first.focus()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowRight")
    expect(opened.get_by_role("link", name=names[2])).to_be_focused()
    opened.keyboard.press("End")
    expect(opened.get_by_role("link", name=names[-1])).to_be_focused()
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("complementary", name=f"About {names[-1]}")).to_be_visible()


def test_a_lasso_around_everything_and_then_half(opened: Page):
    box = opened.get_by_role("application", name="Map of 12 pictures").bounding_box()

    def draw(left: float, right: float) -> None:
        corners = [(left, 0.01), (right, 0.01), (right, 0.99), (left, 0.99), (left, 0.02)]
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
        opened.mouse.move(*places[0])
        opened.mouse.down()
        for place in places[1:]:
            opened.mouse.move(*place, steps=6)
        opened.mouse.up()

    draw(0.01, 0.99)
    expect(opened.get_by_text("in the lasso")).to_be_visible()
    found(opened, 12)
    draw(0.01, 0.5)
    expect(opened.get_by_role("status").filter(has_text="12 pictures")).to_have_count(0)
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name="CSV").click()
    assert waiting.value.suggested_filename == "lasso.csv"
    opened.get_by_role("button", name="Let the lasso go").click()
    found(opened, 12)


def test_two_chosen_pictures_are_compared(opened: Page):
    for name in ("discs_00.tif", "discs_04.tif"):
        opened.get_by_role("link", name=name).hover()
        opened.get_by_role("button", name=f"Choose {name}").click()
    opened.get_by_role("link", name="compare").click()
    expect(opened.get_by_role("group", name="picture")).to_have_count(2)


def test_what_is_found_is_exported(opened: Page):
    opened.get_by_role("searchbox", name="Search").fill("pixel_size_nm>3")
    found(opened, 5)
    with opened.expect_download() as waiting:
        opened.get_by_role("link", name="CSV").click()
    lines = waiting.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 5


def test_the_map_is_framed_by_keyboard(page: Page, lab, accessible: Callable[[Page], None]):
    page.goto(f"{lab.address}/#/gallery")
    found = page.get_by_role("region", name="Found pictures").get_by_role("status").first
    expect(found).to_have_text("12 pictures")
    embedding = page.get_by_role("application", name="Map of 12 pictures")
    embedding.focus()
    said = embedding.get_by_role("status")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("in the frame")
    for _ in range(6):
        page.keyboard.press("+")
    expect(said).to_have_text("12 pictures in the frame")
    for _ in range(16):
        page.keyboard.press("-")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    while said.inner_text().startswith("12"):
        page.keyboard.press("ArrowRight")
    for _ in range(5):
        page.keyboard.press("+")
    few = int(said.inner_text().split()[0])
    assert few < 12
    accessible(page)
    page.keyboard.press("Enter")
    if few:
        expect(found).to_have_text(f"{few} picture{'s' if few > 1 else ''}")
    page.keyboard.press("Escape")
    expect(found).to_have_text("12 pictures")
