// Keeps the address and the page's state the same.
// Fragments ask for another view by "ator:view", and say that a door has changed something by "ator:changed".

// The order of its fields makes no other view, and no entry of the history.
const fields = (query) => JSON.stringify([...new URLSearchParams(query)].sort())
const isAlike = (one, other) => fields(one) === fields(other)

// What is asked for in a view that may not be the latest any more; `own` are fields that are as they should be.
function merged(asked, shown, latest, own) {
  const [to, from, query] = [asked, shown, latest].map((text) => new URLSearchParams(text))
  for (const name of new Set([...own, ...to.keys(), ...from.keys()])) {
    const values = to.getAll(name)
    if (!own.includes(name) && values.join("\n") === from.getAll(name).join("\n")) continue
    query.delete(name)
    values.forEach((value) => query.append(name, value))
  }
  return `?${query}`
}

export function render({model}) {
  const place = () => window.location.search || "?"
  const tell = () => { if (model.query !== place()) model.query = place() }
  document.addEventListener("ator:view", ({detail}) => {
    const query = merged(detail.query, model.shown, place(), detail.own ?? [])
    if (isAlike(query, place())) return
    const how = detail.replace ? "replaceState" : "pushState"
    window.history[how](null, "", query === "?" ? window.location.pathname : query)
    tell()
  })
  document.addEventListener("ator:changed", () => { model.changes += 1 })
  window.addEventListener("popstate", tell)
  model.on("query", () => {
    if (!isAlike(model.query, place())) window.history.pushState(null, "", model.query)
  })
  return document.createElement("div")
}
