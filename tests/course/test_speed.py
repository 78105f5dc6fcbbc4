from mnist_core import dataset, device
from mnist_core.config import TrainConfig
from mnist_core.course import speed


def test_every_device_is_measured_and_progress_grows():
    found = list(speed.measure(TrainConfig(data="sample"), dataset.load_test("sample"), seconds=0.01))
    shares = [share for share, _ in found]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    last = found[-1][1]
    assert [one.device for one in last] == [device.describe(device.pick(name)) for name in device.available()]
    assert all(one.multiply_adds_per_s > 0 and one.images_per_s > 0 for one in last)
