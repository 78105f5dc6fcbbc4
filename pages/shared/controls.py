"""A control for each field of TrainConfig, made from the field's rule, and the link that holds what they are set to."""

import contextlib
import dataclasses
import urllib.parse
from typing import Any

import streamlit as st

from mnist_core import mnist_files
from mnist_core.config import DEFAULTS, ITEM_TYPES, RULES, TrainConfig, is_list, label_of
from mnist_core.errors import LONGEST, ConfigError
from mnist_core.lesson import Lesson
from mnist_core.model import HYPERPARAMETERS, NETWORKS
from mnist_core.presets import PRESETS
from mnist_core.text import shorten, whole_number
from pages.shared import address
from pages.shared.markdown import plain

GROUPS = {"network": "Network", "optimizer": "Optimizer", "data": "Data", "own": "Own digits"}
PLACEHOLDERS = {
    "validation_size": "one in six",
    "epoch_images": "all",
    "digits": "none",
    "judged_by": "a part of those",
    "start_from": "random weights",
}
OTHERS = ("run",)  # words in the address that are no hyperparameters
FIRST = ("model", "hidden", "width", "lr", "epochs", "data")  # the others are behind "More"


def config_controls() -> TrainConfig | None:
    """The controls of all fields; the config they are set to, or None, with a message, if it cannot be.

    A few stand first, the others behind "More", by group.

    The page's address says what they are set to, and sets them when it is opened; as a lesson, it locks or hides some.
    """
    _follow_link()
    problems = st.container()
    locked, hidden = st.session_state["link-locked"], st.session_state["link-hidden"]
    if locked or hidden:
        _say_lesson()
    else:
        _offer_presets()
    values: dict[str, Any] = {}
    messages = {}  # where a field's problem is said

    def add(name: str) -> None:
        # a network's hyperparameters come behind `model`, so that its value is known here
        if name in HYPERPARAMETERS and name not in NETWORKS[values["model"]].hyperparameters:
            return
        if name in hidden:
            values[name] = _hidden_value(name)
        else:
            values[name] = _control(name, disabled=name in locked)
            messages[name] = st.container()

    for name in FIRST:
        add(name)
    set_in_more = st.container()
    with st.expander("More", expanded=st.session_state.get("train-more-open", False), key="train-more"):
        for group, title in GROUPS.items():
            names = [name for name, rule in RULES.items() if rule.group == group and name not in FIRST]
            if not set(names) <= set(hidden):
                st.subheader(title, divider="gray")
            for name in names:
                add(name)
    try:
        config = TrainConfig.from_dict(values)
    except ConfigError as error:
        if error.field in messages and error.field not in FIRST and not st.session_state.get("train-more-open"):
            st.session_state["train-more-open"] = True
            st.rerun()  # so that it is seen
        messages.get(error.field, st).error(str(error))
        return None
    with set_in_more:
        _say_set(config, [name for name in config.fields if name not in (*FIRST, *hidden)])
    _set_link(Lesson(config, locked, hidden))
    _offer_lesson(config)
    if st.session_state["link-problems"]:
        found = shorten(" ".join(st.session_state["link-problems"]), LONGEST)
        problems.warning(f"The link holds what cannot be used; the default stands in for it. {found}")
    return config


def _say_set(config: TrainConfig, names: list[str]) -> None:
    """Which of the fields are not at their default, for those who do not see their controls."""
    shown = {label_of(name): _as_shown(name, value) for name, value in config.to_dict().items() if name in names}
    usual = {label_of(name): _as_shown(name, DEFAULTS[name]) for name in names}
    others = [f"{label} {value}" for label, value in shown.items() if value != usual[label]]
    if others:
        st.caption(plain(f"Set in More: {', '.join(others)}."))


def _offer_presets() -> None:
    preset = st.selectbox(
        "Start from",
        list(PRESETS),
        index=None,
        placeholder="an experiment",
        key="preset",
        on_change=_apply_preset,
        help="Sets all controls; change what you like then.",
        persist_state="session",
    )
    if preset:
        st.caption(PRESETS[preset].reason)


def _say_lesson() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="lesson"):
        st.caption(":material/school: A lesson: some hyperparameters are set for you.")
        st.button("Show all", key="lesson-leave", type="tertiary", on_click=_leave_lesson)


def _leave_lesson() -> None:
    st.session_state["link-locked"] = st.session_state["link-hidden"] = ()


def _offer_lesson(config: TrainConfig) -> None:
    """A link to this config that locks or hides some controls, to be given to others."""
    with st.popover("Make a lesson", key="make-lesson", icon=":material/school:", type="tertiary"):
        st.caption("A link that opens Train like this, with some controls locked or hidden:")
        names = list(RULES)
        hidden = st.multiselect("Hide", names, key="lesson-hide")
        locked = st.multiselect("Lock", [name for name in names if name not in hidden], key="lesson-lock")
        words = urllib.parse.urlencode(Lesson(config, tuple(locked), tuple(hidden)).to_query(), safe=",")
        page = (st.context.url or "").split("?")[0]
        st.code(f"{page}?{words}", language=None, wrap_lines=True)


def _hidden_value(name: str) -> Any:
    """What the field is set to, though its control is not shown."""
    key = f"config-{name}"
    shown = st.session_state.setdefault(key, _as_shown(name, DEFAULTS[name]))
    st.session_state[key] = shown  # or it would be forgotten, as what has no control is
    return _items(shown) if is_list(name) else shown


def _control(name: str, disabled: bool) -> Any:
    """The control of a field, which takes its value from the session's state; the value it is set to."""
    rule = RULES[name]
    label = label_of(name) + (f" ({rule.unit})" if rule.unit else "")
    key = f"config-{name}"
    st.session_state.setdefault(key, _as_shown(name, DEFAULTS[name]))
    if rule.choices:
        return st.selectbox(label, rule.choices, key=key, help=rule.help, disabled=disabled, persist_state="session")
    if is_list(name):
        text = _text(name, label, disabled)
        return _items(text)
    kind = ITEM_TYPES[name]
    if kind is str:
        return _text(name, label, disabled).strip()
    return st.number_input(
        label,
        min_value=kind(rule.minimum),
        max_value=kind(rule.maximum),
        value=None if DEFAULTS[name] is None else "min",
        step=None if kind is float else 1,
        format="%g" if kind is float else None,
        placeholder=PLACEHOLDERS.get(name),
        key=key,
        help=rule.help,
        disabled=disabled,
        persist_state="session",
    )


def _text(name: str, label: str, disabled: bool) -> str:
    return st.text_input(
        label,
        key=f"config-{name}",
        help=RULES[name].help,
        placeholder=PLACEHOLDERS.get(name),
        disabled=disabled,
        persist_state="session",
    )


def _items(text: str) -> list[int | str]:
    """The items that the text of a list's control names."""
    items: list[int | str] = list(text.replace(",", " ").split())
    for index, word in enumerate(items):
        with contextlib.suppress(ValueError):  # what is no number is said by the config's check
            items[index] = whole_number(str(word))
    return items


def _follow_link() -> None:
    """Set the controls to what the address says, where that is another link than the one that was set here."""
    words, state = address.to_follow("train", OTHERS), st.session_state
    if words is None:
        return
    lesson, problems = Lesson.from_query(words)
    if lesson.config.data == "mnist" and "data" not in words and mnist_files.missing():
        config = TrainConfig.from_query({**lesson.config.to_query(), "data": "sample"})[0]
        lesson = dataclasses.replace(lesson, config=config)
    _set_controls(lesson.config)
    state["preset"] = None
    state["link-problems"] = problems
    state["link-locked"], state["link-hidden"] = lesson.locked, lesson.hidden
    address.remember("train", lesson.to_query())


def _set_link(lesson: Lesson) -> None:
    words = lesson.to_query()
    if address.remember("train", words):
        st.session_state["link-problems"] = []
    address.put("train", words, OTHERS)


def _apply_preset() -> None:
    if name := st.session_state["preset"]:
        _set_controls(PRESETS[name].config)


def _set_controls(config: TrainConfig) -> None:
    for name, value in config.to_dict().items():
        st.session_state[f"config-{name}"] = _as_shown(name, value)


def _as_shown(name: str, value: Any) -> Any:
    return " ".join(map(str, value)) if is_list(name) else value
