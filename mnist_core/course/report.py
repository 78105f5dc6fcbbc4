"""What a visitor has guessed and measured in the course, to be kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from mnist_core.course.questions import QUESTIONS


@dataclasses.dataclass(frozen=True)
class Finding:
    """An experiment's question, the visitor's guess, "" for none, what was measured, in words, and what is right."""

    question: str
    guess: str
    measured: str
    answer: str

    @property
    def is_right(self) -> bool:
        return self.guess == self.answer


def findings(guesses: Mapping[str, int], measured: Mapping[str, Sequence[float | None]]) -> list[Finding]:
    """What was found in the experiments that were made, in the order of the course."""
    found = []
    for name, question in QUESTIONS.items():
        if values := measured.get(name):
            guess = question.options[guesses[name]] if name in guesses else ""
            answer = question.options[question.answer(values)]
            found.append(Finding(question.words, guess, question.in_words(values), answer))
    return found


def to_markdown(found: Iterable[Finding], digit: str, readings: Mapping[str, str]) -> str:
    """A page to keep, in Markdown. `digit` is what was drawn, `readings` what each network reads in it."""
    lines = ["# What I found out about networks that read digits", ""]
    lines += ["| Question | My guess | Measured |", "| --- | --- | --- |"]
    lines += [f"| {one.question} | {one.guess or '-'} | {one.measured} |" for one in found]
    if readings:
        lines += ["", f"| Network | Reads in {digit} |", "| --- | --- |"]
        lines += [f"| {name} | {words} |" for name, words in readings.items()]
    return "\n".join([*lines, ""])
