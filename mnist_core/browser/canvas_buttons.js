// A Streamlit component: the page's own buttons act on the canvas in the browser, at once, by the canvas' toolbar. Were
// the canvas changed by the server's answer to them, all that is drawn until then would be lost. Their keys on the
// keyboard: Escape clears, Backspace undoes, Enter keeps.
import { findContainer, CLEARING } from "./drawable_canvas.js"

const KEYS = { Escape: "clear", Backspace: "undo", Enter: "clear-keep" }

const LOOK_FOR_CANVAS = 100 // milliseconds
const findInToolbar = (title) => findContainer()?.getRootNode().querySelector(`.dc-toolbar button[title^="${title}"]`)

const listening = new WeakMap()

export default ({ parentElement }) => {
  if (listening.has(parentElement)) return // called again, for a change of the theme
  const listener = (event) => {
    const button = event.target.closest?.(`${CLEARING}, .st-key-undo button`)
    if (!button) return
    const isUndo = button.closest(".st-key-undo") !== null
    const inToolbar = findInToolbar(isUndo ? "Undo" : "Reset")
    // the server undoes only where the canvas has no stroke of its own
    if (isUndo && inToolbar && !inToolbar.disabled) event.stopPropagation()
    inToolbar?.click()
  }
  const press = (event) => {
    const inControl = event.target.closest?.("input, textarea, select, button, a, [contenteditable]")
    if (!KEYS[event.key] || inControl) return
    const button = document.querySelector(`.st-key-${KEYS[event.key]} [data-testid="stButton"] button`)
    if (!button || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    button.click()
  }
  document.addEventListener("click", listener, true)
  document.addEventListener("keydown", press)
  const timer = setInterval(findContainer, LOOK_FOR_CANVAS) // a canvas that was put up anew gets its look
  listening.set(parentElement, listener)
  return () => {
    document.removeEventListener("click", listener, true)
    document.removeEventListener("keydown", press)
    clearInterval(timer)
    listening.delete(parentElement)
  }
}
