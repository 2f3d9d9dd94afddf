(function () {
  "use strict";

  var button = document.getElementById("show-code");
  button.hidden = false;
  button.addEventListener("click", function () {
    var shown = document.body.classList.toggle("with-code");
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? "Hide code" : "Show code";
  });

  // What stands there stays for paper, and for a figure that cannot be drawn.
  function draw(place) {
    var figure = JSON.parse(place.querySelector("script").textContent);
    var drawing = document.createElement("div");
    drawing.className = "report-drawing";
    drawing.style.minWidth = 170 * columnsOf(figure.layout) + "px"; // narrower, they could not be read: it scrolls
    place.prepend(drawing);
    place.classList.add("live");
    if (window.innerWidth < 640) {
      adaptToNarrowScreen(figure.layout);
      wrapTitle(figure.layout, place);
    }
    Plotly.newPlot(drawing, figure).catch(function () {
      place.classList.remove("live");
      drawing.remove();
    });
  }

  function columnsOf(layout) {
    var starts = Object.keys(layout).filter(function (name) { return name.startsWith("xaxis"); })
      .map(function (name) { return (layout[name].domain || [0])[0]; });
    return new Set(starts).size;
  }

  // A legend beside the drawing would leave it no room, and many ticks would be turned and cut.
  function adaptToNarrowScreen(layout) {
    Object.keys(layout).forEach(function (name) {
      if (name.startsWith("xaxis") && !layout[name].tickvals) {
        layout[name] = Object.assign({ nticks: 4, tickangle: 0 }, layout[name]);
      }
    });
    var styled = ((layout.template || {}).layout || {}).legend || {};
    if (((layout.legend || {}).orientation || styled.orientation) !== "h") {
      layout.legend = Object.assign({}, layout.legend, {
        orientation: "h", x: 0, xanchor: "left", y: -0.15, yanchor: "top"
      });
      layout.margin = Object.assign({}, layout.margin, { l: 48, r: 12 });
    }
  }

  // Plotly cuts a title that is wider than the screen. One with markup of its own (ours is escaped) stays as it is.
  function wrapTitle(layout, place) {
    var title = Object.assign({}, layout.title);
    var mostLetters = (place.clientWidth - 24) / 8;
    var before = (title.text || "").split("<br>");
    if (before.join("").includes("<")) {
      return;
    }
    var lines = before.reduce(function (done, line) { return done.concat(wrapped(line, mostLetters)); }, []);
    var more = 20 * (lines.length - before.length); // pixels
    title.text = lines.join("<br>");
    layout.title = title;
    layout.margin = Object.assign({}, layout.margin, { t: ((layout.margin || {}).t || 100) + more });
    if (layout.height) {
      layout.height += more;
      place.style.setProperty("--height", layout.height + "px");
    }
  }

  function wrapped(line, mostLetters) {
    return line.split(" ").reduce(function (lines, word) {
      var longer = lines[lines.length - 1] + " " + word;
      return shown(longer).length > mostLetters ? lines.concat(word) : lines.slice(0, -1).concat(longer.trim());
    }, [""]).filter(Boolean);
  }

  function shown(text) {
    return text.replace(/&\w+;/g, "x");
  }

  document.querySelectorAll(".report-figure").forEach(draw);

  // Paper has another width than the window, and plotly.js does not hear of it (where there is no picture for it).
  ["beforeprint", "afterprint"].forEach(function (moment) {
    window.addEventListener(moment, function () {
      document.querySelectorAll(".report-drawing").forEach(function (drawing) { Plotly.Plots.resize(drawing); });
    });
  });

  // What scrolls sideways must be reachable by keyboard.
  document.querySelectorAll(".jp-RenderedHTML, .jp-RenderedText, .jp-MarkdownOutput, .report-figure").forEach(function (box) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
    }
  });
})();
