"""A control for each field of TrainConfig, made from the field's rule, and the link that holds what they are set to."""

import time
from typing import Any

import streamlit as st

from mnist_core import mnist_files
from mnist_core.config import DEFAULTS, ITEM_TYPES, RULES, TrainConfig, is_list
from mnist_core.errors import ConfigError
from mnist_core.model import HYPERPARAMETERS, NETWORKS
from mnist_core.presets import PRESETS

GROUPS = ("network", "optimizer", "data")
SETTLED = 3.0  # seconds within which the browser has taken over a change of the address


def config_controls() -> TrainConfig | None:
    """The controls of all fields, by group; the config they are set to, or None, with a message, if it cannot be.

    The page's address says what they are set to, and sets them when it is opened.
    """
    _follow_link()
    problems = st.container()
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
    values: dict[str, Any] = {}
    messages = {}  # where a field's problem is said
    for group in GROUPS:
        st.subheader(group.capitalize(), divider="gray")
        for name in [name for name, rule in RULES.items() if rule.group == group]:
            # a network's hyperparameters come behind `model`, so that its value is known here
            if name not in HYPERPARAMETERS or name in NETWORKS[values["model"]].hyperparameters:
                values[name] = _control(name)
                messages[name] = st.container()
    try:
        config = TrainConfig.from_dict(values)
    except ConfigError as error:
        messages.get(error.field, st).error(str(error))
        return None
    _set_link(config)
    if st.session_state["link-problems"]:
        found = " ".join(st.session_state["link-problems"])
        problems.warning(f"The link holds what cannot be used; the default stands in for it. {found}")
    return config


def _control(name: str) -> Any:
    """The control of a field, which takes its value from the session's state; the value it is set to."""
    rule = RULES[name]
    label = (rule.label or name.replace("_", " ").capitalize()) + (f" ({rule.unit})" if rule.unit else "")
    key = f"config-{name}"
    st.session_state.setdefault(key, _as_shown(name, DEFAULTS[name]))
    if rule.choices:
        return st.selectbox(label, rule.choices, key=key, help=rule.help, persist_state="session")
    if is_list(name):
        text = st.text_input(label, key=key, help=rule.help, persist_state="session")
        words = text.replace(",", " ").split()
        return [int(word) if word.isdecimal() else word for word in words]
    kind = ITEM_TYPES[name]
    return st.number_input(
        label,
        min_value=kind(rule.minimum),
        max_value=kind(rule.maximum),
        value=None if DEFAULTS[name] is None else "min",
        step=None if kind is float else 1,
        format="%g" if kind is float else None,
        placeholder="one in six" if DEFAULTS[name] is None else None,
        key=key,
        help=rule.help,
        persist_state="session",
    )


def _follow_link() -> None:
    """Set the controls to what the address says, where that is another link than the one that was set here."""
    words, state = _link(), st.session_state
    if "link" in state:
        # for a moment the browser may still send the address from before its last change
        follow = words and words != state["link"] and time.monotonic() - state["link-set"] > SETTLED
    else:
        follow = True
    if follow:
        config, problems = TrainConfig.from_query(words)
        if "data" not in words and mnist_files.missing():
            config = TrainConfig.from_query({**config.to_query(), "data": "sample"})[0]
        _set_controls(config)
        state["preset"] = None
        state["link-problems"] = problems
        state["link"], state["link-set"] = config.to_query(), time.monotonic()


def _set_link(config: TrainConfig) -> None:
    words, state = config.to_query(), st.session_state
    if words != state["link"]:
        state["link"], state["link-set"], state["link-problems"] = words, time.monotonic(), []
    if words != _link():
        kept = {"run": st.query_params["run"]} if "run" in st.query_params else {}
        st.query_params.from_dict({**words, **kept})


def _link() -> dict[str, str]:
    return {name: word for name, word in st.query_params.items() if name != "run"}


def _apply_preset() -> None:
    if name := st.session_state["preset"]:
        _set_controls(PRESETS[name].config)


def _set_controls(config: TrainConfig) -> None:
    for name, value in config.to_dict().items():
        st.session_state[f"config-{name}"] = _as_shown(name, value)


def _as_shown(name: str, value: Any) -> Any:
    return " ".join(map(str, value)) if is_list(name) else value
