// A Streamlit component: the page's own buttons act on the canvas in the browser, at once, by the canvas' toolbar. Were
// the canvas changed by the server's answer to them, all that is drawn until then would be lost. Their keys on the
// keyboard: Escape clears, Backspace undoes, Enter keeps. Any other button waits until the canvas has sent the last
// stroke: the server would act on it without that.
import { findContainer, CLEARING } from "./drawable_canvas.js"

const KEYS = { Escape: "clear", Backspace: "undo", Enter: "clear-keep" }

const LOOK_FOR_CANVAS = 100 // milliseconds
const AGAIN = 200 // milliseconds that the canvas waits for another stroke before it sends what is drawn
const LONGEST = 3000 // milliseconds that a button waits for that, on a machine that is busy
const findInToolbar = (title) => findContainer()?.getRootNode().querySelector(`.dc-toolbar button[title^="${title}"]`)

const PEN = ["pointerdown", "pointerup", "pointercancel"]
const listening = new WeakMap()

export default ({ parentElement }) => {
  if (listening.has(parentElement)) return // called again, for a change of the theme
  let isDrawing = false
  let isSent = true // what is drawn
  let lifted = -LONGEST // the moment at which the pen was
  const follow = (event) => {
    if (event.type === "pointerdown") isDrawing = event.button === 0 && event.composedPath().includes(findContainer())
    else if (isDrawing) [isDrawing, isSent, lifted] = [false, false, performance.now()]
  }
  const app = document.querySelector('[data-testid="stApp"]')
  const sinceLifted = () => performance.now() - lifted
  // before it has waited, a run of the page is not the canvas' own
  const sending = new MutationObserver(
    () => (isSent ||= sinceLifted() > AGAIN && app.dataset.testScriptState !== "notRunning"),
  )
  sending.observe(app, { attributeFilter: ["data-test-script-state"] })
  const wait = (event) => {
    const button = event.target.closest?.("button, a")
    if (!button || isSent || sinceLifted() > LONGEST || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation()
    setTimeout(() => button.click(), LOOK_FOR_CANVAS / 2)
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
    sending.disconnect()
    for (const type of PEN) document.removeEventListener(type, follow, true)
    document.removeEventListener("click", listener, true)
    document.removeEventListener("keydown", press)
    clearInterval(timer)
    listening.delete(parentElement)
  }
}
