// A Streamlit component: the page's own Clear and Undo act on the canvas in the browser, at once, by the canvas' toolbar.
// Were the canvas changed by the server's answer to them, all that is drawn until then would be lost.
import { findContainer } from "./drawable_canvas.js"

const LOOK_FOR_CANVAS = 100 // milliseconds
const findInToolbar = (title) => findContainer()?.getRootNode().querySelector(`.dc-toolbar button[title^="${title}"]`)

const listening = new WeakMap()

export default ({ parentElement }) => {
  if (listening.has(parentElement)) return // called again, for a change of the theme
  const listener = (event) => {
    const button = event.target.closest?.(".st-key-clear button, .st-key-undo button")
    if (!button) return
    const isUndo = button.closest(".st-key-undo") !== null
    const inToolbar = findInToolbar(isUndo ? "Undo" : "Reset")
    // the server undoes only where the canvas has no stroke of its own
    if (isUndo && inToolbar && !inToolbar.disabled) event.stopPropagation()
    inToolbar?.click()
  }
  document.addEventListener("click", listener, true)
  const timer = setInterval(findContainer, LOOK_FOR_CANVAS) // a canvas that was put up anew gets its look
  listening.set(parentElement, listener)
  return () => {
    document.removeEventListener("click", listener, true)
    clearInterval(timer)
    listening.delete(parentElement)
  }
}
