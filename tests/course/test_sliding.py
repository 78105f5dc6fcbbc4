import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mnist_core import dataset
from mnist_core.course import sliding


@pytest.mark.parametrize("name", sliding.KERNELS)
def test_a_kernel_slides_as_torchs_does(name):
    image = dataset.load_test("sample").images[4].numpy()
    kernel = np.array(sliding.KERNELS[name])
    slid = sliding.slide(image, kernel)
    expected = F.conv2d(torch.tensor(image / 255)[None, None], torch.tensor(kernel, dtype=torch.float64)[None, None])
    assert np.allclose(slid, expected[0, 0].numpy())
    assert slid[3, 17] == pytest.approx((sliding.patch(image, 3, 17) * kernel).sum())


def test_edges_by_hand():
    image = np.zeros((5, 5), np.uint8)
    image[:, 2:] = 255  # blank on the left, ink on the right
    assert (sliding.slide(image, sliding.KERNELS["left edges"]) == [[3, 3, 0]] * 3).all()
    assert (sliding.slide(image, sliding.KERNELS["upper edges"]) == 0).all()
    assert (sliding.slide(image.T, sliding.KERNELS["upper edges"]) == [[3] * 3, [3] * 3, [0] * 3]).all()
    assert sliding.patch(image, 0, 1).tolist() == [[0, 1, 1]] * 3
