"""Work in the background as a page sees it: begun when it is looked at, with a bar until it is done."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from mnist_core.jobs import Job, Jobs, Work
from pages.shared.runs import is_active

if TYPE_CHECKING:
    from pages.shared.inspected import Subject

T = TypeVar("T")

LOOK = 1.0  # seconds between two looks at what is being worked out


@functools.cache
def get_jobs() -> Jobs:
    return Jobs()


def show(subject: Subject, what: str, work: Work[T], words: str, picture: Callable[[T], None]) -> None:
    """What `work` finds of the subject's model, by `picture`, also while it is only partly there, with a bar and words.

    `what` tells it from all else that is worked out of the model. It is worked out once for all visitors and for each
    state of the weights. Those of a model that is being trained change all the time: there, once for each press of a
    button.
    """
    name, state = subject.state
    trains, pin = is_active(name), f"background-{what}-{name}"
    if trains:
        state = st.session_state.setdefault(pin, state)
    # MNIST may have been fetched meanwhile
    done = follow((what, name, state, len(subject.test)), work, words, picture)
    if trains and done:
        st.button("Again with the newest weights", key=f"again-{what}", on_click=st.session_state.pop, args=(pin, None))


def follow(key: tuple[object, ...], work: Work[T], words: str, picture: Callable[[T], None]) -> bool:
    """What `work` finds, by `picture`, worked out once for each `key`, with a bar and words until then; whether it is
    done.
    """
    job = get_jobs().get(key, work)
    st.fragment(_follow, run_every=None if job.done else LOOK)(key, work, words, picture, job.done)
    return job.done


def _follow(key: tuple[object, ...], work: Work[T], words: str, picture: Callable[[T], None], was_done: bool) -> None:
    job: Job[T] = get_jobs().get(key, work)
    if job.done and not was_done:
        st.rerun()  # so that there is an end to looking
    if job.problem:
        st.error(job.problem)
        if st.button("Try again", key=f"retry-{key[0]}", on_click=get_jobs().forget, args=(key,)):
            st.rerun()
    elif not job.done:
        st.progress(min(1.0, job.progress), text=f"{words}: {job.progress:.0%}")
    if job.result is not None:
        picture(job.result)
