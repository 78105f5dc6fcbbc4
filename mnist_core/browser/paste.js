// A Streamlit component: an image that is pasted anywhere on the page goes into its file uploader.

const INPUT = '[data-testid="stFileUploader"] input[type="file"]'

const listening = new WeakMap()

export default ({ parentElement }) => {
  if (listening.has(parentElement)) return // called again, for a change of the theme
  const paste = (event) => {
    const image = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"))
    const input = document.querySelector(INPUT)
    if (!image || !input) return
    event.preventDefault()
    const taken = new DataTransfer()
    taken.items.add(image)
    input.files = taken.files
    input.dispatchEvent(new Event("change", { bubbles: true }))
  }
  document.addEventListener("paste", paste)
  listening.set(parentElement, paste)
  return () => {
    document.removeEventListener("paste", paste)
    listening.delete(parentElement)
  }
}
