// Shows HTML and changes it in place: only nodes that differ are touched.
//
// What its elements can ask for:
//   <a href="?…" data-view>          another view of this page, without loading it anew
//   <a href="#id">                   another place of this page, whichever fragment it stands in
//   <form data-view>                 the same, whenever one of its fields changes; empty fields are left out
//   <… data-post="/door">            a change by one of the server's doors (also data-method, data-body: JSON,
//                                    data-confirm: what to ask first, data-then: where to go, "/run?run_id={run_id}",
//                                    data-prompt: what text to ask for, which stands for {answer} in the door,
//                                    data-answer: what to suggest)
//   <form data-send="/door">         the same with its fields as JSON; empty ones are left out, those with
//                                    data-list are lists, those of type=number numbers, ticks true or false
//   <button data-copy="text">        into the clipboard; with data-address as a whole address
//   <time datetime="…Z">             shown in the viewer's zone, with UTC on hover

function parse(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  for (const time of template.content.querySelectorAll("time[datetime]")) localise(time)
  return template.content
}

const FULL = new Intl.DateTimeFormat("sv-SE", {dateStyle: "short", timeStyle: "medium"}) // 2026-11-21 20:00:00

function localise(time) {
  const moment = new Date(time.getAttribute("datetime"))
  if (isNaN(moment)) return
  time.title = moment.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC")
  time.textContent = FULL.format(moment)
}

// --- in place ---

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "")
}

const BY_USER = new Set(["open"]) // what is folded out stays so

function copyAttributes(from, to) {
  for (const {name} of [...to.attributes]) {
    if (!from.hasAttribute(name) && !BY_USER.has(name)) to.removeAttribute(name)
  }
  for (const {name, value} of from.attributes) {
    if (to.getAttribute(name) !== value && !BY_USER.has(name)) to.setAttribute(name, value)
  }
}

// a field shows what the page says, unless somebody is typing into it
function copyField(from, to) {
  if (to === to.getRootNode().activeElement && to.type !== "checkbox") return
  if (to.closest("form[data-send]")) return // what is filled in is nobody's but who fills it in
  if (to instanceof HTMLSelectElement || to instanceof HTMLTextAreaElement || to instanceof HTMLInputElement) {
    if (to.type === "checkbox" || to.type === "radio") to.checked = from.checked
    else if (to.type !== "file" && to.value !== from.value) to.value = from.value
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
      copyField(node, present)
    }
  })
  while (to.childNodes.length > wanted.length) to.lastChild.remove()
}

// --- asking ---

function ask(name, detail) {
  document.dispatchEvent(new CustomEvent(name, {detail}))
}

function queryOf(form) {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "")
  return `?${new URLSearchParams(fields)}`
}

// Null where somebody was asked and does not want to.
function doorOf({post, confirm: question, prompt: request, answer}) {
  if (question && !window.confirm(question)) return null
  if (!request) return post
  const said = window.prompt(request, answer ?? "")?.trim()
  return said ? post.replace("{answer}", encodeURIComponent(said)) : null
}

function post(element) {
  const door = doorOf(element.dataset)
  if (door !== null) send(element, element, door, element.dataset.body)
}

function valueOf({type, value, checked, dataset}) {
  if (type === "checkbox") return checked
  if (dataset.list !== undefined) return value.split(",").map((one) => one.trim()).filter((one) => one)
  return type === "number" ? Number(value) : value.trim()
}

function jsonOf(form) {
  const filled = [...form.elements].filter((field) => field.name && field.value.trim())
  return JSON.stringify(Object.fromEntries(filled.map((field) => [field.name, valueOf(field)])))
}

async function send(element, button, door, body) {
  const {method, then} = element.dataset
  button.disabled = true
  try {
    const answer = await fetch(door, {
      method: method ?? "POST", body, headers: body ? {"Content-Type": "application/json"} : {},
    })
    const said = await answer.json().catch(() => ({}))
    if (answer.status === 401) window.location.reload() // by the way in, and back here
    else if (!answer.ok) ask("ator:tell", {text: said.message ?? `The server refused this (${answer.status}).`, bad: true})
    else if (then) window.location = then.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(said[name] ?? said.run?.[name]))
    else ask("ator:tell", {text: element.dataset.done ?? "Done.", bad: false})
  } catch {
    ask("ator:tell", {text: "The server cannot be reached. Nothing was changed, as far as is known here.", bad: true})
  } finally {
    button.disabled = false
    ask("ator:changed")
  }
}

async function copy({dataset}) {
  const text = "address" in dataset ? new URL(dataset.copy, window.location).href : dataset.copy
  try {
    await navigator.clipboard.writeText(text)
    ask("ator:tell", {text: "Copied.", bad: false})
  } catch { // browsers lend the clipboard to https and to this machine only
    ask("ator:tell", {text: `The browser does not let this page copy. Here it is: ${text}`, bad: false})
  }
}

function onClick(event) {
  const element = event.target.closest("a[data-view], a[href^='#'], [data-post], [data-copy]")
  if (!element) return
  if (element.matches("a")) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return // a tab of its own
    event.preventDefault()
    const target = element.getAttribute("href")
    if (target.startsWith("#")) ask("ator:go", {place: target})
    else ask("ator:view", {query: target})
  } else if (element.dataset.copy !== undefined) copy(element)
  else post(element)
}

const PAUSE_MS = 250
let typing
let typedInto = null

// While somebody types, each pause is looked at; all of them are one entry of the history.
function onField(event) {
  const form = event.target.closest("form[data-view]")
  if (!form) return
  clearTimeout(typing)
  const isTyped = event.type === "input" && !event.target.matches("select, [type=checkbox], [type=radio], [type=date]")
  const look = () => {
    const own = [...form.elements].filter(({type}) => type !== "hidden").map(({name}) => name)
    ask("ator:view", {query: queryOf(form), own, replace: isTyped && typedInto === event.target})
    typedInto = isTyped ? event.target : null
  }
  if (isTyped) typing = setTimeout(look, PAUSE_MS)
  else if (event.type !== "input") look()
}

export function render({model}) {
  const root = document.createElement("div")
  root.className = "fragment"
  root.append(parse(model.html))
  model.on("html", () => patch(root, parse(model.html)))
  root.addEventListener("click", onClick)
  document.addEventListener("ator:go", ({detail}) => root.querySelector(detail.place)?.scrollIntoView({behavior: "smooth"}))
  root.addEventListener("input", onField)
  root.addEventListener("change", onField)
  root.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-view]")) {
      event.preventDefault()
      onField({type: "change", target: event.target})
    } else if (event.target.matches("form[data-send]")) {
      event.preventDefault()
      send(event.target, event.submitter ?? {}, event.target.dataset.send, jsonOf(event.target))
    }
  })
  return root
}
