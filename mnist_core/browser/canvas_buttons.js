// A Streamlit component: the page's own buttons act on the canvas in the browser, at once, by the canvas' toolbar. Were
// the canvas changed by the server's answer to them, all that is drawn until then would be lost. Their keys on the
// keyboard: Escape clears, Backspace undoes, Enter keeps. Any other button waits until the canvas has sent the last
// stroke: the server would act on it without that.
import { findContainer, CLEARING } from "./drawable_canvas.js"

const KEYS = { Escape: "clear", Backspace: "undo", Enter: "clear-keep" }

const LOOK_FOR_CANVAS = 100 // milliseconds
const SENT = 300 // milliseconds after the pen was lifted in which the canvas sends, which waits 200 for another stroke
const findInToolbar = (title) => findContainer()?.getRootNode().querySelector(`.dc-toolbar button[title^="${title}"]`)

const PEN = ["pointerdown", "pointerup", "pointercancel"]
const listening = new WeakMap()

export default ({ parentElement }) => {
  if (listening.has(parentElement)) return // called again, for a change of the theme
  let isDrawing = false
  let lifted = -SENT
  const follow = (event) => {
    if (event.type === "pointerdown") isDrawing = event.composedPath().includes(findContainer())
    else if (isDrawing) lifted = performance.now()
  }
  const wait = (event) => {
    const button = event.target.closest?.("button, a")
    const left = lifted + SENT - performance.now()
    if (!button || left <= 0 || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    event.stopPropagation()
    setTimeout(() => button.click(), left)
  }
  const listener = (event) => {
    const button = event.target.closest?.(`${CLEARING}, .st-key-undo button`)
    if (!button) return wait(event)
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
  for (const type of PEN) document.addEventListener(type, follow, true)
  document.addEventListener("click", listener, true)
  document.addEventListener("keydown", press)
  const timer = setInterval(findContainer, LOOK_FOR_CANVAS) // a canvas that was put up anew gets its look
  listening.set(parentElement, listener)
  return () => {
    for (const type of PEN) document.removeEventListener(type, follow, true)
    document.removeEventListener("click", listener, true)
    document.removeEventListener("keydown", press)
    clearInterval(timer)
    listening.delete(parentElement)
  }
}
