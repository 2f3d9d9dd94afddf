// Keeps the address and the page's state the same.
// Fragments ask for another view by "ator:view", and say that a door has changed something by "ator:changed".

// The order of its fields makes no other view, and no entry of the history.
const fields = (query) => JSON.stringify([...new URLSearchParams(query)].sort())
const isAlike = (one, other) => fields(one) === fields(other)

export function render({model}) {
  const place = () => window.location.search || "?"
  const tell = () => { if (model.query !== place()) model.query = place() }
  document.addEventListener("ator:view", ({detail}) => {
    if (isAlike(detail.query, place())) return
    const how = detail.replace ? "replaceState" : "pushState"
    window.history[how](null, "", detail.query === "?" ? window.location.pathname : detail.query)
    tell()
  })
  document.addEventListener("ator:changed", () => { model.changes += 1 })
  window.addEventListener("popstate", tell)
  model.on("query", () => {
    if (!isAlike(model.query, place())) window.history.pushState(null, "", model.query)
  })
  return document.createElement("div")
}
