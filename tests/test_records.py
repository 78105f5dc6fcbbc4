import math

import pytest

from mnist_core import records
from mnist_core.config import TrainConfig
from mnist_core.trainer import fit
from tests import sample_records
from tests.conftest import SMALL

WHOLE = [getattr(sample_records, kind)() for kind in ("start", "resume", "step", "epoch", "end")]
WHOLE.append({"event": "lr", "step": 20, "lr": 0.05})


@pytest.mark.parametrize("record", WHOLE, ids=lambda record: record["event"])
def test_a_whole_record_is_itself(record):
    assert records.check(record) is record
    assert records.check(record | {"of a later version": 1})


def test_what_a_training_reports_is_of_the_schema():
    for record in fit(TrainConfig(**SMALL)):
        assert records.check(record) is record


@pytest.mark.parametrize("record", WHOLE, ids=lambda record: record["event"])
def test_a_record_without_a_figure_it_must_have_is_refused(record):
    required = records._KINDS[record["event"]][1]
    assert required >= {"event"}
    for name in required - {"event"}:
        with pytest.raises(ValueError, match=f"it lacks {name}"):
            records.check({field: value for field, value in record.items() if field != name})


@pytest.mark.parametrize(
    "value", [None, 3, "event", ["event"], {}, {"loss": 1}, {"event": "other"}, {"event": ["end"]}]
)
def test_what_is_no_record_is_refused(value):
    with pytest.raises(ValueError, match="it is no "):
        records.check(value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, "1", None, True, [1.0], 10**400])
@pytest.mark.parametrize("field", ["loss", "step"])
def test_what_is_no_finite_number_is_refused(field, number):
    with pytest.raises(ValueError, match=f"its {field} cannot be "):
        records.check(sample_records.step(**{field: number}))


@pytest.mark.parametrize(("kind", "field"), [("start", "epochs"), ("start", "steps"), ("step", "images_per_s")])
def test_what_others_are_divided_by_is_above_0(kind, field):
    with pytest.raises(ValueError, match=f"its {field} cannot be 0"):
        records.check(getattr(sample_records, kind)(**{field: 0}))


def test_a_number_that_is_not_finite_is_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        records.to_json(sample_records.step(loss=math.nan))
