"""The page of searches, through Streamlit's AppTest."""

import sys

import pytest

from mnist_core.config import TrainConfig
from mnist_core.runs.run_store import RUNS
from mnist_core.search import space
from mnist_core.search.driver import drive
from mnist_core.search.settings import SearchConfig
from mnist_core.search.study import SearchStore
from pages.shared import searches
from tests.pages import metrics, pictures, text
from tests.search.conftest import Here

SMALL = TrainConfig(data="sample", hidden=(8,), epochs=2, device="cpu")


@pytest.fixture
def begin(app):
    """Opens the page with a new search around a small config."""
    app.run()
    app.session_state["search-base"] = SMALL
    app.session_state["search-new"] = True
    app.switch_page("search.py").run()
    assert not app.exception
    return app


def searched(name="one", trials=9, **changes):
    """A search that was led to its end, its runs trained in this process: to start one for each takes longer."""
    dimensions = tuple(map(space.parse_dimension, ("lr=0.001..0.1", "hidden=8..32")))
    search = SearchStore(RUNS).create(name, SearchConfig(SMALL, dimensions, trials=trials, **changes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mnist_core.search.driver.POLL", 0)
        list(drive(search, Here()))
    return search


def shown(app, name="one"):
    app.run()
    app.switch_page("search.py")
    app.query_params["search"] = name
    app.run()
    assert not app.exception
    return app


def test_two_clicks_from_train_start_a_search_around_its_settings(app):
    app.run()
    app.switch_page("train.py")
    app.query_params.update({"data": "sample", "hidden": "8", "epochs": "1", "device": "cpu"})
    app.run()
    app.button(key="train-search").click().run()
    app.switch_page("search.py").run()  # or AppTest would go back to Train
    assert "mlp 8" in text(app)
    assert app.text_input(key="search-of-lr").value == "0.001..0.1"
    app.button(key="search-start").click().run()
    assert not app.exception
    assert [error.value for error in app.error] == []
    search = SearchStore(RUNS).open("search-1")
    assert [one.field for one in search.config().space] == ["lr", "hidden", "batch_size"]
    assert search.config().base.data == "sample"
    assert search.status().state == "running"
    app.button(key="search-stop").click().run()
    assert search.stop_requested()


def test_what_cannot_be_searched_is_said_at_its_field_and_starts_nothing(begin):
    begin.text_input(key="search-of-lr").set_value("1..0.1").run()
    assert "upside down" in begin.error[0].value
    begin.button(key="search-start").click().run()
    assert SearchStore(RUNS).names() == []
    begin.text_input(key="search-of-lr").set_value("0.01,0.1").run()
    begin.text_input(key="search-name-0").set_value("../x").run()
    begin.button(key="search-start").click().run()
    assert "A search's name" in begin.error[0].value


def test_a_search_shows_the_best_and_which_setting_matters(app):
    search = searched()
    shown(app)
    best = max(trial.values[0] for trial in search.trials() if trial.values)
    assert metrics(app)["Best validation accuracy"] == f"{best:.2%}"
    assert "**9 of 9 trials**" in text(app)
    table = app.dataframe[0].value
    assert len(table) == 9
    assert table["reached"][0] == pytest.approx(best)
    assert sum("Share of each setting" in picture for picture in pictures(app)) == 1
    assert "Go on" not in [button.label for button in app.button]


def test_the_best_is_the_start_of_more(app):
    search = searched(trials=2)
    best = max((trial for trial in search.trials() if trial.values), key=lambda trial: trial.values)
    shown(app).button(key="search-from").click().run()
    assert app.session_state["config-hidden"] == str(best.params["hidden"])
    shown(app).button(key="search-seeds").click().run()
    made = [run for run in RUNS.runs() if run.about().group == "Best of one"]
    assert sorted(run.config().seed for run in made) == [0, 1, 2]


def test_a_search_that_was_stopped_has_a_button_to_go_on(app):
    search = searched(trials=2)
    search.set_limits(3, None)
    search.set_status("stopped")
    shown(app).button(key="search-resume").click().run()
    assert not app.exception
    assert search.status().state == "running"


def test_a_search_that_is_not_there_is_one_sentence(app):
    searched(trials=1)
    shown(app, "nobody")
    assert any("There is no search 'nobody'" in info.value for info in app.info)


def test_without_optuna_the_page_says_what_to_install(app, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    searches.get_store.cache_clear()
    app.run()
    app.switch_page("search.py").run()
    assert not app.exception
    assert "pip install -r requirements-search.txt" in app.info[0].value
