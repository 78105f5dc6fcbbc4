import pytest
import torch

from mnist_core.augmentation import digit_variants


def blank(count=1):
    return torch.zeros(count, 28, 28)


@pytest.mark.parametrize("name", digit_variants.FORMS)
def test_each_form_changes_its_digit_and_stays_an_image(name):
    torch.manual_seed(0)
    images = blank(40)
    images[:, 4:24, 12:16] = 255
    before = images.clone()
    drawn = digit_variants.FORMS[name].draw(images)
    assert torch.equal(images, before)
    assert drawn.shape == images.shape
    assert drawn.isfinite().all()
    assert drawn.min() >= 0
    assert drawn.max() <= 255
    assert all(not torch.equal(one, other) for one, other in zip(drawn, images, strict=True))


def test_a_1_gets_a_flag_on_the_left_of_its_top_and_a_foot_on_both_sides():
    torch.manual_seed(0)
    images = blank(50)
    images[:, 4:24, 13:16] = 255
    flagged = digit_variants.FORMS["flag on 1"].draw(images)
    assert (flagged[:, :16, :12].sum((1, 2)) > 255).all()
    assert torch.equal(flagged[:, :, 18:], images[:, :, 18:])
    assert flagged[:, 20:, :12].max() == 0
    footed = digit_variants.FORMS["foot on 1"].draw(images)
    assert (footed[:, 18:].sum((1, 2)) > images[:, 18:].sum((1, 2))).all()
    assert torch.equal(footed[:, :16], images[:, :16])


def test_only_a_share_of_the_right_digits_gets_a_form(monkeypatch):
    torch.manual_seed(0)
    form = digit_variants.Form(1, 0.3, lambda images: images + 1)
    monkeypatch.setattr(digit_variants, "FORMS", {"one": form})
    labels = torch.tensor([1, 2, 10, 0] * 500)
    drawn = digit_variants.draw_forms(torch.zeros(2000, 28, 28, dtype=torch.uint8), labels)
    changed = drawn[:, 0, 0] == 1
    assert not changed[labels != 1].any()
    assert changed[labels == 1].float().mean().item() == pytest.approx(0.3, abs=0.06)


def test_a_seed_gives_the_same_forms():
    labels = torch.arange(10).repeat(20)
    images = torch.randint(0, 256, (200, 28, 28), dtype=torch.uint8)
    torch.manual_seed(3)
    first = digit_variants.draw_forms(images, labels)
    torch.manual_seed(3)
    assert torch.equal(first, digit_variants.draw_forms(images, labels))
