// The heat map: layers along, kinds of weights down, one metric at a time.

const MOST_KINDS = 72;
const MOST_LAYERS = 2000;
const CELL = 18;

/** Kinds in layers first, then names without a layer; of too many, those with most bytes. */
function shownKinds(grid) {
  const most = kinds => [...kinds].sort((a, b) => b.bytes - a.bytes).slice(0, MOST_KINDS);
  const layered = new Set(most(grid.kinds.filter(kind => kind.layered)));
  const others = new Set(most(grid.kinds.filter(kind => !kind.layered)).slice(0, Math.max(12, MOST_KINDS - layered.size)));
  return [...grid.kinds.filter(kind => layered.has(kind)), ...grid.kinds.filter(kind => others.has(kind))];
}

/** How a metric becomes a colour: 0 to 1 along the scale, by powers of ten where all is above zero. */
function scaleOf(metric, values) {
  const above = values.filter(value => value > 0);
  if (above.length === 0) {
    return {lowest: 0, highest: 0, at: () => 0};
  }
  const least = above.reduce((a, b) => Math.min(a, b));
  const highest = above.reduce((a, b) => Math.max(a, b));
  if (metric === "zeros") {
    return {lowest: 0, highest, at: value => value / highest};
  }
  const span = Math.log(highest) - Math.log(least);
  return {lowest: least, highest, at: value => (span === 0 ? 1 : (Math.log(value) - Math.log(least)) / span)};
}

function drawLayers(data, grid, choose, narrow) {
  const {tensors} = data;
  const metrics = Object.keys(METRICS).filter(metric => tensors[metric] !== undefined);
  const lead = byId("layers-lead");
  if (metrics.length === 0) {
    lead.textContent = "Weights were not measured: this report was made from names, types and shapes alone.";
    ["layers-chart", "layers-scale", "layers-metrics"].forEach(id => byId(id).remove());
    return;
  }
  const kinds = shownKinds(grid);
  const layers = grid.layers.slice(0, MOST_LAYERS);
  const outside = kinds.some(kind => !kind.layered);
  const columns = [...(outside ? [null] : []), ...layers];
  const left = grid.kinds.length - kinds.length;
  const beyond = grid.layers.length - layers.length;
  lead.textContent = "A cell is one kind of weight in one layer; cells of several tensors, such as experts, are taken together"
      + " (of their changes, the largest). Names without a number have the column “none”."
      + (left > 0 ? ` ${number(left)} more kinds with fewer bytes are in the table of tensors alone.` : "")
      + (beyond > 0 ? ` ${number(beyond)} more layers as well.` : "");

  let metric = metrics[0];
  let cells = [];
  let scale;

  /** Every cell that has the metric: its column, row, value, and what is in it. */
  function measure() {
    cells = [];
    kinds.forEach((kind, y) => columns.forEach((layer, x) => {
      const indices = kind.cells.get(layer);
      const value = indices ? measured(metric, tensors, indices) : null;
      if (value !== null) {
        cells.push({x, y, value, indices});
      }
    }));
    scale = scaleOf(metric, cells.map(cell => cell.value));
  }

  const shownValue = value => (metric === "zeros" ? share(value, 1) : number(value));
  const layerText = x => (columns[x] === null ? "no layer" : `layer ${columns[x]}`);
  const named = width => Math.min(270, Math.floor(width * 0.4));

  function pick(cell) {
    if (cell.indices.length > 1) {
      narrow(cell.indices, `${kinds[cell.y].label} of ${layerText(cell.x)}`);
    }
    choose(strongest(cell));
  }

  /** Of several tensors, the one that shows most. */
  const strongest = cell => cell.indices.reduce((best, i) => ((tensors[metric][i] ?? -1) > (tensors[metric][best] ?? -1) ? i : best));

  const chart = new Chart("layers", {
    label: "Heat map of layers by kind of weight",
    height: () => kinds.length * CELL + 34,
    marks() {
      measure();
      return cells.map((cell, i) => ({
        key: `0:${i}`,
        lines: [
          kinds[cell.y].label + (columns[cell.x] === null ? "" : `, layer ${columns[cell.x]}`),
          `${METRICS[metric].unit}: ${shownValue(cell.value)}` + (cell.value === 0 ? ` (${METRICS[metric].zero})` : ""),
          ...(cell.indices.length > 1 ? [`${number(cell.indices.length)} tensors`] : []),
        ],
        choose: () => pick(cell),
      }));
    },
    next(key, at) {
      if (at < 0 || key === "Home" || key === "End") {
        return along(at < 0 && key.startsWith("Arrow") ? "Home" : key, at, cells.length);
      }
      const {x, y} = cells[at];
      const best = (of, distance) => {
        let found;
        cells.forEach((cell, i) => {
          if (of(cell) && (found === undefined || distance(cell) < distance(cells[found]))) {
            found = i;
          }
        });
        return found;
      };
      switch (key) {
        case "ArrowRight":
          return best(cell => cell.y === y && cell.x > x, cell => cell.x);
        case "ArrowLeft":
          return best(cell => cell.y === y && cell.x < x, cell => -cell.x);
        case "ArrowDown":
          return best(cell => cell.y > y, cell => 1e6 * cell.y + Math.abs(cell.x - x));
        case "ArrowUp":
          return best(cell => cell.y < y, cell => -1e6 * cell.y + Math.abs(cell.x - x));
        default:
          return undefined;
      }
    },
    option(colours, width) {
      const room = (width - named(width) - 12) / Math.max(1, columns.length);
      const border = {borderColor: colours.surface, borderWidth: room > 5 ? 1 : 0};
      return {
        grid: {left: named(width), right: 12, top: 4, bottom: 30},
        xAxis: axis(colours, {
          type: "category", data: columns.map(layer => (layer === null ? "none" : String(layer))), splitLine: {show: false}, axisLine: {show: false},
          axisLabel: {hideOverlap: true},
        }),
        yAxis: axis(colours, {
          type: "category", inverse: true, data: kinds.map(kind => plain(kind.label)), splitLine: {show: false}, axisLine: {show: false},
          axisLabel: {interval: 0, color: colours.ink, fontFamily: colours.mono, fontSize: 11, formatter: text => shortened(text, named(width) - 12)},
        }),
        visualMap: {show: false, type: "continuous", dimension: 2, min: 0, max: 1, inRange: {color: SCALE}},
        series: [{
          type: "heatmap", progressive: 0,
          data: cells.map(({x, y, value}) => value > 0
              ? {value: [x, y, scale.at(value), value], itemStyle: border}
              : {value: [x, y, 0, value], visualMap: false, itemStyle: {...border, color: colours.none}}),
          emphasis: {itemStyle: {borderColor: colours.ink, borderWidth: 2}},
        }],
      };
    },
    summary() {
      if (cells.length === 0) {
        return `No tensor has this: ${METRICS[metric].unit}.`;
      }
      const zero = cells.filter(cell => cell.value === 0).length;
      const most = cells.reduce((a, b) => (b.value > a.value ? b : a));
      const zeros = zero > 0 ? ` ${zero === cells.length ? "All" : number(zero)} of ${count(cells.length, "cell")}: ${METRICS[metric].zero}.` : "";
      return zero === cells.length ? zeros.trim()
          : `Highest ${METRICS[metric].unit}: ${shownValue(most.value)}, ${plain(kinds[most.y].label)}, ${layerText(most.x)}.${zeros}`;
    },
    table: () => ({
      head: ["Kind", "Layer", METRICS[metric].text, "Tensors"],
      rows: cells.map(cell => [kinds[cell.y].label, columns[cell.x] ?? NONE, shownValue(cell.value), number(cell.indices.length)]),
    }),
  });

  function drawScale() {
    const ramp = make("i", {class: "ramp"});
    ramp.style.setProperty("--ramp", SCALE.join(", "));
    const parts = [];
    if (scale.highest > 0) {
      parts.push(make("span", {class: "ends"}, make("span", {}, shownValue(scale.lowest)), ramp, make("span", {}, shownValue(scale.highest))));
      parts.push(make("span", {}, metric === "zeros" ? "in equal steps" : "in equal factors"));
    }
    if (cells.some(cell => cell.value === 0)) {
      parts.push(make("span", {}, make("i", {class: "swatch none"}), METRICS[metric].zero));
    }
    byId("layers-scale").replaceChildren(...parts);
  }

  choices(byId("layers-metrics"), "metric", metrics.map(m => [m, METRICS[m].text]), metric, chosen => {
    metric = chosen;
    chart.draw();
    drawScale();
  });
  drawScale();
}
