// Sends a file to the server's door, tells how far it is, and asks for the view of what came ("?upload=…").
//
// Elements of the HTML, by data-part:
//   place      what a file is dropped on      chooser    the field that opens the browser's dialogue
//   options    the form of how to read it     going      shown while a file is on its way:
//   words, bar, stop                          its name and state, its progress, the button that ends it
//   problem    what is said against it        again      the button that sends the same file once more

const LONGEST_NAME_BYTES = 200 // as the server takes

function nameOf(file) {
  const letters = [...file.name.replace(/[/\\\x00-\x1f\x7f-\x9f]/g, "_")]
  while (new TextEncoder().encode(letters.join("")).length > LONGEST_NAME_BYTES) letters.shift()
  return letters.join("")
}

function sizeOf(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"]
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${(bytes / 1000 ** power).toFixed(power && bytes / 1000 ** power < 99.5 ? 1 : 0)} ${units[power]}`
}

// What the server answered in the place of a preview.
function refusalOf({status, responseText}) {
  try {
    return JSON.parse(responseText).message
  } catch {
    return `The server refused this file (${status}).`
  }
}

const LOST = "The file did not get through: the connection broke off, or the file is larger than the server takes, or it cannot be read any more."
const ONE_ONLY = "Drop one file at a time. Several files of one run go together as a zip archive, results of several runs one after the other."
const NO_FOLDER = "This is a folder. Pack it as a zip archive if its files are of one run."

export function render({model}) {
  const root = document.createElement("div")
  root.className = "fragment"
  root.innerHTML = model.html
  const part = (name) => root.querySelector(`[data-part=${name}]`)
  let request = null
  let file = null

  const show = (words, done) => {
    part("words").textContent = words
    if (done === undefined) part("bar").removeAttribute("value")
    else part("bar").value = done
  }
  const end = (problem) => {
    request = null
    part("going").hidden = true
    part("place").hidden = false
    part("problem").hidden = !problem
    part("problem").querySelector("p").textContent = problem ?? ""
    part("again").hidden = file === null
    if (problem && file) part("options").parentElement.open = true // it may help to say how to read it
    part("chooser").value = "" // the same file again is a change, too
  }
  const door = () => {
    const fields = new FormData(part("options"))
    const said = [...fields].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value)
    return `/uploads?${new URLSearchParams([["file_name", nameOf(file)], ...said])}`
  }
  const answered = ({status, responseText}) => {
    if (status === 401) return window.location.reload() // by the way in, and back here
    if (status !== 200) return end(refusalOf(request))
    end()
    const query = `?upload=${encodeURIComponent(JSON.parse(responseText).upload_id)}`
    document.dispatchEvent(new CustomEvent("ator:view", {detail: {query}}))
  }
  const send = () => {
    end()
    part("going").hidden = false
    part("place").hidden = true
    request = new XMLHttpRequest() // fetch does not tell how far an upload is
    request.open("POST", door())
    request.setRequestHeader("Content-Type", "application/octet-stream")
    const whole = sizeOf(file.size)
    show(`Sending ${file.name}, ${whole}`, 0)
    request.upload.onprogress = ({loaded, total}) => show(`Sending ${file.name}: ${sizeOf(loaded)} of ${whole}`, loaded / total)
    request.upload.onload = () => show(`Reading ${file.name} …`)
    request.onload = () => answered(request)
    request.onerror = () => end(LOST)
    request.onabort = () => end()
    request.send(file)
  }
  const take = (files, isFolder) => {
    if (request !== null || files.length === 0) return
    file = null
    if (files.length > 1) return end(ONE_ONLY)
    if (isFolder) return end(NO_FOLDER)
    file = files[0]
    send()
  }

  const place = part("place")
  const over = (isOver) => (event) => { event.preventDefault(); place.classList.toggle("over", isOver) }
  place.addEventListener("dragenter", over(true))
  place.addEventListener("dragover", over(true))
  place.addEventListener("dragleave", over(false))
  place.addEventListener("drop", (event) => {
    over(false)(event)
    const isFolder = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory)
    take(event.dataTransfer.files, isFolder)
  })
  for (const name of ["dragover", "drop"]) { // a file beside the place would be opened instead of the page
    window.addEventListener(name, (event) => { if (event.dataTransfer.types.includes("Files")) event.preventDefault() })
  }
  part("chooser").addEventListener("change", ({target}) => take(target.files, false))
  part("stop").addEventListener("click", () => request?.abort())
  part("again").addEventListener("click", send)
  part("options").addEventListener("submit", (event) => event.preventDefault())
  return root
}
