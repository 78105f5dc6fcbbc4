import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mnist_core import calibration


def made(temperature, count=20_000):
    """Logits, and labels that follow from their softmax at that temperature."""
    torch.manual_seed(0)
    logits = torch.randn(count, 10) * 4
    return logits, torch.multinomial((logits / temperature).softmax(1), 1)[:, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    assert calibration.temperature(*made(temperature)) == pytest.approx(temperature, rel=0.04)


def test_no_other_temperature_does_better():
    logits, labels = made(2.0)
    found = calibration.temperature(logits, labels)
    losses = [F.cross_entropy(logits / t, labels).item() for t in (found, found * 0.95, found * 1.05)]
    assert losses[0] == min(losses)


def test_a_network_that_is_always_right_has_a_temperature():
    logits = F.one_hot(torch.arange(10)).float() * 9
    assert 1 / calibration.HOTTEST <= calibration.temperature(logits, torch.arange(10)) < 0.5


def test_the_calibration_error_by_hand():
    # two answers at 0.9, one of them wrong; two at 0.6, both right: (2 * |0.5 - 0.9| + 2 * |1 - 0.6|) / 4
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    assert calibration.calibration_error(probabilities, np.array([0, 1, 0, 1])) == pytest.approx(0.4)


def test_calibrated_probabilities_have_little_error():
    logits, labels = made(3.0)
    raw, calibrated = (
        calibration.calibration_error((logits / t).softmax(1).numpy(), labels.numpy()) for t in (1.0, 3.0)
    )
    assert calibrated < 0.01 < raw


def test_certain_answers_fall_into_the_last_bin():
    assert calibration.calibration_error(np.eye(10), np.arange(10)) == 0


def test_the_score_is_the_log_of_the_odds_against_no_digit():
    logits = torch.randn(5, 10)
    with_background = F.pad(logits, (0, 1)).softmax(1)[:, 10]
    assert calibration.digit_score(logits).numpy() == pytest.approx(
        torch.log(1 / with_background - 1).numpy(), abs=1e-5
    )


def test_the_threshold_accepts_its_share():
    logits, labels = made(1.0)
    found = calibration.calibrate(logits, labels, logits)
    accepted = (calibration.digit_score(logits) >= found.threshold).float().mean().item()
    assert accepted == pytest.approx(calibration.ACCEPTED, abs=1e-3)
