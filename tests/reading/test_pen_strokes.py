import numpy as np
import pytest

from mnist_core.errors import DatasetError
from mnist_core.reading import pen_strokes

ONE = np.array([[500, 0], [500, 1000]])
CROSS = [np.array([[0, 0], [1000, 1000]]), np.array([[1000, 0], [0, 1000]])]


def write(path, **changed):
    digits = [[ONE], CROSS, [ONE]]
    lines = [line for digit in digits for line in digit]
    content = {
        "points": np.concatenate(lines).astype(np.int16),
        "stroke_lengths": np.array([len(line) for line in lines]),
        "strokes_per_digit": np.array([len(digit) for digit in digits]),
        "labels": np.array([1, 8, 1]),
        "source": np.array([0, 1, 1]),
        "sources": np.array(["one", "two"]),
    } | changed
    np.savez(path, **{name: value for name, value in content.items() if value is not None})
    return path


def test_drawn_digits_are_as_networks_see_them(tmp_path):
    drawn = pen_strokes.load(write(tmp_path / "pen.npz"))
    assert drawn.images.shape == (3, 28, 28)
    assert drawn.sources.tolist() == ["one", "two", "two"]
    assert sorted(drawn.labels.tolist()) == [1, 1, 8]
    upright = drawn.images[drawn.labels == 1]
    assert (upright.any(2).sum(1) == 20).all()
    assert (upright.any(1).sum(1) < 8).all()
    again = pen_strokes.load(write(tmp_path / "pen.npz"))
    assert np.array_equal(drawn.images, again.images)


def test_a_drawing_lies_on_the_canvas_with_the_pens_width():
    rng = np.random.default_rng(0)
    for pen in pen_strokes.PEN_WIDTHS:
        canvas = pen_strokes.draw([ONE.astype(float)], rng, pen)
        assert canvas.shape == (280, 280)
        across = (canvas > 127).any(0).sum()
        assert across == pytest.approx(pen, abs=2)
        assert canvas[0].max() == canvas[-1].max() == 0 or pen > 20


def test_the_digits_of_a_number_stand_side_by_side_and_do_not_touch(tmp_path):
    for drawn in pen_strokes.load_numbers(write(tmp_path / "pen.npz", labels=np.array([1, 8, 1])), 20):
        assert 2 <= len(drawn.number) <= 6
        assert set(drawn.number) <= {"1", "8"}
        assert len(drawn.image) == pen_strokes.CANVAS
        inked = drawn.image.any(0)
        assert np.diff(inked.astype(int)).tolist().count(1) == len(drawn.number)


def test_the_macro_mean_counts_each_source_once():
    images = np.zeros((4, 28, 28), np.uint8)
    drawn = pen_strokes.DrawnDigits(images, np.array([1, 2, 3, 4]), np.array(["a", "b", "b", "b"]))
    assert drawn.macro_accuracy(np.array([1, 2, 0, 0])) == pytest.approx((1 + 1 / 3) / 2)


@pytest.mark.parametrize(
    "changed", [{"points": None}, {"strokes_per_digit": None}, {"source": np.array([0, 1, 7])}, {"points": np.zeros(7)}]
)
def test_a_file_of_another_form_is_refused(tmp_path, changed):
    with pytest.raises(DatasetError, match="no pen strokes"):
        pen_strokes.load(write(tmp_path / "pen.npz", **changed))


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no pen strokes"):
        pen_strokes.load(tmp_path / "none.npz")
    text = tmp_path / "text.npz"
    text.write_text("text")
    with pytest.raises(DatasetError, match="no pen strokes"):
        pen_strokes.load(text)
