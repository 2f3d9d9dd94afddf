// What the frame does by itself: colours, the viewer's zone, messages, and coming back after the server was away.

const root = document.documentElement
const byId = (id) => document.getElementById(id)

// --- light and dark: as the system has it, unless somebody chose ---

const KEY = "ator-theme"
const isDark = () => (root.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark"

function theme(chosen) {
  if (chosen) root.style.colorScheme = chosen
  byId("theme")?.setAttribute("aria-pressed", String(isDark()))
  document.dispatchEvent(new CustomEvent("ator:theme"))
}

try { theme(localStorage.getItem(KEY)) } catch { /* a browser that keeps nothing */ }
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme(null))

document.addEventListener("DOMContentLoaded", () => {
  byId("zone").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local time"
  theme(null)
  byId("theme").addEventListener("click", () => {
    const chosen = isDark() ? "light" : "dark"
    try { localStorage.setItem(KEY, chosen) } catch { /* then until the next page */ }
    theme(chosen)
  })
}, {once: true}) // Panel's loader of modules sends it once more

// --- messages ---

const SHOWN_MS = 8000
let shown

document.addEventListener("ator:tell", ({detail}) => {
  const place = byId("told")
  place.textContent = detail.text
  place.classList.toggle("bad", detail.bad)
  clearTimeout(shown)
  shown = setTimeout(() => { place.textContent = "" }, SHOWN_MS)
})

// --- nothing comes: a page without a word would be worse ---

const NOTHING = "This page waits for its connection to the server. If it stays so, a proxy may block websockets, or the address is too long."
const PATIENCE_MS = 10_000

function look() {
  const place = byId("connection")
  if (!document.querySelector("main [data-root-id]").childElementCount) {
    place.textContent = NOTHING
    setTimeout(look, AGAIN_MS)
  } else if (place.textContent === NOTHING) place.textContent = ""
}
document.addEventListener("DOMContentLoaded", () => setTimeout(look, PATIENCE_MS), {once: true})

// --- the server was away: the address has the whole state, so loading it again is coming back ---

const AGAIN_MS = 1500

document.addEventListener("ator:lost", () => {
  byId("connection").textContent = "Connection lost. Trying again…"
  setTimeout(async function again() {
    try {
      if ((await fetch("/health", {cache: "no-store"})).ok) return window.location.reload()
    } catch { /* not yet */ }
    setTimeout(again, AGAIN_MS)
  }, AGAIN_MS)
}, {once: true})
