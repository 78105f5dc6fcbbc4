"""What the course has a visitor guess before it is measured, and which guess is right."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Mapping, Sequence

from mnist_core.course.trainings import TRAININGS


@dataclasses.dataclass(frozen=True)
class Question:
    """A question with its `options`, of which what is measured makes one the right one.

    With `limits`, rising, one value is measured, and the options are the ranges between them. Without, there is a value
    for each option and the largest wins; where the two largest differ by less than `margin`, it is the last option,
    which has no value. `form` is how a value is written, once multiplied by `scale`.
    """

    words: str
    options: tuple[str, ...]
    limits: tuple[float, ...] = ()
    margin: float = 0.0
    form: str = "{:.1%}"
    scale: float = 1.0

    def answer(self, values: Sequence[float | None]) -> int:
        """The number of the right option, from 0; None is a value that could not be measured, below all others."""
        known = [float("-inf") if value is None else value for value in values]
        if self.limits:
            return bisect.bisect_right(self.limits, known[0])
        first, second = sorted(known, reverse=True)[:2]
        return len(self.options) - 1 if first - second < self.margin else known.index(first)

    def in_words(self, values: Sequence[float | None]) -> str:
        """What was measured: one value, or one for each option that has one."""
        written = ["diverged" if value is None else self.form.format(self.scale * value) for value in values]
        if self.limits:
            return written[0]
        return ", ".join(f"{option}: {words}" for option, words in zip(self.options, written, strict=False))


def _share_read_right(by: str) -> Question:
    options = ("under 90 %", "90 to 95 %", "95 to 98 %", "over 98 %")
    return Question(f"How many of the test images will {by} read right?", options, (0.9, 0.95, 0.98))


# By the experiment's name. Those that train go by the name of their trainings.
QUESTIONS: Mapping[str, Question] = {
    "linear": _share_read_right("a linear model"),
    "hidden": Question(
        "Which will read more test images right?", ("with ReLU", "without", "about the same"), margin=0.005
    ),
    "loss": Question(
        "What is the loss of a network that has learned nothing?",
        ("near 0", "near 1", "near 2.3", "near 10"),
        (0.5, 1.6, 5.0),
        form="{:.3f}",
    ),
    "descent": Question("Which learning rate wins?", tuple(TRAININGS["descent"])),
    "split": Question(
        "By how much will it read its own images better than others?",
        ("under 2 points", "2 to 5 points", "over 5 points"),
        (0.02, 0.05),
        form="{:.1f} points",
        scale=100,
    ),
    "classic": _share_read_right("the classic"),
    "speed": Question(
        "How many multiply-adds a second can it do?",
        ("under a billion", "1 to 10 billion", "10 to 100 billion", "more"),
        (1e9, 1e10, 1e11),
        form="{:,.1f} billion",
        scale=1e-9,
    ),
    "convolution": _share_read_right("learned kernels"),
}
