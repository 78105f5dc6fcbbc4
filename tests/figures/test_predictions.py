import numpy as np
import pytest

from mnist_core.figures import predictions


def test_probabilities_are_ten_bars_the_likeliest_strong():
    figure = predictions.probabilities([0.05] * 7 + [0.6] + [0.025] * 2)
    (bars,) = figure.data
    assert list(bars.x) == [str(digit) for digit in range(10)]
    assert bars.y[7] == 0.6
    assert [digit for digit in range(10) if bars.marker.opacity[digit] == 1] == [7]


def scatters(matrix):
    """The scatters over a confusion matrix by their mode."""
    return {trace.mode: trace for trace in predictions.confusion(matrix).data if trace.type == "scatter"}


def confusion_of(kind):
    rng = np.random.default_rng(0)
    return {
        "usual": rng.integers(0, 20, (10, 10)) + np.diag(rng.integers(900, 1_100, 10)),
        "empty": np.zeros((10, 10), np.int64),
        "perfect": np.diag(np.arange(980, 990)),
        "one error": np.diag(np.arange(980, 990)) + np.eye(10, k=3, dtype=np.int64),
    }[kind]


KINDS = ["usual", "empty", "perfect", "one error"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_cells_that_can_be_clicked_are_those_of_the_flattened_matrix(kind):
    matrix = confusion_of(kind)
    cells = scatters(matrix)["markers"]
    assert list(cells.customdata) == list(matrix.ravel())
    assert [(int(y), int(x)) for y, x in zip(cells.y, cells.x, strict=True)] == list(np.ndindex(10, 10))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_read_right_has_no_colour(kind):
    matrix = confusion_of(kind)
    (heat,) = [trace for trace in predictions.confusion(matrix).data if trace.type == "heatmap"]
    shown = np.array(heat.z, float)
    errors = ~np.eye(10, dtype=bool)
    assert np.isnan(shown.diagonal()).all()
    assert np.array_equal(shown[errors], matrix[errors])
    assert heat.zmin == 0
    assert heat.zmax == max(1, matrix[errors].max())


@pytest.mark.parametrize("kind", KINDS)
def test_every_count_but_zero_is_written_in_its_cell(kind):
    matrix = confusion_of(kind)
    counts = scatters(matrix)["text"]
    assert [(int(y), int(x)) for y, x in zip(counts.y, counts.x, strict=True)] == list(np.ndindex(10, 10))
    assert [int(text.replace(",", "") or 0) for text in counts.text] == list(matrix.ravel())


def test_true_digits_run_downwards():
    figure = predictions.confusion(confusion_of("usual"))
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.title.text == "true digit"
    assert figure.layout.xaxis.title.text == "read as"
