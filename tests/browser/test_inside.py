"""The Inside page as a visitor uses it, in a real browser."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from mnist_core import dataset, mnist_files
from tests.browser import steps
from tests.browser.conftest import Server
from tests.browser.steps import answer, at_rest, choose, draw, kept, press, switch_to, visit

FLAGGED_SEVEN = [(75, 95), (70, 60), (200, 60), (120, 240)]
SECTIONS = {
    "network": "The network",
    "ink": "From ink to input",
    "layers": "Through the layers",
    "unit": "One unit's arithmetic",
    "weights": "Weights",
    "why": "Why this digit",
    "space": "The space",
    "damage": "Break it",
}
SLOW = 90_000  # milliseconds that work in the background may take on a busy machine


def open_section(page: Page, section: str) -> None:
    page.get_by_role("radio", name=SECTIONS[section]).click()
    expect(page).to_have_url(re.compile(f"section={section}"))
    at_rest(page)


def pick(page: Page, option: str) -> None:
    """Press a part of a segmented control."""
    page.get_by_role("radio", name=option, exact=True).click()
    at_rest(page)


def slide_to_the_end(page: Page, label: str) -> None:
    page.get_by_role("slider", name=re.compile(label)).press("End")
    at_rest(page)


@pytest.mark.slow
def test_a_seven_with_a_flag_from_ink_to_its_end(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, FLAGGED_SEVEN)
    expect(answer(page)).to_have_text("7")
    kept(page)
    switch_to(page, "Inside")
    expect(page).to_have_url(re.compile(r"section=network&model=cnn&image=drawing"))
    expect(answer(page)).to_have_text("7")
    expect(page.locator(".lab-network canvas")).to_be_in_viewport()

    open_section(page, "ink")
    headline = page.locator(".st-key-inside-answer")
    expect(headline).to_contain_text("Your drawing: read as")
    expect(headline.get_by_test_id("stMetricValue")).to_have_text("7")
    expect(page.locator(".st-key-ink-steps img")).to_have_count(3)

    open_section(page, "layers")
    expect(page.get_by_text("1 map of 28 x 28 → 32 maps of 14 x 14")).to_be_visible()
    expect(page.get_by_role("heading", name="Edges")).to_be_visible()
    expect(page.locator("img[alt*='that ReLU gives']").first).to_be_visible()
    expect(page.locator(".st-key-layers-softmax .bars path")).to_have_count(20)

    open_section(page, "unit")
    expect(page.locator(".st-key-unit-pictures img")).to_have_count(3)
    expect(page.locator(".st-key-unit-sum")).to_contain_text("25 inputs times weights add up to")

    open_section(page, "why")
    choose(page, "Why not", "1")
    expect(page.get_by_role("heading", name="Why a 7 and no 1")).to_be_visible()
    expect(page.locator(".st-key-why-not img")).to_be_visible()

    open_section(page, "damage")
    pick(page, "noise")
    broken = page.locator(".st-key-damage-answer")
    expect(broken).to_contain_text("It stands")
    slide_to_the_end(page, "Random grey")
    expect(broken).to_contain_text("It has flipped")
    pick(page, "by the smallest step")
    choose(page, "Towards", "any digit")  # towards one of them, there may be no such step
    expect(page.locator(".st-key-damage-flip img")).to_have_count(3)

    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", name="Inside the network")).to_be_visible()


@pytest.mark.slow
def test_accuracy_against_strength_is_worked_out_behind_the_page(page: Page) -> None:
    page.goto("/inside?section=damage&model=mlp&image=7")
    at_rest(page)
    expect(page.locator(".st-key-damage-curve .scatterlayer path").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=SLOW)
    expect(page.locator(".st-key-damage-curve .scatterlayer .points path")).to_have_count(11)


@pytest.mark.slow
def test_steps_from_ink_to_input_are_left_out(page: Page) -> None:
    page.goto("/inside?section=ink&model=mlp&image=3")
    at_rest(page)
    page.get_by_text("Centre", exact=True).click()
    expect(page.locator(".st-key-ink-answer")).to_contain_text("Without centre: read as")
    expect(page.locator(".st-key-ink-worth .bars path").first).to_be_visible(timeout=SLOW)


@pytest.mark.slow
def test_the_space_is_mapped_and_a_point_clicked_on(page: Page) -> None:
    page.goto("/inside?section=space&model=mlp&image=3")
    at_rest(page)
    points = page.locator(".st-key-space-map .scatterlayer .points path")
    expect(points.first).to_be_visible(timeout=SLOW)
    expect(page.locator(".st-key-space-nearest img")).to_have_count(8)
    at_rest(page)
    points.nth(40).hover(force=True)
    hovered = page.locator(".lab-hovered")
    expect(hovered).to_be_visible()
    number = int(hovered.get_attribute("data-number") or "")
    expect(page.locator(".st-key-space-map .hoverlayer")).to_contain_text(f"image {number},")
    assert image_in(hovered).tolist() == true_image(number).tolist()
    page.get_by_role("heading", level=1).hover()
    expect(hovered).to_be_hidden()
    points.nth(40).click(force=True)
    expect(page.locator(".st-key-space-clicked")).to_contain_text(re.compile(r"Image \d+, a true \d, read as \d"))
    press(page, "space-open")
    expect(page.locator(".st-key-inside-answer")).to_contain_text(re.compile(r"Test image (?!3,)\d+, a true"))
    pick(page, "t-SNE")
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=SLOW)
    expect(points.first).to_be_visible()


def image_in(hovered: Locator) -> np.ndarray:
    """The image (28, 28) that is seen in the element, of all those in its background."""
    address, x, y, side = hovered.evaluate(
        """element => {
            const { backgroundImage, backgroundPositionX: x, backgroundPositionY: y } = getComputedStyle(element)
            return [backgroundImage, parseFloat(x), parseFloat(y), element.clientWidth]
        }"""
    )
    sheet = Image.open(io.BytesIO(base64.b64decode(address.split("base64,")[1].split('"')[0])))
    left, top = round(-28 * x / side), round(-28 * y / side)
    return np.asarray(sheet)[top : top + 28, left : left + 28]


def true_image(number: int) -> np.ndarray:
    """The test image of that number."""
    data = "sample" if mnist_files.missing() else "mnist"
    return dataset.load_test(data).images[number].numpy()


@pytest.mark.slow
def test_a_run_that_trains_is_looked_into(page: Page, server: Server) -> None:
    data = "sample" if mnist_files.missing() else "mnist"
    visit(page, f"/train?model=mlp&epochs=300&data={data}")
    press(page, "train-start")
    expect(page).to_have_url(re.compile(r"run=\d{8}-\d{6}-mlp-"))
    run_id = page.url.split("run=")[1].split("&")[0]
    expect(page.get_by_test_id("stProgress")).to_contain_text(re.compile(r"step [1-9]"), timeout=60_000)
    switch_to(page, "Inside")
    choose(page, "Model", steps.title_of(server, run_id))
    expect(page.get_by_text("It is being trained now")).to_be_visible()
    open_section(page, "weights")
    epochs = page.locator("[data-testid=stSlider]")
    expect(epochs).to_be_visible(timeout=SLOW)
    expect(page.locator(".st-key-weights img")).to_be_visible()
    switch_to(page, "Train")
    press(page, "train-stop")
    expect(page.locator(".st-key-run-status").first).to_contain_text("stopped")
