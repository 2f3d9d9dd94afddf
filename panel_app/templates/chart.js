// Draws a plotly figure and fits it to its place, whenever that changes.

const config = {displaylogo: false, responsive: false}

export function render({model}) {
  const place = document.createElement("div")
  place.style.width = "100%"
  const draw = async () => {
    if (!model.figure || !place.clientWidth) return
    const {data, layout} = JSON.parse(model.figure)
    await window.Plotly.react(place, data, {...layout, width: place.clientWidth}, config)
  }
  let drawing = Promise.resolve()
  const redraw = () => { drawing = drawing.then(draw) }
  new ResizeObserver(redraw).observe(place)
  model.on("figure", redraw)
  return place
}
