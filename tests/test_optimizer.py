import subprocess
import sys

import pytest
import torch

from mnist_core.config import TrainConfig
from mnist_core.optimizer import Optimizer

THEIRS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, weight_decay=0.01),
    "momentum": lambda parameters: torch.optim.SGD(parameters, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, weight_decay=0.01),
}


@pytest.mark.parametrize("name", THEIRS)
def test_each_takes_the_steps_of_torchs_own(name):
    torch.manual_seed(0)
    ours = [torch.randn(4, 3, requires_grad=True), torch.randn(5, requires_grad=True)]
    theirs = [value.detach().clone().requires_grad_() for value in ours]
    optimizer = Optimizer(TrainConfig(optimizer=name, weight_decay=0.01), ours)
    other = THEIRS[name](theirs)
    assert optimizer.slots == {}
    for lr in (0.1, 0.05, 0.01, 0.2):
        for one, its in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            its.grad = one.grad.clone()
        optimizer.step(lr)
        other.param_groups[0]["lr"] = lr
        other.step()
        for one, its in zip(ours, theirs, strict=True):
            assert torch.allclose(one, its, atol=1e-6)
    kept = other.state_dict()["state"]
    for number, slots in optimizer.slots.items():
        assert set(slots) == set(optimizer.slot_names)
        for slot, value in slots.items():
            assert torch.allclose(value, kept[number][slot], atol=1e-6)


def test_a_training_s_first_step_does_not_wait_for_torchs_compiler():
    """Which takes two seconds to import."""
    script = "import sys; from mnist_core import trainer; trainer.warm_up(); print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
