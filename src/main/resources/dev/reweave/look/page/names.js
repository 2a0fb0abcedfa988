// Layers and kinds of weights, from names: the first number in a name is its layer, the rest its kind.

const NUMBER = /^\d+$/;

/** Where a name belongs: {layer, before, rest}, with no layer where there is no number in it. */
function placeOf(name) {
  const parts = name.split(".");
  const at = parts.findIndex(part => NUMBER.test(part));
  if (at < 0) {
    return {layer: null, before: "", rest: name};
  }
  return {
    layer: Number(parts[at]),
    before: parts.slice(0, at).join("."),
    rest: parts.slice(at + 1).map(part => (NUMBER.test(part) ? "*" : part)).join("."),
  };
}

/**
 * All tensors by kind and layer: {layers, kinds: [{label, layered, bytes, cells: Map(layer, indices)}]};
 * the cell of a name without a layer is that of null.
 */
function gridOf(tensors) {
  const kinds = new Map();
  const layers = new Set();
  const before = new Set();
  tensors.name.forEach((name, i) => {
    const place = placeOf(name);
    const key = place.layer === null ? name : place.before + "\u0000" + place.rest;
    let kind = kinds.get(key);
    if (!kind) {
      kind = {before: place.before, rest: place.rest, layered: place.layer !== null, bytes: 0, cells: new Map()};
      kinds.set(key, kind);
    }
    if (kind.layered) {
      layers.add(place.layer);
      before.add(place.before);
    }
    kind.bytes += tensors.bytes[i];
    const cell = kind.cells.get(place.layer);
    if (cell) {
      cell.push(i);
    } else {
      kind.cells.set(place.layer, [i]);
    }
  });
  for (const kind of kinds.values()) {
    const outer = kind.layered && (before.size > 1 || kind.rest === "") ? [kind.before] : [];
    kind.label = [...outer, kind.rest].filter(part => part !== "").join(".") || "(the layer itself)";
  }
  return {layers: [...layers].sort((a, b) => a - b), kinds: [...kinds.values()]};
}

const METRICS = {
  change: {text: "Change", unit: "relative change", zero: "unchanged"},
  norm: {text: "Norm", unit: "norm", zero: "norm 0"},
  std: {text: "Standard deviation", unit: "standard deviation", zero: "all equal"},
  zeros: {text: "Zeros", unit: "share of zeros", zero: "no zeros"},
  nans: {text: "NaNs", unit: "NaNs", zero: "no NaNs"},
  infinities: {text: "Infinities", unit: "infinities", zero: "no infinities"},
};

/** A metric of some tensors together; null where none of them has it. */
function measured(metric, tensors, indices) {
  const column = tensors[metric];
  const known = indices.filter(i => column[i] !== null && column[i] !== undefined);
  if (known.length === 0) {
    return null;
  }
  if (known.length === 1 && metric !== "zeros") {
    return column[known[0]];
  }
  const sum = f => known.reduce((total, i) => total + f(i), 0);
  switch (metric) {
    case "norm":
      return Math.sqrt(sum(i => column[i] * column[i]));
    case "std": {
      const elements = sum(i => tensors.elements[i]);
      const mean = sum(i => tensors.elements[i] * (tensors.mean[i] ?? 0)) / elements;
      const square = sum(i => tensors.elements[i] * (column[i] ** 2 + (tensors.mean[i] ?? 0) ** 2)) / elements;
      return Math.sqrt(Math.max(0, square - mean * mean));
    }
    case "zeros": {
      const elements = sum(i => tensors.elements[i]);
      return elements === 0 ? 0 : sum(i => column[i]) / elements;
    }
    case "change":
      return known.reduce((most, i) => Math.max(most, column[i]), 0);
    default:
      return sum(i => column[i]);
  }
}
