import csv
import io
import itertools

import numpy as np
import pytest

from mnist_core.reading.predictions import SORTS, Predictions


def table(count, seed=0):
    """Predictions of which many tie: probabilities and labels repeat."""
    rng = np.random.default_rng(seed)
    some = rng.dirichlet(np.full(10, 0.3), max(1, count // 3)).astype(np.float32)
    probabilities = some[rng.integers(0, len(some), count)]
    labels = np.where(rng.random(count) < 0.7, probabilities.argmax(1), rng.integers(0, 10, count))
    return Predictions(rng.integers(0, 256, (count, 28, 28)).astype(np.uint8), labels, probabilities)


def of(probabilities, labels):
    probabilities = np.array(probabilities, np.float32).reshape(-1, 10)
    return Predictions(np.zeros((len(labels), 28, 28), np.uint8), np.array(labels, np.int64), probabilities)


def row(digit, confidence):
    """Ten probabilities with `confidence` on `digit` and the rest on the next one."""
    values = [0.0] * 10
    values[digit], values[(digit + 1) % 10] = confidence, 1 - confidence
    return values


def chosen_by_hand(predictions, true, read, right, confidence, sort):
    low, high = np.float32(confidence[0]), np.float32(confidence[1])
    kept = []
    for index, (label, values) in enumerate(zip(predictions.labels, predictions.probabilities, strict=True)):
        digit = int(np.argmax(values))
        if (
            (true is None or label == true)
            and (read is None or digit == read)
            and (right is None or (digit == label) == right)
            and low <= values[digit] <= high
        ):
            kept.append(index)
    if sort == "loss":
        kept.sort(key=lambda index: predictions.probabilities[index, predictions.labels[index]])
    elif sort == "confidence":
        kept.sort(key=lambda index: predictions.probabilities[index].max())
    return kept


def test_figures_of_each_image_are_those_of_its_probabilities():
    predictions = table(200)
    rows = np.arange(200)
    assert len(predictions) == 200
    assert np.array_equal(predictions.digits, predictions.probabilities.argmax(1))
    assert np.array_equal(predictions.confidence, predictions.probabilities[rows, predictions.digits])
    assert np.array_equal(predictions.right, predictions.digits == predictions.labels)
    truth = predictions.probabilities[rows, predictions.labels].astype(np.float64)
    assert predictions.loss == pytest.approx(-np.log(truth), rel=1e-5)


@pytest.mark.parametrize("sort", SORTS)
def test_filters_combine(sort):
    predictions = table(300)
    for true, read, right, confidence in itertools.product(
        (None, 3), (None, 3, 8), (None, True, False), ((0.0, 1.0), (0.4, 0.8))
    ):
        filters = (true, read, right, confidence, sort)
        assert predictions.select(*filters).tolist() == chosen_by_hand(predictions, *filters), filters


def test_nothing_asked_is_all_in_order():
    assert table(50).select().tolist() == list(range(50))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 1.0])
def test_both_ends_of_the_confidence_are_in_it(share):
    predictions = of([row(1, 1.0), row(2, share), row(3, share), row(4, 0.6)], [1, 2, 3, 4])
    share = max(share, 1 - share)
    same = [index for index in range(4) if predictions.confidence[index] == np.float32(share)]
    assert {1, 2} <= set(same)
    assert predictions.select(confidence=(share, share)).tolist() == same
    assert set(same) <= set(predictions.select(confidence=(0.0, share)).tolist())
    assert set(same) <= set(predictions.select(confidence=(share, 1.0)).tolist())


def test_what_ties_keeps_its_order():
    rows = [row(1, 0.75), row(2, 0.625), row(1, 0.75), row(2, 0.625), row(5, 0.875)]
    predictions = of(rows, [1, 2, 1, 2, 5])
    assert predictions.select(sort="loss").tolist() == [1, 3, 0, 2, 4]
    assert predictions.select(sort="confidence").tolist() == [1, 3, 0, 2, 4]
    assert predictions.select(sort="index").tolist() == [0, 1, 2, 3, 4]


def test_a_truth_held_impossible_comes_first_by_loss():
    predictions = of([row(1, 0.75), row(1, 1.0), row(1, 0.75), row(1, 1.0)], [1, 1, 2, 7])
    assert predictions.loss.tolist() == [pytest.approx(-np.log(0.75)), 0, pytest.approx(-np.log(0.25)), np.inf]
    assert predictions.select(sort="loss").tolist() == [3, 2, 0, 1]


@pytest.mark.parametrize("sort", SORTS)
def test_nothing_found_is_empty(sort):
    predictions = of([row(1, 0.75)] * 5, [1] * 5)
    for found in (
        predictions.select(true=2, sort=sort),
        predictions.select(right=False, sort=sort),
        predictions.select(confidence=(0.8, 0.9), sort=sort),
        predictions.select(confidence=(0.9, 0.1), sort=sort),
    ):
        assert found.tolist() == []
        predictions.images[found]


def test_a_table_without_images_is_empty():
    predictions = of([], [])
    assert len(predictions) == 0
    assert predictions.select(sort="loss").tolist() == predictions.select(right=True).tolist() == []


@pytest.mark.parametrize("index", [0, 7, 99])
def test_what_is_alike_is_nearest_first(index):
    rng = np.random.default_rng(0)
    predictions = of(rng.dirichlet(np.full(10, 0.3), 100), rng.integers(0, 10, 100))
    roots = np.sqrt(predictions.probabilities.astype(np.float64))
    distance = np.linalg.norm(roots - roots[index], axis=1)
    others = sorted((other for other in range(100) if other != index), key=lambda other: distance[other])
    assert predictions.alike(index, 12).tolist() == others[:12]


def test_what_is_the_same_is_the_most_alike():
    rows = [row(1, 0.75), row(2, 0.75), row(1, 0.75), row(1, 0.5), row(1, 0.75)]
    predictions = of(rows, [1, 2, 1, 1, 1])
    assert predictions.alike(2, 3).tolist() == [0, 4, 3]
    assert predictions.alike(0, 3).tolist() == [2, 4, 3]


def test_small_probabilities_count_in_likeness():
    def values(*first):
        return [*first, *[0.0] * (10 - len(first))]

    # by the plain distance, the third is nearer to the first than the second is
    predictions = of([values(0.9, 0.1), values(0.95, 0.05), values(0.87, 0.1, 0.03)], [0, 0, 0])
    assert predictions.alike(0, 2).tolist() == [1, 2]


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10, 500])
def test_an_image_is_never_alike_itself(count):
    predictions = of([row(1, 0.75)] * 9, [1] * 9)
    for index in range(9):
        alike = predictions.alike(index, count).tolist()
        assert alike == [other for other in range(9) if other != index][:count]


def test_a_single_image_has_none_alike():
    assert of([row(1, 0.75)], [1]).alike(0, 5).tolist() == []


def test_the_table_as_csv_holds_every_number_as_it_is():
    predictions = table(300)
    lines = list(csv.DictReader(io.StringIO(predictions.to_csv())))
    assert list(lines[0]) == ["index", "true", "read", "confidence", "right", "loss", *(f"p{i}" for i in range(10))]
    assert [int(line["index"]) for line in lines] == list(range(300))
    assert [int(line["true"]) for line in lines] == predictions.labels.tolist()
    assert [int(line["read"]) for line in lines] == predictions.digits.tolist()
    assert [line["right"] == "1" for line in lines] == predictions.right.tolist()
    for name, values in [
        ("confidence", predictions.confidence),
        ("loss", predictions.loss),
        *((f"p{digit}", predictions.probabilities[:, digit]) for digit in range(10)),
    ]:
        assert np.array_equal(np.array([line[name] for line in lines], np.float32), values)


def test_csv_of_a_sure_mistake_and_of_no_image():
    first, only = of(row(3, 1.0), [5]).to_csv().splitlines()
    assert only == "0,5,3,1,0,inf,0,0,0,1,0,0,0,0,0,0"
    assert of([], []).to_csv() == first + "\n"
