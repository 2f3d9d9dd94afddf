// Shows HTML and changes it in place: only nodes that differ are touched.
// A click on an element with data-choose is told to Python.

function parse(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content
}

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "")
}

function copyAttributes(from, to) {
  for (const {name} of [...to.attributes]) {
    if (!from.hasAttribute(name)) to.removeAttribute(name)
  }
  for (const {name, value} of from.attributes) {
    if (to.getAttribute(name) !== value) to.setAttribute(name, value)
  }
}

function patch(to, from) {
  const wanted = [...from.childNodes]
  wanted.forEach((node, i) => {
    const present = to.childNodes[i]
    if (!present) to.appendChild(node)
    else if (!alike(present, node)) to.replaceChild(node, present)
    else if (node.nodeType !== Node.ELEMENT_NODE) {
      if (present.nodeValue !== node.nodeValue) present.nodeValue = node.nodeValue
    } else {
      copyAttributes(node, present)
      patch(present, node)
    }
  })
  while (to.childNodes.length > wanted.length) to.lastChild.remove()
}

export function render({model}) {
  const root = document.createElement("div")
  root.className = "fragment"
  root.append(parse(model.html))
  model.on("html", () => patch(root, parse(model.html)))
  root.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-choose]")
    if (chosen) model.send_msg(chosen.dataset.choose)
  })
  return root
}
