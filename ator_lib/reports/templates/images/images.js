// Draws the figures of a report, each as one still picture, and leaves them in the page as JSON for who reads it.
(async function () {
  "use strict";

  const WIDTH_PX = 900; // a page's column on paper, and enlarged on a screen
  const LONGEST_SVG = 150000; // of more marks than that, a picture made of pixels is the smaller one
  const MOST_CELLS = 5000;
  const STYLES = new Set([
    "clip-path", "dominant-baseline", "fill", "fill-opacity", "fill-rule", "font-family", "font-size", "font-style",
    "font-weight", "image-rendering", "marker-end", "marker-start", "opacity", "paint-order", "stop-color",
    "stop-opacity", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-anchor", "text-decoration", "vector-effect",
    "visibility"
  ]);

  async function imageOf(figure) {
    const size = { width: WIDTH_PX, height: figure.layout.height || 450 };
    const drawn = await Plotly.toImage(figure, { format: "svg", imageDataOnly: true, ...size });
    const svg = new DOMParser().parseFromString(drawn, "image/svg+xml").documentElement;
    [svg, ...svg.querySelectorAll("*")].forEach(strip);
    await Promise.all(Array.from(svg.querySelectorAll("image"), paint));
    const text = new XMLSerializer().serializeToString(svg);
    return text.length <= LONGEST_SVG ? text : Plotly.toImage(figure, { format: "webp", scale: 2, ...size });
  }

  // Leaves nothing that could run or fetch. A strict content security policy forbids style attributes, too:
  // SVG has attributes that say the same.
  function strip(element) {
    if (["script", "foreignObject"].includes(element.localName)) {
      element.remove();
      return;
    }
    Array.from(element.style || []).filter(name => STYLES.has(name)).forEach(name => {
      element.setAttribute(name, element.style.getPropertyValue(name));
    });
    Array.from(element.attributes).forEach(({ name, value }) => {
      const isForeign = name.endsWith("href") && !/^(#|data:image\/)/.test(value);
      if (isForeign || name === "style" || name === "class" || /^(on|data-)/.test(name)) {
        element.removeAttribute(name);
      }
    });
  }

  // Heat maps come as pixels, which such a policy forbids as well: their few cells are drawn as shapes.
  async function paint(image) {
    const pixels = await pixelsOf(image.getAttribute("xlink:href"));
    const shapes = pixels && shapesIn(pixels);
    if (!shapes) {
      return;
    }
    const across = parseFloat(image.getAttribute("width")) / pixels.width;
    const down = parseFloat(image.getAttribute("height")) / pixels.height;
    const group = document.createElementNS(image.namespaceURI, "g");
    const [x, y] = ["x", "y"].map(name => image.getAttribute(name));
    group.setAttribute("transform", `translate(${x},${y}) scale(${across},${down})`);
    shapes.forEach((outlines, colour) => {
      const path = document.createElementNS(image.namespaceURI, "path");
      path.setAttribute("fill", colour);
      path.setAttribute("d", outlines.join(""));
      group.append(path);
    });
    image.replaceWith(group);
  }

  async function pixelsOf(source) {
    const picture = new Image();
    await new Promise((resolve, reject) => Object.assign(picture, { onload: resolve, onerror: reject, src: source }));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  // Colour → outlines of the rectangles that have it; null if they are too many to be cells.
  function shapesIn({ data, width, height }) {
    const colours = new Uint32Array(data.buffer);
    const row = y => colours.subarray(y * width, (y + 1) * width);
    const isSame = (y, z) => row(y).every((colour, x) => colour === row(z)[x]);
    const shapes = new Map();
    let cells = 0;
    for (let top = 0, bottom = 0; top < height; top = bottom) {
      for (bottom = top + 1; bottom < height && isSame(top, bottom); bottom++);
      for (let left = 0, right = 0; left < width; left = right) {
        for (right = left + 1; right < width && row(top)[right] === row(top)[left]; right++);
        const [red, green, blue, alpha] = data.subarray(4 * (top * width + left));
        if (alpha && ++cells > MOST_CELLS) {
          return null;
        }
        const colour = `rgba(${red},${green},${blue},${(alpha / 255).toFixed(2)})`;
        const outline = `M${left},${top}h${right - left}v${bottom - top}h${left - right}z`;
        alpha && shapes.set(colour, [...(shapes.get(colour) || []), outline]);
      }
    }
    return shapes;
  }

  const images = [];
  for (const figure of JSON.parse(document.getElementById("figures").textContent)) {
    images.push(await imageOf(figure).catch(() => null));
  }
  const answer = document.createElement("pre");
  answer.id = "images";
  answer.textContent = JSON.stringify(images);
  document.head.replaceChildren();
  document.body.replaceChildren(answer);
})();
