"""A control for each field of TrainConfig, made from the field's rule."""

from typing import Any

import streamlit as st

from mnist_core.config import DEFAULTS, ITEM_TYPES, RULES, TrainConfig, is_list
from mnist_core.errors import ConfigError
from mnist_core.model import HYPERPARAMETERS, NETWORKS


def config_controls() -> TrainConfig | None:
    """The controls of all fields, by group; the config they are set to, or None, with a message, if it cannot be."""
    values: dict[str, Any] = {}
    for group in dict.fromkeys(rule.group for rule in RULES.values()):
        st.subheader(group.capitalize(), divider="gray")
        for name in [name for name, rule in RULES.items() if rule.group == group]:
            # a network's hyperparameters come behind `model`, so that its value is known here
            if name not in HYPERPARAMETERS or name in NETWORKS[values["model"]].hyperparameters:
                values[name] = _control(name)
    try:
        return TrainConfig.from_dict(values)
    except ConfigError as error:
        st.error(str(error))
        return None


def _control(name: str) -> Any:
    rule, default = RULES[name], DEFAULTS[name]
    label = name.replace("_", " ").capitalize() + (f" ({rule.unit})" if rule.unit else "")
    key = f"config-{name}"
    if rule.choices:
        return st.selectbox(
            label, rule.choices, rule.choices.index(default), key=key, help=rule.help, persist_state="session"
        )
    if is_list(name):
        text = st.text_input(label, " ".join(map(str, default)), key=key, help=rule.help, persist_state="session")
        words = text.replace(",", " ").split()
        return [int(word) if word.isdecimal() else word for word in words]
    kind = ITEM_TYPES[name]
    return st.number_input(
        label,
        min_value=kind(rule.minimum),
        max_value=kind(rule.maximum),
        value=default,
        step=None if kind is float else 1,
        format="%g" if kind is float else None,
        placeholder="one in six" if default is None else None,
        key=key,
        help=rule.help,
        persist_state="session",
    )
