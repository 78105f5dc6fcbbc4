"""The optimizers, by torch's functional forms of them.

torch's classes take the same steps. But when the first of them is made it imports torch's compiler, for two seconds and
only to switch it off (torch 2.14, `torch._compile`): as long as teaching a network a few digits takes.
"""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from mnist_core.config import TrainConfig

MOMENTUM = 0.9
BETAS, EPSILON = (0.9, 0.999), 1e-8  # of AdamW, torch's own
SLOTS = {"sgd": (), "momentum": ("momentum_buffer",), "adamw": ("step", "exp_avg", "exp_avg_sq")}


class Optimizer:
    """SGD, SGD with Nesterov momentum or AdamW (Loshchilov and Hutter, 2019), as the config says.

    `slots` has what is kept of each parameter, by its number and by name: nothing before the first step.
    """

    def __init__(self, config: TrainConfig, parameters: Iterable[Tensor]) -> None:
        self.name, self.weight_decay = config.optimizer, config.weight_decay
        self.parameters = list(parameters)
        self.fused = self.parameters[0].device.type != "mps"  # one pass over the weights instead of many
        self.slots: dict[int, dict[str, Tensor]] = {}

    @property
    def slot_names(self) -> tuple[str, ...]:
        return SLOTS[self.name]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Change the parameters by their gradients, which each of them must have."""
        gradients = [cast(Tensor, parameter.grad) for parameter in self.parameters]
        if self.name == "adamw":
            if not self.slots:
                self.slots = {number: self._first_slots(parameter) for number, parameter in enumerate(self.parameters)}
            adamw(
                self.parameters,
                gradients,
                self._all("exp_avg"),
                self._all("exp_avg_sq"),
                [],
                self._all("step"),
                fused=self.fused,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=lr,
                weight_decay=self.weight_decay,
                eps=EPSILON,
                maximize=False,
            )
            return
        buffers: list[Tensor | None] = [
            self.slots.get(number, {}).get("momentum_buffer") for number in range(len(self.parameters))
        ]
        sgd(
            self.parameters,
            gradients,
            buffers,
            fused=self.fused,
            weight_decay=self.weight_decay,
            momentum=MOMENTUM if self.name == "momentum" else 0.0,
            lr=lr,
            dampening=0.0,
            nesterov=self.name == "momentum",
            maximize=False,
        )
        if self.name == "momentum":
            self.slots = {number: {"momentum_buffer": kept} for number, kept in enumerate(buffers) if kept is not None}

    def _first_slots(self, parameter: Tensor) -> dict[str, Tensor]:
        zeros = [torch.zeros_like(parameter, memory_format=torch.preserve_format) for _ in range(2)]
        return {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": zeros[0],
            "exp_avg_sq": zeros[1],
        }

    def _all(self, slot: str) -> list[Tensor]:
        return [self.slots[number][slot] for number in range(len(self.parameters))]
