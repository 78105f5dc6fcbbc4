import pytest
from PIL import Image

from mnist_core.augmentation import augment, contact_sheet, digit_variants, non_digits
from mnist_core.errors import DatasetError


def test_every_form_part_and_background_has_its_row(small, tmp_path):
    contact_sheet.save(small, tmp_path / "sheet.png")
    rows = 2 + len(digit_variants.FORMS) + len(augment.PARTS) + len(non_digits.SHARES)
    cell = contact_sheet.CELL * contact_sheet.ENLARGED
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (contact_sheet.COLUMNS * cell, rows * (cell + contact_sheet.TITLE))
        assert sheet.getextrema() == (0, 255)


@pytest.mark.parametrize("name", ["none/sheet.png", "sheet.doc"])
def test_a_sheet_that_cannot_be_written_is_said(small, tmp_path, name):
    with pytest.raises(DatasetError, match="cannot be written"):
        contact_sheet.save(small, tmp_path / name)
