import numpy as np
import pytest

from mnist_core.inside import colormap


def test_orange_above_blue_below_and_faint_at_nothing():
    picture = colormap.tinted(np.array([[2.0, 0.0, -2.0, 1.0]]))
    assert picture.shape == (1, 4, 4)
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [230, 97, 0, 255]
    assert picture[0, 1].tolist() == [128, 128, 128, 30]
    assert picture[0, 2].tolist() == [53, 132, 228, 255]
    assert 30 < picture[0, 3, 3] < 255


def test_a_scale_of_ones_own():
    values = np.array([[1.0, 9.0]])
    assert colormap.tinted(values, 1.0)[0, :, 3].tolist() == [255, 255]
    assert colormap.tinted(values)[0, 0, 3] < 100


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.zeros((0, 5))])
def test_nothing_is_faint(values):
    assert colormap.tinted(values).shape == (*values.shape, 4)
    assert (colormap.tinted(values)[..., 3] == 30).all()


def test_ink_is_seen_where_nothing_counts():
    image = np.array([[255, 255, 0]], np.uint8)
    picture = colormap.overlaid(image, np.array([[1.0, 0.0, 0.0]]))
    assert picture[0, 0].tolist() == [230, 97, 0, 255]
    assert picture[0, 1].tolist() == [128, 128, 128, 127]
    assert picture[0, 2].tolist() == [128, 128, 128, 30]


def test_a_sheet_has_each_map_in_its_place():
    maps = np.zeros((5, 2, 3))
    maps[4] = 1
    picture = colormap.sheet(maps, columns=3, times=4)
    gap = 2
    assert picture.shape == (2 * 8 + gap, 3 * 12 + 2 * gap, 4)
    assert (picture[8 + gap :, 12 + gap : 24 + gap] == [230, 97, 0, 255]).all()
    assert not picture[8 : 8 + gap].any()
    assert not picture[8 + gap :, 24 + gap :].any()


def test_maps_share_a_scale():
    maps = np.stack([np.full((1, 1), 1.0), np.full((1, 1), 4.0)])
    assert colormap.sheet(maps, 2)[0, 0, 3] < 255
    assert colormap.sheet(maps[:1], 8).shape == (1, 1, 4)
