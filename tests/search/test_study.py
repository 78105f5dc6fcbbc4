import pytest

from mnist_core.errors import ConfigError, SearchError
from mnist_core.runs.run_store import RunStore
from mnist_core.search.driver import drive
from mnist_core.search.study import SearchStore


def test_searches_lie_beside_the_runs_and_are_listed_the_newest_first(searching, store):
    assert SearchStore(store).names() == []
    assert not store.folder.exists()
    searching("one")
    searching("two")
    assert SearchStore(store).names() == ["two", "one"]
    assert (store.folder / "searches" / "journal.log").exists()
    assert store.runs() == []


def test_a_name_that_is_taken_is_said(searching):
    searching("one")
    with pytest.raises(SearchError, match="already: go on"):
        searching("one")
    with pytest.raises(SearchError, match="with another space"):
        searching("one", "lr=0.01..0.02")
    with pytest.raises(ConfigError, match="name"):
        searching("../one")


def test_there_is_no_search_that_nobody_made(store):
    with pytest.raises(SearchError, match="There is no search 'one'"):
        SearchStore(store).open("one")


def test_a_database_takes_the_place_of_the_file(led, store, tmp_path):
    url = f"sqlite:///{tmp_path / 'searches.db'}"
    led("one", url=url, trials=2)
    assert SearchStore(store, url).names() == ["one"]
    assert SearchStore(store).names() == []
    assert len(SearchStore(store, url).open("one").trials()) == 2
    with pytest.raises(SearchError, match="lie in"):
        SearchStore(RunStore(tmp_path / "elsewhere"), url).open("one")
    assert SearchStore(RunStore(tmp_path / "elsewhere"), url).names() == []


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("nonsense", "no database's URL"),
        ("sqlite:////nowhere/at/all.db", "cannot be used"),
        ("oracle://me:secret@127.0.0.1/x", "needs oracledb, which is not installed"),
    ],
)
def test_a_database_that_cannot_be_had_is_one_sentence_without_the_password(url, part, searching):
    with pytest.raises(SearchError, match=part) as raised:
        searching("one", url=url)
    assert "secret" not in str(raised.value)


def test_a_journal_that_is_damaged_is_said(searching, store):
    searching("one")
    journal = store.folder / "searches" / "journal.log"
    other = store.folder.parent / "other" / "searches"
    other.mkdir(parents=True)
    (other / "journal.log").write_text("{damaged\n" + journal.read_text())
    with pytest.raises(SearchError, match="damaged"):
        SearchStore(RunStore(other.parent)).names()


def test_a_search_is_forgotten_and_its_runs_stay(led, store):
    search = led("one")
    search.delete()
    assert SearchStore(store).names() == []
    assert len(store.runs()) == 3


def test_a_study_of_another_program_is_left_alone(searching, store):
    import optuna

    search = searching("one")
    optuna.create_study(study_name="theirs", storage=search.store.storage())
    assert SearchStore(store).names() == ["one"]
    with pytest.raises(SearchError, match="another program"):
        SearchStore(store).open("theirs")


def test_a_database_that_goes_away_in_the_middle_ends_the_search_which_goes_on_when_it_is_back(
    searching, pool, tmp_path
):
    database = tmp_path / "searches.db"
    search = searching("one", url=f"sqlite:///{database}", trials=3)
    trials = drive(search, pool)
    next(trials)
    kept = database.read_bytes()
    database.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(SearchError, match=r"searches\.db, cannot be used"):
        list(trials)
    for records in pool.trained.values():
        list(records)
    database.write_bytes(kept)
    list(drive(search, pool))
    assert [trial.state for trial in search.trials()] == ["finished"] * 3
