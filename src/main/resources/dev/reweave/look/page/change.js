// Against another model: which layers changed, by how much, and which did not.

function drawChange(data, grid) {
  const {tensors, subject} = data;
  if (subject.against === undefined || tensors.change === undefined) {
    return;
  }
  byId("change").hidden = false;
  const layers = new Map([[null, []], ...grid.layers.map(layer => [layer, []])]);
  grid.kinds.forEach(kind => kind.cells.forEach((indices, layer) => layers.get(layer).push(...indices)));
  if (layers.get(null).length === 0) {
    layers.delete(null);
  }
  const rows = [...layers.entries()].map(([layer, indices]) => {
    const compared = indices.filter(i => tensors.change[i] !== null);
    return {
      layer, indices, compared,
      changed: compared.filter(i => tensors.change[i] !== 0),
      most: compared.length === 0 ? null : measured("change", tensors, compared),
    };
  });
  const compared = rows.reduce((sum, row) => sum + row.compared.length, 0);
  const changed = rows.reduce((sum, row) => sum + row.changed.length, 0);
  const name = row => (row.layer === null ? "none" : String(row.layer));
  const numbers = of => of.filter(row => row.layer !== null).map(row => row.layer);
  const untouched = rows.filter(row => row.compared.length > 0 && row.changed.length === 0);
  const touched = rows.filter(row => row.changed.length > 0);

  byId("change-lead").replaceChildren(...told().map(line => make("span", {}, line)));

  function told() {
    const lines = [`Against ${plain(subject.against)}: ${number(changed)} of ${count(compared, "compared tensor")} changed.`];
    if (changed > 0) {
      lines.push("Changed layers: " + (ranges(numbers(touched)) || "none") + ".");
    }
    if (changed > 0 && numbers(untouched).length > 0) {
      lines.push("Unchanged layers: " + ranges(numbers(untouched)) + ".");
    }
    const kinds = grid.kinds.filter(kind => kind.layered).map(kind => {
      const all = [...kind.cells.values()].flat().filter(i => tensors.change[i] !== null);
      return {kind, all: all.length, changed: all.filter(i => tensors.change[i] !== 0).length};
    }).filter(kind => kind.changed > 0);
    if (kinds.length > 0) {
      lines.push("Changed kinds: " + listed(kinds.map(k => `${k.kind.label} (${number(k.changed)} of ${number(k.all)})`), 12) + ".");
    }
    const outside = rows.find(row => row.layer === null);
    if (outside) {
      const names = of => of.map(i => tensors.name[i]);
      const same = outside.compared.filter(i => tensors.change[i] === 0);
      if (outside.changed.length > 0) {
        lines.push("Outside layers, changed: " + listed(names(outside.changed), 8) + ".");
      }
      if (same.length > 0) {
        lines.push("Outside layers, unchanged: " + listed(names(same), 8) + ".");
      }
    }
    const silent = tensors.name.length - compared;
    if (silent > 0) {
      lines.push(`${count(silent, "tensor")} could not be compared.`);
    }
    return lines;
  }

  const only = [["Only here", data.onlyHere ?? []], ["Only in the other", data.onlyThere ?? []]].filter(([, names]) => names.length > 0);
  byId("only").replaceChildren(...only.map(([text, names]) => make("details", {},
      make("summary", {}, `${text}: ${count(names.length, "tensor")}`),
      make("p", {class: "name"}, listed(names, 200)))));

  const above = touched.map(row => row.most).filter(value => value > 0);
  const least = above.length > 0 ? above.reduce((a, b) => Math.min(a, b)) : 1e-6;
  const most = above.length > 0 ? above.reduce((a, b) => Math.max(a, b)) : 1;
  const floor = 10 ** Math.floor(Math.log10(least) - 0.3);
  const ceiling = 10 ** Math.ceil(Math.log10(most) + 1e-9);
  const line = row => [
    row.layer === null ? "Outside layers" : `Layer ${row.layer}`,
    `largest relative change: ${row.most === 0 ? "none" : number(row.most)}`,
    `${number(row.changed.length)} of ${count(row.compared.length, "tensor")} changed`,
  ];

  new Chart("change", {
    label: "Relative change of each layer",
    height: () => 220,
    marks: () => [
      ...touched.map((row, i) => ({row, key: `0:${i}`, lines: line(row)})),
      ...untouched.map((row, i) => ({row, key: `1:${i}`, lines: line(row)})),
    ].sort((a, b) => rows.indexOf(a.row) - rows.indexOf(b.row)),
    option: colours => ({
      grid: {left: 56, right: 12, top: 26, bottom: 44},
      legend: {
        top: 0, right: 8, itemWidth: 12, itemHeight: 10, textStyle: {color: colours.muted, fontSize: 11}, selectedMode: false,
        data: [{name: "largest change", icon: "rect"}, {name: "unchanged", icon: "circle"}],
      },
      xAxis: axis(colours, {
        type: "category", data: rows.map(name), name: "layer", nameLocation: "middle", nameGap: 26, axisLabel: {hideOverlap: true},
      }),
      yAxis: axis(colours, {
        type: "log", min: floor, max: ceiling, axisLabel: {formatter: value => `10${superscript(Math.round(Math.log10(value)))}`},
      }),
      series: [
        {
          // The library's own bars begin at 1 on an axis of powers, wherever that is.
          type: "custom", name: "largest change", itemStyle: {color: colours.accent}, encode: {x: 0, y: 1},
          data: touched.map(row => [rows.indexOf(row), row.most]),
          renderItem(params, api) {
            const [x, top] = api.coord([api.value(0), api.value(1)]);
            const base = api.coord([api.value(0), floor])[1];
            const breadth = Math.max(1, Math.min(22, api.size([1, 0])[0] * 0.75));
            return {
              type: "rect", shape: {x: x - breadth / 2, y: top, width: breadth, height: base - top, r: [2, 2, 0, 0]},
              style: {fill: colours.accent}, emphasis: {style: {stroke: colours.ink, lineWidth: 2}},
            };
          },
        },
        {
          type: "scatter", name: "unchanged", symbol: "circle", symbolSize: rows.length > 200 ? 4 : 7, symbolOffset: [0, -7],
          itemStyle: {color: colours.surface, borderColor: colours.muted, borderWidth: 1.5},
          data: untouched.map(row => [rows.indexOf(row), floor, row.most]),
          emphasis: {itemStyle: {borderColor: colours.ink, borderWidth: 2.5}},
        },
      ],
    }),
    summary: () => changed === 0
        ? "No layer changed: all bars are missing, all layers have an open circle."
        : `Bars are the largest change of a tensor in the layer, by powers of ten; open circles are layers in which no tensor changed.`,
    table: () => ({
      head: ["Layer", "Largest change", "Changed tensors", "Compared tensors"],
      rows: rows.map(row => [name(row), row.most === 0 ? "unchanged" : number(row.most), number(row.changed.length), number(row.compared.length)]),
    }),
  });
}
