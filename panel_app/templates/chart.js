// Draws a plotly figure and fits it to its place, whenever that changes.

const config = {displaylogo: false, responsive: false}

// plotly.js writes its rules into the document, from where they do not reach into a component
function ownStyle() {
  const style = document.createElement("style")
  const {cssRules} = document.getElementById("plotly.js-style-global").sheet
  style.textContent = [...cssRules].map((rule) => rule.cssText).join("\n")
  return style
}

export function render({model}) {
  const root = document.createElement("div")
  const place = document.createElement("div")
  root.style.width = "100%"
  root.append(ownStyle(), place)
  const draw = async () => {
    if (!model.figure || !root.clientWidth) return
    const {data, layout} = JSON.parse(model.figure)
    await window.Plotly.react(place, data, {...layout, width: root.clientWidth}, config)
  }
  let drawing = Promise.resolve()
  const redraw = () => { drawing = drawing.then(draw) }
  new ResizeObserver(redraw).observe(root)
  model.on("figure", redraw)
  return root
}
