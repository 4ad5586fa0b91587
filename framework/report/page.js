// Draws every chart of the page with plotly.js. What goes wrong is written on the page, and onto the
// root element for whoever tests it.
"use strict";
(() => {
  const root = document.documentElement;
  const fail = (text) => { root.dataset.errors = (root.dataset.errors || "") + text + "\n"; };
  window.addEventListener("error", (event) => fail(event.message));

  const grid = "#e3e6ea", ink = "#1d2733";
  const axis = { gridcolor: grid, linecolor: "#9aa4af", zeroline: false, automargin: true,
                 exponentformat: "e",
                 title: { standoff: 8 } };
  const base = {
    font: { family: "system-ui, sans-serif", size: 13, color: ink },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "#fff",
    margin: { l: 8, r: 12, t: 8, b: 8 }, hovermode: "closest",
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
  };
  const merged = (layout) => ({ ...base, ...layout,
    xaxis: { ...axis, ...layout.xaxis, title: { ...axis.title, ...layout.xaxis.title } },
    yaxis: { ...axis, ...layout.yaxis, title: { ...axis.title, ...layout.yaxis.title } } });
  // Hovering, zooming and a double click back need no buttons above the legend.
  const config = { responsive: true, displayModeBar: false };

  const plots = [...document.querySelectorAll("figure.chart .plot")];
  const draw = async (plot) => {
    const text = plot.parentElement.querySelector(".plot-data").textContent;
    const { data, layout } = JSON.parse(text);
    try {
      await Plotly.newPlot(plot, data, merged(layout), config);
      return 1;
    } catch (error) {
      fail(`${plot.parentElement.id}: ${error}`);
      plot.textContent = "This chart could not be drawn; its numbers stand in the table.";
      return 0;
    }
  };
  Promise.all(plots.map(draw)).then((drawn) => {
    root.dataset.charts = `${drawn.reduce((a, b) => a + b, 0)} of ${plots.length}`;
  });

  // Plotly follows the window; a column may change without it.
  const watcher = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (target.layout) Plotly.Plots.resize(target);
  }));
  plots.forEach((plot) => watcher.observe(plot));

  // Paper is narrower than the screen that the charts were drawn for.
  const fit = (width) => plots.forEach((plot) => {
    if (plot.layout) Plotly.relayout(plot, width ? { width, height: 340, autosize: false }
                                                 : { width: null, height: null, autosize: true });
  });
  window.addEventListener("beforeprint", () => fit(330));
  window.addEventListener("afterprint", () => fit(0));
})();
