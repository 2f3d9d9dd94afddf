// Draws a plotly figure and fits it to its place, whenever that changes.

const config = {displaylogo: false, responsive: false, displayModeBar: "hover", modeBarButtonsToRemove: ["lasso2d", "select2d"]}
const INK = "#000000" // the library's figures draw what is of the whole run in black
const BAND = "#E3EEF6" // the ground of what would not matter in pale blue
const PALE = "#C4C4C4" // and what leads the eye from dot to dot in pale grey

// plotly.js is half of what a page could load, so the first chart asks for it when the page is already read
function plotly(source) {
  window.atorPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = source
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      delete window.atorPlotly // the next chart asks again
      reject(new Error(`${source} cannot be loaded`))
    }
    document.head.append(script)
  })
  return window.atorPlotly
}

// plotly.js writes its rules into the document, from where they do not reach into a component
function ownStyle() {
  const style = document.createElement("style")
  const {cssRules} = document.getElementById("plotly.js-style-global").sheet
  style.textContent = [...cssRules].map((rule) => rule.cssText).join("\n")
  return style
}

// --- colours of the page ---

function paint(root, {data, layout}) {
  const page = getComputedStyle(root)
  const [ink, ground, line, muted] = [page.color, page.backgroundColor, page.borderTopColor, page.outlineColor]
  const own = {[INK]: ink, [BAND]: page.accentColor, [PALE]: page.textDecorationColor}
  const painted = JSON.parse(JSON.stringify({data, layout}), (_, value) => (typeof value === "string" && own[value]) || value)
  Object.assign(painted.layout, {paper_bgcolor: ground, plot_bgcolor: ground})
  painted.layout.font = {...painted.layout.font, color: ink}
  painted.layout.hoverlabel = {...painted.layout.hoverlabel, bgcolor: ground, bordercolor: line, font: {color: ink}}
  for (const axis of axesOf(painted.layout)) {
    Object.assign(axis, {gridcolor: line, linecolor: muted, tickcolor: muted})
  }
  return painted
}

const axesOf = (layout) => Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)).map((key) => layout[key])

// --- times of the viewer: plotly draws dates as they are written, so they are written in the viewer's zone ---

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local time"

const shifted = (text, sign) => {
  const moment = new Date(sign > 0 ? `${text.replace(" ", "T").replace(/Z$|(\.\d{3})\d+$/, "$1")}Z` : text)
  if (isNaN(moment)) return text
  if (sign < 0) return moment.toISOString()
  return new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, -1)
}
export const toViewer = (text) => (typeof text === "string" && TIME.test(text.replace(" ", "T")) ? shifted(text, 1) : text)
const toUtc = (text) => shifted(text.replace(" ", "T"), -1) // a text without a zone is the viewer's

function localise({data, layout}) {
  for (const trace of data) {
    if (Array.isArray(trace.x) && trace.x.some((x) => typeof x === "string" && TIME.test(x))) trace.x = trace.x.map(toViewer)
  }
  for (const shape of layout.shapes ?? []) [shape.x0, shape.x1] = [toViewer(shape.x0), toViewer(shape.x1)]
  for (const note of layout.annotations ?? []) note.x = toViewer(note.x)
  for (const axis of axesOf(layout)) {
    if (axis.range) axis.range = axis.range.map(toViewer)
    if (axis.title?.text) axis.title.text = axis.title.text.replace("(UTC)", `(${zone})`)
  }
}

// --- asking ---

function view(changes) {
  const query = new URLSearchParams(window.location.search)
  for (const [name, value] of Object.entries(changes)) value === null ? query.delete(name) : query.set(name, value)
  document.dispatchEvent(new CustomEvent("ator:view", {detail: {query: `?${query}`}}))
}

function onZoom(event) {
  const from = Object.keys(event).find((key) => /^xaxis\d*\.range\[0\]$/.test(key))
  if (from) view({since: toUtc(event[from]), until: toUtc(event[from.replace("[0]", "[1]")])})
  else if (Object.keys(event).some((key) => /^xaxis\d*\.autorange$/.test(key))) view({since: null, until: null})
}

export function render({model}) {
  const root = document.createElement("div")
  const place = document.createElement("div")
  root.className = "chart"
  root.setAttribute("role", "img")
  root.append(place)
  let figure = null // what is drawn, with what came since
  let isWired = false
  let room = 0 // the width that it is drawn for
  const wire = () => {
    if (isWired) return
    isWired = true
    root.prepend(ownStyle())
    place.on("plotly_relayout", (event) => { if (model.zooms) onZoom(event) })
    place.on("plotly_click", ({points}) => model.send_msg({click: points[0]?.customdata ?? null}))
  }
  const take = () => {
    figure = model.figure ? JSON.parse(model.figure) : null
    if (figure) localise(figure)
  }
  const draw = async () => {
    root.setAttribute("aria-label", model.label)
    room = root.clientWidth
    if (!figure || !room) return
    const drawer = await plotly(model.plotly_js)
    const {data, layout} = paint(root, figure)
    await drawer.react(place, data, {...layout, width: Math.max(room, model.narrowest_px)}, config)
    document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true") // where plotly measures texts
    wire()
  }
  let drawing = Promise.resolve()
  const then = (step) => { drawing = drawing.then(step).catch((error) => console.error(error)) }
  const fit = () => (root.clientWidth === room ? undefined : draw())
  const extend = ({points, most}) => {
    const x = points.x.map((values) => values.map(toViewer))
    figure.data.forEach((trace, i) => {
      trace.x = [...trace.x, ...x[i]].slice(-most)
      trace.y = [...trace.y, ...points.y[i]].slice(-most)
    })
    return isWired ? window.Plotly.extendTraces(place, {x, y: points.y}, x.map((_, i) => i), most) : undefined
  }
  take()
  new ResizeObserver(() => then(fit)).observe(root)
  model.on("figure", () => then(() => { take(); return draw() }))
  document.addEventListener("ator:theme", () => then(draw))
  model.on("msg:custom", (message) => then(() => extend((message.data ?? message).extend)))
  return root
}
