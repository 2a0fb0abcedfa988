// Parameters by module: a treemap of two levels below the module that is open.

const MOST_TILES = 160;
const MOST_INNER = 40;
const ENOUGH_TILES = 8;
const MOST_OF_ALL = 0.5;

/** The tree of modules, by the dots in names. */
function moduleTree(tensors) {
  const root = {name: "", path: "", parent: null, elements: 0, bytes: 0, tensors: 0, children: new Map(), dtypes: new Map(), tensor: null};
  tensors.name.forEach((name, i) => {
    let node = root;
    add(node, i);
    let path = "";
    for (const part of name.split(".")) {
      path = path === "" ? part : path + "." + part;
      let child = node.children.get(part);
      if (!child) {
        child = {name: part, path, parent: node, elements: 0, bytes: 0, tensors: 0, children: new Map(), dtypes: new Map(), tensor: null};
        node.children.set(part, child);
      }
      node = child;
      add(node, i);
    }
    node.tensor = i;
  });
  return root;

  function add(node, i) {
    node.elements += tensors.elements[i];
    node.bytes += tensors.bytes[i];
    node.tensors++;
    node.dtypes.set(tensors.dtype[i], (node.dtypes.get(tensors.dtype[i]) ?? 0) + tensors.bytes[i]);
  }
}

/** Past modules that hold one other and nothing else. */
function onward(node) {
  let at = node;
  while (at.children.size === 1 && at.tensor === null) {
    at = at.children.values().next().value;
  }
  return at;
}

function drawModules(data, choose) {
  const root = moduleTree(data.tensors);
  let open = root;
  let measure = "elements";
  let tiles = [];

  const value = node => node[measure];
  const said = node => (measure === "elements" ? parameters(node.elements) : bytes(node.bytes));
  const inside = node => [...node.children.values()].map(onward).filter(child => value(child) > 0);

  /** What a tile is called: its own part of the name, and of a number what it numbers. */
  function short(node) {
    const names = node.path.split(".");
    return names.slice(NUMBER.test(names.at(-1)) || node.children.size === 0 ? -2 : -1).join(".");
  }

  /** The parts of the module that is open; in place of one that is nearly all, its own. */
  function outerParts() {
    let all = inside(open);
    for (;;) {
      const largest = all.find(part => part.children.size > 0 && value(part) > MOST_OF_ALL * value(open));
      if (!largest || all.length >= ENOUGH_TILES) {
        return limited(all, open, MOST_TILES);
      }
      all = all.flatMap(part => (part === largest ? inside(part) : [part]));
    }
  }

  const innerParts = node => limited(inside(node), node, MOST_INNER);

  /** The largest of a module's parts, and the others as one. */
  function limited(all, node, most) {
    all.sort((a, b) => value(b) - value(a));
    if (all.length <= most) {
      return all.map(part => ({node: part, key: part.path, text: short(part)}));
    }
    const rest = all.slice(most - 1);
    const others = {
      path: node.path, parent: node, children: new Map(), dtypes: new Map(), tensor: null,
      elements: rest.reduce((sum, part) => sum + part.elements, 0),
      bytes: rest.reduce((sum, part) => sum + part.bytes, 0),
      tensors: rest.reduce((sum, part) => sum + part.tensors, 0),
    };
    rest.forEach(part => part.dtypes.forEach((size, dtype) => others.dtypes.set(dtype, (others.dtypes.get(dtype) ?? 0) + size)));
    return [
      ...all.slice(0, most - 1).map(part => ({node: part, key: part.path, text: short(part)})),
      {node: others, key: node.path + "\u0000others", text: `${number(rest.length)} smaller ones`, others: true},
    ];
  }

  function enter(tile) {
    if (tile.others) {
      return;
    }
    if (tile.node.children.size === 0) {
      choose(tile.node.tensor);
      return;
    }
    openAt(tile.node);
  }

  function openAt(node) {
    open = onward(node);
    chart.draw();
    drawPath();
    say(`${open.path === "" ? "All modules" : plain(open.path)}: ${said(open)}, ${count(tiles.length, "part")}`);
  }

  function drawPath() {
    const steps = [];
    for (let node = open; node !== null; node = node.parent) {
      steps.unshift(node);
    }
    byId("modules-path").replaceChildren(...steps.map((node, i) => {
      const text = node.path === "" ? "all" : plain(node.name);
      return i === steps.length - 1
          ? make("span", {"aria-current": "true"}, text)
          : button(text, () => openAt(node), {class: "link"});
    }));
  }

  const colourOf = (node, colours) => {
    const [dtype] = [...node.dtypes.entries()].reduce((a, b) => (b[1] > a[1] ? b : a), [0, -1]);
    return dtypeColours(data, colours)[dtype];
  };

  const chart = new Chart("modules", {
    label: "Treemap of parameters by module",
    height: width => (width < 500 ? 300 : 380),
    keyOf: params => params.name,
    marks() {
      tiles = outerParts();
      this.outer = tiles.length;
      // The keys go along the outer ones, and into them; the others are for the mouse.
      const inner = tiles.filter(tile => !tile.others).flatMap(tile => innerParts(tile.node).map(part => ({...mark(part, tile.node), choose: () => enter(tile)})));
      return [...tiles.map(tile => mark(tile, open)), ...inner];
    },
    next(key, at) {
      return along(key, Math.min(at, this.outer - 1), this.outer);
    },
    back() {
      if (open.parent !== null) {
        let up = open.parent;
        while (up.parent !== null && up.children.size === 1 && up.tensor === null) {
          up = up.parent;
        }
        openAt(up === open ? root : up);
      }
    },
    option(colours, width) {
      // Where tiles are narrow, what is shown of layers.12 is the number.
      const fitting = text => (width < 700 ? text.replace(/^.*\.(\d+)$/, "$1") : text);
      return {
        series: [{
          type: "treemap", roam: false, nodeClick: false, breadcrumb: {show: false},
          left: 0, right: 0, top: 0, bottom: 0, squareRatio: 1, visibleMin: 0, childrenVisibleMin: 0,
          label: {show: true, color: colours.onSeries, fontSize: 11, overflow: "truncate", formatter: params => params.data.text ?? ""},
          upperLabel: {show: true, height: 20, color: colours.onSeries, fontSize: 12, fontWeight: 600, overflow: "truncate", formatter: params => params.data.text ?? ""},
          itemStyle: {borderWidth: 0, gapWidth: 1, borderColor: colours.surface},
          emphasis: {itemStyle: {borderColor: colours.ink}, label: {color: colours.onSeries}, upperLabel: {show: true, color: colours.onSeries}},
          levels: [
            {itemStyle: {gapWidth: 3, borderColor: colours.surface, borderWidth: 0}, upperLabel: {show: false}},
            {itemStyle: {gapWidth: 1, borderWidth: 2}},
            {itemStyle: {gapWidth: 0, borderWidth: 0}},
          ],
          // Of equal ones the library puts the last first.
          data: [...tiles].reverse().map(tile => {
            const colour = colourOf(tile.node, colours);
            const inner = tile.others ? [] : innerParts(tile.node);
            return {
              name: tile.key, text: fitting(plain(tile.text)), value: value(tile.node),
              itemStyle: {color: colour, borderColor: colour},
              children: [...inner].reverse().map(part => ({
                name: part.key, text: plain(part.text), value: value(part.node),
                itemStyle: {color: colourOf(part.node, colours)},
              })),
            };
          }),
        }],
      };
    },
    summary() {
      const largest = tiles.slice(0, 3).map(tile => `${plain(tile.text)} (${share(value(tile.node), value(open))})`);
      const where = open.path === "" ? "All modules" : plain(open.path);
      return `${where}: ${said(open)} in ${count(open.tensors, "tensor")}. Largest parts: ${largest.join(", ")}.`;
    },
    table: () => ({
      head: ["Module", "Parameters", "Bytes", "Tensors"],
      rows: tiles.map(tile => [tile.text, number(tile.node.elements), bytes(tile.node.bytes), number(tile.node.tensors)]),
    }),
  });

  function mark(tile, above) {
    return {
      key: tile.key,
      lines: [
        tile.others ? tile.text : tile.node.path,
        `${count(tile.node.elements, "parameter")}, ${bytes(tile.node.bytes)}, ${count(tile.node.tensors, "tensor")}`,
        `${share(value(tile.node), value(above))} of ${above.path === "" ? "all" : above.path}`,
      ],
      choose: () => enter(tile),
    };
  }

  choices(byId("modules-measures"), "measure", [["elements", "parameters"], ["bytes", "bytes"]], measure, chosen => {
    measure = chosen;
    chart.draw();
  });
  const drawKeys = () => keys(byId("modules-keys"), dtypesByBytes(data).map(dtype => [dtypeColours(data, palette())[dtype], data.dtypes[dtype]]));
  document.addEventListener("reweave-theme", drawKeys);
  drawKeys();
  openAt(root);
  say("");
}
