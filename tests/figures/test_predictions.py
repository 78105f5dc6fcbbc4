import numpy as np
import pytest

from mnist_core.figures import predictions, style

INK = style.INK["light"]
GROUNDS = {"light": (255, 255, 255), "dark": (18, 23, 29)}


def test_probabilities_are_ten_bars_the_likeliest_strong():
    figure = predictions.probabilities([0.05] * 7 + [0.6] + [0.025] * 2)
    (bars,) = figure.data
    assert list(bars.x) == [str(digit) for digit in range(10)]
    assert bars.y[7] == 0.6
    assert [digit for digit in range(10) if bars.marker.opacity[digit] == 1] == [7]


def scatters(matrix):
    """The scatters over a confusion matrix by their mode."""
    return {trace.mode: trace for trace in predictions.confusion(matrix, INK).data if trace.type == "scatter"}


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
    (heat,) = [trace for trace in predictions.confusion(matrix, INK).data if trace.type == "heatmap"]
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
    figure = predictions.confusion(confusion_of("usual"), INK)
    assert figure.layout.yaxis.range == (9.5, -0.5)
    assert figure.layout.yaxis.title.text == "true digit"
    assert figure.layout.xaxis.title.text == "read as"


@pytest.mark.parametrize(
    ("outlined", "frame"),
    [((4, 9), (8.5, 9.5, 3.5, 4.5)), ((4, None), (-0.5, 9.5, 3.5, 4.5)), ((None, 9), (8.5, 9.5, -0.5, 9.5))],
)
def test_a_cell_a_row_or_a_column_is_outlined(outlined, frame):
    (shape,) = predictions.confusion(confusion_of("usual"), INK, outlined).layout.shapes
    assert (shape.x0, shape.x1, shape.y0, shape.y1) == frame
    assert not predictions.confusion(confusion_of("usual"), INK).layout.shapes


def luminance(color):
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in np.array(color) / 255]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))  # WCAG 2.2, relative luminance


@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("opacity", [0, 0.15, 0.6])
def test_numbers_in_the_cells_have_enough_contrast(theme, opacity):
    assert str(opacity) in "".join(color for _, color in predictions.ERRORS)
    ground = opacity * np.array((230, 97, 0)) + (1 - opacity) * np.array(GROUNDS[theme])
    ink = style.INK[theme]
    bright = sorted((luminance(ground), luminance([int(ink[place : place + 2], 16) for place in (1, 3, 5)])))
    assert (bright[1] + 0.05) / (bright[0] + 0.05) >= 4.5
    counts = scatters(confusion_of("usual"))["text"]
    assert counts.textfont.color == counts.unselected.textfont.color == INK
