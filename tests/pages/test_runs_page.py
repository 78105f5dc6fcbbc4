"""The Runs page and what starts several runs, through Streamlit's AppTest."""

import dataclasses
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.errors import RunError
from mnist_core.runs.run_store import RUNS, RunStore
from mnist_core.runs.status import RunState
from mnist_core.runs.summary import title_of
from pages.shared.markdown import plain
from pages.shared.runs import by_name, get_workers
from tests.pages import control, controls, metrics, open_train, text


def open_runs(app: AppTest, **words: str) -> None:
    app.run()
    app.switch_page("runs.py")
    app.query_params.clear()
    for name, word in words.items():
        app.query_params[name] = word
    app.run()
    assert not app.exception


def test_without_runs_the_page_says_so(app):
    open_runs(app)
    assert any("There are no runs yet" in element.value for element in app.markdown)


def test_all_runs_are_in_the_table_also_a_damaged_one(app, trained):
    one, other = trained(), trained(epochs=1)
    other.set_about(name="short")
    (other.path / "config.json").write_text("{")
    open_runs(app)
    table = app.dataframe[0].value
    assert table["id"][1] == one.id
    assert table["what differs"][1] == "mlp, data sample, hidden 16, epochs 2"
    assert table["test"][1] == pytest.approx(100 * one.end()["test_accuracy"])
    assert table["state"].tolist() == ["damaged", "finished"]
    assert "config" in table["what differs"][0]


def test_the_table_is_filtered_by_words_and_states(app, trained, small, tmp_path):
    one = trained()
    trained(epochs=1)
    RunStore(tmp_path / "runs").create(small).set_status(RunState.STOPPED)
    open_runs(app)
    app.text_input(key="runs-find").set_value("epochs 2").run()
    assert len(app.dataframe[0].value) == 2
    app.multiselect(key="runs-states").select("finished").run()
    assert app.dataframe[0].value["id"].tolist() == [one.id]


def test_what_one_network_has_and_the_other_not_is_a_dash(app, small, tmp_path):
    configs = [small, dataclasses.replace(small, model="cnn", hidden=(64,), width=8)]
    ids = [RunStore(tmp_path / "runs").create(config).id for config in configs]
    open_runs(app, compare=",".join(ids))
    table = next(shown.value for shown in app.dataframe if "" in shown.value)
    cells = {label: tuple(row) for label, *row in table.itertuples(index=False)}
    assert set(zip(cells["Model"], cells["Hidden"], cells["Width"], strict=True)) == {
        ("mlp", "16", "-"),
        ("cnn", "-", "8"),
    }
    assert "Dropout" not in cells


def test_chosen_runs_are_compared(app, trained):
    ids = [trained(seed=seed).id for seed in (0, 1)] + [trained(lr=1e-6).id]
    open_runs(app, compare=",".join(ids))
    said = text(app)
    assert "with 2 seeds" in said
    assert "standard deviation" in said
    assert app.selectbox(key="compare-one").value == ids[2]  # the newest first
    assert "More than chance" in said
    differs = app.dataframe[1].value
    assert differs[""].tolist()[:4] == ["test", "best validation", "Learning rate", "Seed"]
    app.selectbox(key="compare-one").select(ids[0]).run()
    app.selectbox(key="compare-other").select(ids[1]).run()
    assert "McNemar's test" in text(app)
    for figure in ("val_loss", "accuracy", "loss", "lr"):
        app.selectbox(key="compare-figure").select(figure).run()
        assert not app.exception


def test_runs_of_different_data_have_no_images_in_common(app, trained, tmp_path, small):
    one, other = trained(), trained()
    (other.path / "config.json").write_text(dataclasses.replace(small, data="mnist").to_json())
    open_runs(app, compare=f"{one.id},{other.id}")
    assert "Choose two runs of the same data." in text(app)


def test_one_chosen_run_has_ways_on_and_a_hint(app, trained):
    run = trained()
    open_runs(app)
    assert "Click on a run" in app.info[0].value
    app.multiselect(key="runs-chosen").select(run.id).run()
    assert app.info[0].value == "Click on a second run to compare the two."
    assert f"Reads **{run.end()['test_accuracy']:.2%}** of the test images right" in text(app)
    assert app.query_params["compare"] == run.id
    assert app.get("plotly_chart")


@pytest.mark.parametrize("page", ["draw", "browse", "inside"])
def test_a_run_leads_to_what_can_be_done_with_it(app, trained, page):
    run = trained()
    open_runs(app, run=run.id)
    app.button(key=f"runs-to-{page}").click().run()
    assert not app.exception
    assert app.selectbox(key=f"{page}-model").value == run.id


def test_what_has_not_begun_has_no_axes_and_no_ways_on(app, small, store):
    ids = [store.create(dataclasses.replace(small, seed=seed)).id for seed in (0, 1)]
    open_runs(app, compare=",".join(ids))
    assert "There is nothing to draw yet" in text(app)
    assert not app.get("plotly_chart")
    open_runs(app, run=ids[0])
    assert not app.get("echarts_chart")
    assert "runs-to-draw" not in {button.key for button in app.button}


@pytest.mark.parametrize("cost", ["parameters", "seconds"])
def test_the_board_has_the_shipped_models(app, trained, cost):
    trained()
    open_runs(app)
    app.segmented_control(key="runs-view").set_value("Board").run()
    app.segmented_control(key="board-cost").set_value(cost).run()
    assert not app.exception
    assert app.get("plotly_chart")


def test_a_run_has_a_page_with_what_repeats_it(app, trained):
    run = trained()
    open_runs(app, run=run.id)
    assert app.header[0].value == plain(title_of(run.config()))
    assert app.code[0].value == "python -m mnist_core train --data sample --hidden 16 --epochs 2 --device cpu"
    assert metrics(app)["Test"] == f"{run.end()['test_accuracy']:.2%}"
    assert metrics(app)["Parameters"] == "12,730"
    environment = app.dataframe[1].value
    assert {"device", "python", "torch", "commit"} <= set(environment[""])


def test_a_name_and_a_note_are_text(app, trained):
    run = trained()
    open_runs(app, run=run.id)
    name = "<b>**bold**</b> $x$ :red[no] ![](http://a)"
    app.text_input(key=f"name-{run.id}").set_value(name)
    app.text_area(key=f"note-{run.id}").set_value("a\nnote")
    app.button(key="about-save").click().run()
    assert not app.exception
    assert (run.about().name, run.about().note) == (name, "a\nnote")
    assert app.header[0].value == plain(name)


def test_errors_name_runs_by_what_they_are_called(app, trained):
    run = trained()
    run.set_about(name="mine")
    app.run()
    said = by_name(RunError(f"The run {run.id} is being trained: it cannot be saved in {run.path}."))
    assert said == f"The run mine is being trained: it cannot be saved in {run.path}."
    assert by_name(RunError("There is no run 20261124-120000-mlp-aaaa.")) == "There is no run 20261124-120000-mlp-aaaa."


def test_what_is_no_run_is_said(app):
    open_runs(app, run="../x")
    assert "is not a run's id" in app.error[0].value
    app.button(key="runs-back").click().run()
    assert any("There are no runs yet" in element.value for element in app.markdown)


def test_a_run_is_deleted_and_brought_back(app, trained, tmp_path):
    run = trained()
    open_runs(app, run=run.id)
    app.button(key="runs-delete-now").click().run()
    assert not app.exception
    assert RunStore(tmp_path / "runs").runs() == []
    app.button(key="runs-undo").click().run()
    assert not app.exception
    assert app.dataframe[0].value["id"].tolist() == [run.id]


def test_a_run_deleted_under_the_page_is_said(app, trained, tmp_path):
    one, other = trained(), trained()
    open_runs(app, run=one.id)
    shutil.rmtree(one.path)
    app.run()
    assert not app.exception
    assert "There is no run" in app.error[0].value
    app.button(key="runs-back").click().run()
    assert app.dataframe[0].value["id"].tolist() == [other.id]


def test_train_opens_with_a_runs_config(app, trained):
    run = trained(lr=0.123)
    open_runs(app, run=run.id)
    app.button(key="runs-change").click().run()
    assert not app.exception
    assert control(app, "lr").value == 0.123


def repeat(app):
    """Start a config with three seeds; the runs, the first to be started first."""
    open_train(app)
    control(app, "data").select("sample").run()
    app.button(key="repeat-start").click().run()
    assert not app.exception
    return RUNS.runs()[::-1]


def test_several_seeds_are_started_and_wait_in_line(app, monkeypatch):
    monkeypatch.setenv("RUNS_AT_ONCE", "1")
    made = repeat(app)
    assert [run.config().seed for run in made] == [0, 1, 2]
    assert {run.about().group for run in made} == {"3 seeds"}
    assert [get_workers().place(run) for run in made] == [0, 1, 2]
    assert made[0].status().state.is_active
    assert [run.status().state for run in made[1:]] == ["waiting", "waiting"]


def test_several_seeds_are_compared_when_they_have_ended(app, at_once):
    made = repeat(app)
    assert [run.status().state for run in made] == ["finished"] * 3
    app.switch_page("runs.py").run()  # they are chosen there
    assert not app.exception
    assert "with 3 seeds" in text(app)


def test_values_that_cannot_be_used_start_nothing(app, tmp_path):
    open_train(app)
    app.text_input(key="vary-values").set_value("0.1, fast")
    app.button(key="vary-start").click().run()
    assert "lr must be a number, got 'fast'" in app.error[0].value
    assert RunStore(tmp_path / "runs").runs() == []


def test_a_lesson_locks_and_hides(app):
    app.run()
    app.switch_page("train.py")
    app.query_params.update({"lr": "0.03", "lock": "lr,model", "hide": "epochs,seed"})
    app.run()
    assert not app.exception
    assert control(app, "lr").value == 0.03
    assert control(app, "lr").disabled
    assert control(app, "model").disabled
    assert not control(app, "batch_size").disabled
    assert not {"config-epochs", "config-seed", "preset"} & controls(app).keys()
    control(app, "batch_size").set_value(64).run()
    assert app.query_params["lock"] == "model,lr"  # the lesson stays one
    assert app.query_params["hide"] == "epochs,seed"
    app.button(key="lesson-leave").click().run()
    assert {"config-epochs", "config-seed", "preset"} <= controls(app).keys()
    assert "lock" not in app.query_params


def test_a_lesson_is_made(app):
    open_train(app)
    app.sidebar.multiselect(key="lesson-hide").select("seed").run()
    app.sidebar.multiselect(key="lesson-lock").select("model").run()
    assert not app.exception
    assert app.sidebar.code[0].value.endswith("lock=model&hide=seed")


@pytest.mark.parametrize("page", ["draw", "train", "runs"])
def test_a_folder_of_runs_that_cannot_be_read_is_said(app, tmp_path, page):
    app.run()
    (tmp_path / "runs").write_text("a file where the folder should be")
    app.switch_page(f"{page}.py").run()
    assert not app.exception
    assert "cannot be listed" in text(app)


def test_what_a_run_says_of_itself_names_runs_by_what_they_are_called(app, trained):
    run = trained()
    run.set_about(name="mine")
    run.set_status(RunState.FAILED, f"The run {run.id} cannot be saved.")
    open_runs(app, run=run.id)
    assert "The run mine cannot be saved." in [warning.value for warning in app.warning]
