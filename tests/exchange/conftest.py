import pytest

from mnist_core.runs.run_store import RunStore
from tests.exchange.packed_runs import CONFIG, trained


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    return trained(CONFIG, RunStore(tmp_path_factory.mktemp("finished")))


@pytest.fixture(scope="session")
def stopped(tmp_path_factory):
    return trained(CONFIG, RunStore(tmp_path_factory.mktemp("stopped")), epochs=1)
