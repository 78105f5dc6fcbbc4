"""What stands in the address, without a browser."""

import types

import pytest

from pages.shared import address


class Params(dict):
    to_dict = dict.copy

    def from_dict(self, words):
        self.clear()
        self.update(words)


@pytest.fixture
def st(monkeypatch):
    st = types.SimpleNamespace(session_state={}, query_params=Params())
    monkeypatch.setattr(address, "st", st)
    return st


@pytest.fixture
def clock(monkeypatch):
    clock = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(address.time, "monotonic", lambda: clock.now)
    return clock


def test_a_link_is_followed_once(st, clock):
    assert address.to_follow("learn") == {}
    st.query_params["step"] = "3"
    assert address.to_follow("learn") == {"step": "3"}
    address.put("learn", {"step": "3"})
    clock.now += 60
    assert address.to_follow("learn") is None


def test_another_link_is_followed_but_not_the_browsers_last_word(st, clock):
    address.put("learn", {"step": "3"})
    st.query_params.from_dict({"step": "2"})
    clock.now += 1
    assert address.to_follow("learn") is None  # the browser has not taken over step 3 yet
    clock.now += 60
    assert address.to_follow("learn") == {"step": "2"}
    st.query_params.clear()  # the page was left and is opened again
    assert address.to_follow("learn") is None


def test_others_stay_in_the_address_and_are_none_of_the_link(st, clock):
    st.query_params.from_dict({"lr": "0.1", "run": "a"})
    assert address.to_follow("train", ("run",)) == {"lr": "0.1"}
    address.put("train", {"epochs": "3"}, ("run",))
    assert st.query_params == {"epochs": "3", "run": "a"}


def test_what_is_forgotten_is_followed_at_once(st, clock):
    address.put("train", {"lr": "0.1"})
    st.query_params.from_dict({"lr": "0.2"})
    address.forget("train")
    assert address.to_follow("train") == {"lr": "0.2"}


def test_remember_says_whether_the_words_are_new(st, clock):
    assert address.remember("train", {})
    assert not address.remember("train", {})
    assert address.remember("train", {"lr": "0.1"})
