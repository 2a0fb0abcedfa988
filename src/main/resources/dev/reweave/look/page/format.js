// Numbers, names and parts of the page. Text of the data becomes text of the page here, and nowhere
// else: as nodes of text, never as HTML.

const NONE = "–";
const grouped = new Intl.NumberFormat("en-US");
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
// Control characters, and those that turn the direction of what follows.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const byId = id => document.getElementById(id);

/** A name with what cannot be seen in it as its code. */
function plain(text) {
  return String(text).replace(UNSEEN, c => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

function button(text, act, attributes = {}) {
  const node = make("button", {type: "button", ...attributes}, text);
  node.addEventListener("click", act);
  return node;
}

/** Four figures; whole numbers in full. */
function number(x) {
  if (x === null || x === undefined) {
    return NONE;
  }
  if (!Number.isFinite(x)) {
    return String(x);
  }
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e15) {
    return minus(grouped.format(x));
  }
  if (size < 1e-3 || size >= 1e6) {
    return minus(x.toExponential(3).replace(/\.?0+e/, "e"));
  }
  return minus(String(Number(x.toPrecision(4))));
}

function minus(text) {
  return text.replace(/-/g, "−");
}

function count(n, one, many = one + "s") {
  return number(n) + " " + (n === 1 ? one : many);
}

function share(part, whole) {
  const percent = whole > 0 ? (100 * part) / whole : 0;
  if (part > 0 && percent < 0.01) {
    return "< 0.01 %";
  }
  if (part < whole && percent > 99.99) {
    return "> 99.99 %";
  }
  return Number(percent.toPrecision(3)) + " %";
}

function bytes(n) {
  if (n === null || n === undefined) {
    return NONE;
  }
  let size = n;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return (unit === 0 ? String(size) : Number(size.toPrecision(3))) + " " + UNITS[unit];
}

/** Numbers of weights as people say them: 7.24 B. */
function parameters(n) {
  const [size, unit] = n >= 1e12 ? [n / 1e12, " T"] : n >= 1e9 ? [n / 1e9, " B"]
      : n >= 1e6 ? [n / 1e6, " M"] : [n, ""];
  return unit === "" ? number(n) : Number(size.toPrecision(3)) + unit;
}

function time(ms) {
  if (ms < 1000) {
    return Math.round(ms) + " ms";
  }
  const seconds = ms / 1000;
  if (seconds < 60) {
    return Number(seconds.toPrecision(3)) + " s";
  }
  const minutes = Math.floor(Math.round(seconds) / 60);
  const rest = Math.round(seconds) % 60;
  return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function shape(sizes) {
  return sizes.length === 0 ? "scalar" : sizes.join(" × ");
}

function superscript(exponent) {
  return (exponent < 0 ? "⁻" : "") + [...String(Math.abs(exponent))].map(d => SUPERSCRIPTS[d]).join("");
}

function power(exponent) {
  return "2" + superscript(exponent);
}

/** Sorted whole numbers, in words: 0–3, 7. */
function ranges(numbers) {
  const parts = [];
  for (let i = 0; i < numbers.length; i++) {
    let end = i;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) {
      end++;
    }
    parts.push(end === i ? String(numbers[i]) : numbers[i] + (end > i + 1 ? "–" : ", ") + numbers[end]);
    i = end;
  }
  return parts.join(", ");
}

/** Some of them, and how many more. */
function listed(texts, most) {
  const shown = texts.slice(0, most).map(plain).join(", ");
  return texts.length > most ? `${shown} and ${number(texts.length - most)} more` : shown;
}

/** A row of choices, one of which holds. */
function choices(fieldset, name, options, chosen, act) {
  for (const [value, text] of options) {
    const input = make("input", {type: "radio", name, value, id: `${name}-${value}`});
    input.checked = value === chosen;
    input.addEventListener("change", () => act(value));
    fieldset.append(make("label", {}, input, make("span", {}, text)));
  }
}

function pairs(list, entries) {
  list.replaceChildren(
      ...entries.map(([key, value]) => make("div", {}, make("dt", {}, plain(key)), make("dd", {}, plain(value)))));
}

function tableOf(head, rows, caption) {
  const line = (cells, tag) => make("tr", {}, ...cells.map((cell, i) =>
      make(i === 0 && tag === "td" ? "th" : tag, tag === "th" ? {scope: "col"} : i === 0 ? {scope: "row"} : {}, plain(cell))));
  return make("table", {class: "plain"}, make("caption", {}, caption),
      make("thead", {}, line(head, "th")), make("tbody", {}, ...rows.map(row => line(row, "td"))));
}
