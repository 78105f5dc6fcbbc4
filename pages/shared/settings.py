"""A phone's way to what a page has in its sidebar: Streamlit leaves it behind an arrow without words."""

import streamlit as st

KEY = "open-settings"

_opens_sidebar = st.components.v2.component(
    "digit_lab.settings",
    js="""
    const listening = new WeakMap()
    export default ({ parentElement }) => {
      if (listening.has(parentElement)) return // called again, for a change of the theme
      const listener = (event) => {
        if (!event.target.closest?.(".st-key-open-settings button")) return
        event.stopPropagation() // nothing for the server to do
        document.querySelector("[data-testid=stExpandSidebarButton]")?.click()
      }
      document.addEventListener("click", listener, true)
      listening.set(parentElement, listener)
      return () => document.removeEventListener("click", listener, true)
    }
    """,
)


def button() -> None:
    """Opens the sidebar; look.css shows it on narrow screens alone."""
    st.button("Settings", key=KEY, icon=":material/tune:")


def listen() -> None:
    """Have the button answered in the browser. In the sidebar, where it takes no room from other elements."""
    _opens_sidebar(key="settings-listener")
