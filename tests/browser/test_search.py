"""A search, begun from Train and watched, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from mnist_core.runs.run_store import RunStore
from mnist_core.search.study import SearchStore
from tests.browser.conftest import visiting
from tests.browser.steps import at_rest, press, visit, wait_until


@pytest.mark.slow
def test_two_clicks_from_train_say_which_setting_matters_and_a_click_opens_a_run(browser, fresh_server):
    with visiting(browser, fresh_server) as page:
        visit(page, "/train?data=sample&hidden=8&epochs=2&device=cpu")
        press(page, "train-search")
        expect(page.locator(".st-key-search-start")).to_be_visible()
        at_rest(page)
        press(page, "search-start")
        expect(page.get_by_text(re.compile(r"^[0-9]+ of 20 trials"))).to_be_visible(timeout=60_000)
        bars = page.locator(".st-key-search-importances .bars .point")
        expect(bars.first).to_be_visible(timeout=180_000)  # from eight trials on
        assert bars.count() == 3
        press(page, "search-stop")
        expect(page.locator(".st-key-search-resume")).to_be_visible(timeout=60_000)
        at_rest(page)
        search = SearchStore(RunStore(fresh_server.runs_dir)).open("search-1")
        wait_until(page, lambda: all(not run.is_locked() for run in search.store.runs.runs()))
        number = len([trial for trial in search.trials() if trial.state != "running"])
        page.reload()
        expect(page.get_by_text(f"{number} of 20 trials")).to_be_visible()
        points = page.locator(".st-key-search-history .scatterlayer .point")
        points.first.scroll_into_view_if_needed()
        box = points.first.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page).to_have_url(re.compile(r"/runs\?run="))
        expect(page.locator(".st-key-run-actions")).to_be_visible()
