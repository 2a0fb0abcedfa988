// The table of all tensors. Only the rows in sight are in the page.

const ROW = 28;
const BEYOND = 8;

/** Names sort as people count: layers.9 before layers.10. */
function naturally(text) {
  return text.replace(/\d+/g, digits => digits.padStart(9, "0"));
}

function columnsOf(data) {
  const {tensors, dtypes, shards} = data;
  const plainNumber = (key, text) => ({key, text, width: 112, right: true, value: i => tensors[key][i], show: i => number(tensors[key][i])});
  return [
    {key: "name", text: "Name", width: 360, value: i => naturally(tensors.name[i]), show: i => plain(tensors.name[i])},
    {key: "dtype", text: "Type", width: 92, value: i => dtypes[tensors.dtype[i]], show: i => plain(dtypes[tensors.dtype[i]])},
    {key: "shape", text: "Shape", width: 132, right: true, value: i => tensors.elements[i], show: i => shape(tensors.shape[i])},
    {...plainNumber("elements", "Elements"), width: 118},
    {key: "bytes", text: "Bytes", width: 84, right: true, value: i => tensors.bytes[i], show: i => bytes(tensors.bytes[i])},
    plainNumber("change", "Change"),
    plainNumber("differing", "Differing"),
    plainNumber("norm", "Norm"),
    plainNumber("mean", "Mean"),
    plainNumber("std", "Std. dev."),
    plainNumber("min", "Smallest"),
    plainNumber("max", "Largest"),
    plainNumber("zeros", "Zeros"),
    {...plainNumber("nans", "NaNs"), width: 80},
    {...plainNumber("infinities", "Infinities"), width: 92},
    {key: "shard", text: "Shard", width: 250, value: i => tensors.shard[i], show: i => plain(shards[tensors.shard[i]]?.path ?? NONE)},
  ].filter(column => column.key === "shape" || tensors[column.key] !== undefined).map(changeInWords);

  function changeInWords(column) {
    return column.key === "change"
        ? {...column, show: i => (tensors.change[i] === 0 ? "unchanged" : number(tensors.change[i]))}
        : column;
  }
}

class Table {
  constructor(data, choose) {
    this.data = data;
    this.choose = choose;
    this.columns = columnsOf(data);
    this.all = data.tensors.name.map((_, i) => i);
    this.haystack = data.tensors.name.map((name, i) => `${name} ${data.dtypes[data.tensors.dtype[i]]}`.toLowerCase());
    this.within = null;
    this.words = [];
    this.sortedBy = null;
    this.descending = false;
    this.chosen = -1;
    this.at = -1;
    this.rows = this.all;
    this.build();
    this.search = byId("search");
    this.search.addEventListener("input", () => this.find(this.search.value));
    this.search.addEventListener("keydown", event => this.pressInSearch(event));
    document.addEventListener("keydown", event => this.pressAnywhere(event));
    this.update();
  }

  build() {
    this.heads = this.columns.map(column => {
      const head = make("th", {scope: "col", role: "columnheader", "aria-sort": "none", ...(column.right ? {class: "right"} : {})},
          button(column.text, () => this.sort(column.key)));
      return head;
    });
    this.body = make("tbody", {role: "rowgroup"});
    this.grid = make("table", {
      id: "table", role: "grid", tabindex: "0", "aria-labelledby": "tensors-heading", "aria-describedby": "search-keys",
      "aria-colcount": String(this.columns.length),
    }, make("colgroup", {}, ...this.columns.map(column => make("col", {style: `width: ${column.width}px`}))),
    make("thead", {role: "rowgroup"}, make("tr", {role: "row", "aria-rowindex": "1"}, ...this.heads)), this.body);
    this.grid.style.width = this.columns.reduce((sum, column) => sum + column.width, 0) + "px";
    this.pane = byId("rows");
    this.pane.append(this.grid);
    let asked = false;
    this.pane.addEventListener("scroll", () => {
      if (!asked) {
        asked = true;
        requestAnimationFrame(() => {
          asked = false;
          this.fill();
        });
      }
    });
    this.grid.addEventListener("keydown", event => this.press(event));
    this.body.addEventListener("click", event => {
      const row = event.target.closest("tr[data-at]");
      if (row) {
        this.go(Number(row.dataset.at));
        this.choose(this.rows[this.at]);
        this.grid.focus({preventScroll: true});
      }
    });
    new ResizeObserver(() => this.fill()).observe(this.pane);
  }

  /** All words, each anywhere in the name or the type. */
  find(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(word => word !== "");
    this.update();
  }

  /** These tensors alone, until it is taken back. */
  narrow(indices, label) {
    this.within = {indices, label};
    this.update();
  }

  widen() {
    this.within = null;
    this.update();
  }

  sort(key) {
    if (this.sortedBy === key) {
      if (this.descending === this.column().right) {
        this.descending = !this.descending;
      } else {
        this.sortedBy = null;
      }
    } else {
      this.sortedBy = key;
      // Of numbers the largest are asked for first.
      this.descending = this.column().right === true;
    }
    this.update();
  }

  column() {
    return this.columns.find(column => column.key === this.sortedBy);
  }

  update() {
    const from = this.within?.indices ?? this.all;
    const found = this.words.length === 0 ? [...from]
        : from.filter(i => this.words.every(word => this.haystack[i].includes(word)));
    if (this.sortedBy !== null) {
      const {value} = this.column();
      const keys = new Map(found.map(i => [i, value(i)]));
      const turn = this.descending ? -1 : 1;
      found.sort((a, b) => {
        const x = keys.get(a) ?? null;
        const y = keys.get(b) ?? null;
        if (x === y) {
          return a - b;
        }
        // What is not known comes last, whichever way.
        return x === null ? 1 : y === null ? -1 : x < y ? -turn : turn;
      });
    }
    this.rows = found;
    this.at = found.length === 0 ? -1 : 0;
    this.heads.forEach((head, i) => head.setAttribute("aria-sort", this.columns[i].key !== this.sortedBy ? "none"
        : this.descending ? "descending" : "ascending"));
    this.grid.setAttribute("aria-rowcount", String(found.length + 1));
    byId("found").textContent = found.length === this.all.length ? count(this.all.length, "tensor")
        : `${number(found.length)} of ${count(this.all.length, "tensor")}`;
    byId("narrowed").replaceChildren(...(this.within === null ? [] : [
      make("span", {class: "chip"}, plain(this.within.label), " ", button("Show all", () => this.widen(), {class: "link"})),
    ]));
    this.pane.scrollTop = 0;
    this.fill();
  }

  /** The rows in sight and some beyond, with room for all others above and below them. */
  fill() {
    const first = Math.max(0, Math.floor(this.pane.scrollTop / ROW) - BEYOND);
    const last = Math.min(this.rows.length, Math.ceil((this.pane.scrollTop + this.pane.clientHeight) / ROW) + BEYOND);
    const space = size => make("tr", {"aria-hidden": "true", class: "space", style: `height: ${size * ROW}px`});
    const parts = [];
    if (first > 0) {
      parts.push(space(first));
    }
    for (let at = first; at < last; at++) {
      parts.push(this.row(at));
    }
    if (last < this.rows.length) {
      parts.push(space(this.rows.length - last));
    }
    this.body.replaceChildren(...parts);
    if (this.at >= first && this.at < last) {
      this.grid.setAttribute("aria-activedescendant", `row-${this.at}`);
    } else {
      this.grid.removeAttribute("aria-activedescendant");
    }
  }

  row(at) {
    const i = this.rows[at];
    const row = make("tr", {
      id: `row-${at}`, role: "row", "aria-rowindex": String(at + 2), "data-at": String(at), "data-tensor": String(i),
      "aria-selected": String(i === this.chosen), ...(at === this.at ? {class: "at"} : {}),
    });
    this.columns.forEach((column, c) => {
      const text = column.show(i);
      row.append(make("td", {role: "gridcell", ...(c === 0 || column.key === "shard" ? {title: text} : {}), ...(column.right ? {class: "right"} : {})}, text));
    });
    return row;
  }

  go(at) {
    if (this.rows.length > 0) {
      this.at = Math.max(0, Math.min(at, this.rows.length - 1));
      this.reveal();
      this.fill();
    }
  }

  /** Scrolls the pane as far as the row at the cursor needs. */
  reveal() {
    const head = this.heads[0].offsetHeight;
    const top = this.at * ROW;
    if (this.at < 0) {
      return;
    }
    if (top < this.pane.scrollTop) {
      this.pane.scrollTop = top;
    } else if (top + ROW + head > this.pane.scrollTop + this.pane.clientHeight) {
      this.pane.scrollTop = top + ROW + head - this.pane.clientHeight;
    }
  }

  mark(tensor) {
    this.chosen = tensor;
    const at = this.rows.indexOf(tensor);
    if (at >= 0) {
      this.go(at);
    } else {
      this.fill();
    }
  }

  press(event) {
    if (event.target !== this.grid || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const page = Math.max(1, Math.floor(this.pane.clientHeight / ROW) - 2);
    const to = {
      ArrowDown: this.at + 1, ArrowUp: this.at - 1, PageDown: this.at + page, PageUp: this.at - page, Home: 0, End: this.rows.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.go(to);
    } else if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.choose(this.rows[this.at]);
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      this.pane.scrollLeft += event.key === "ArrowRight" ? 80 : -80;
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.search.focus();
      this.search.select();
    }
  }

  pressInSearch(event) {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      this.grid.focus({preventScroll: true});
      this.go(0);
      if (event.key === "Enter" && this.rows.length > 0) {
        this.choose(this.rows[0]);
      }
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (this.search.value === "" && this.within !== null) {
        this.widen();
      } else if (this.search.value === "") {
        this.search.blur();
      }
      this.search.value = "";
      this.find("");
    }
  }

  pressAnywhere(event) {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "radio";
    if (event.key === "/" && !typing && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.search.focus();
      this.search.select();
      byId("tensors").scrollIntoView({block: "nearest"});
    }
  }
}
