import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_core import drawing
from mnist_core.errors import DatasetError
from mnist_core.reading import labelled_images


def bar(background=255, ink=30):
    image = Image.new("L", (90, 90), background)
    ImageDraw.Draw(image).line([(45, 20), (45, 70)], fill=ink, width=8)
    return image


@pytest.fixture
def folder(tmp_path):
    for digit in ("1", "4"):
        (tmp_path / "mine" / digit).mkdir(parents=True)
    bar().save(tmp_path / "mine" / "1" / "a.png")
    bar(0, 255).save(tmp_path / "mine" / "1" / "b.png")
    Image.new("L", (40, 40), 250).save(tmp_path / "mine" / "4" / "blank.png")
    (tmp_path / "mine" / "4" / "note.txt").write_text("a four")
    return tmp_path / "mine"


def test_images_are_as_a_photo_is_read_and_what_holds_no_digit_is_wrong_whatever_is_read(folder):
    loaded = labelled_images.load(folder)
    assert loaded.name == "mine"
    assert loaded.labels.tolist() == [1, 1, 4, 4]
    assert loaded.found.tolist() == [True, True, False, False]
    assert np.array_equal(loaded.images[0], drawing.follow_photo(bar()).image)
    assert not loaded.images[2:].any()
    assert loaded.right(np.array([1, 7, 4, 4])) == 1


def test_a_folder_without_images_is_a_sentence(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DatasetError, match="holds no images in folders 0 to 9, such as"):
            labelled_images.load(folder)
