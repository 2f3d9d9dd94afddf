// Tells whatever can be seen on a page and stands out too little from its ground: texts, and the edges of fields.
// Exempt are, as WCAG has it, what is disabled; drawings are looked at by people.
({leastOfText, leastOfEdge}) => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true})
  const colours = new Map()
  const colour = (text) => {
    if (!colours.has(text)) {
      pen.clearRect(0, 0, 1, 1)
      pen.fillStyle = text
      pen.fillRect(0, 0, 1, 1)
      const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data
      colours.set(text, {rgb: [red, green, blue], alpha: alpha / 255})
    }
    return colours.get(text)
  }
  const over = ({rgb, alpha}, under) => rgb.map((value, i) => value * alpha + under[i] * (1 - alpha))
  const above = (node) => node.parentElement ?? node.getRootNode().host
  const groundOf = (element) => {
    if (!element) return [255, 255, 255]
    const own = colour(getComputedStyle(element).backgroundColor)
    return own.alpha === 1 ? own.rgb : over(own, groundOf(above(element)))
  }
  const light = (rgb) => {
    const [red, green, blue] = rgb.map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const contrast = (one, other) => {
    const [less, more] = [light(one), light(other)].sort((a, b) => a - b)
    return (more + 0.05) / (less + 0.05)
  }
  const tooPale = []
  const look = (element, what, text, ground, least) => {
    const found = contrast(over(colour(text), ground), ground)
    if (found < least) tooPale.push(`${what} in ${element.className || element.tagName}: ${found.toFixed(2)}`)
  }
  const isLarge = ({fontSize, fontWeight}) => parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24)
  const wordsOf = ({childNodes}) =>
    [...childNodes].filter(({nodeType}) => nodeType === Node.TEXT_NODE).map(({data}) => data.trim()).join(" ").trim()
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot)
      if (element.closest("svg, script, style, .unseen, :disabled, [aria-disabled=true]")) continue
      if (!element.checkVisibility({visibilityProperty: true})) continue
      const style = getComputedStyle(element)
      const least = isLarge(style) ? leastOfEdge : leastOfText
      const words = wordsOf(element)
      if (words) look(element, words.slice(0, 30), style.color, groundOf(element), least)
      if (element.matches("input:not([type=checkbox], [type=radio], [type=file]), select, textarea")) {
        look(element, `edge of ${element.name}`, style.borderTopColor, groundOf(above(element)), leastOfEdge)
      }
    }
  }
  visit(document)
  return tooPale
}
