// What all charts have in common: colours of the theme, a text alternative, a cursor for the keyboard.

const charts = {};
const MOST_ROWS = 1000;

/** The theme's colours, as the style sheet has them. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = name => style.getPropertyValue("--" + name).trim();
  return {
    ink: of("ink"), muted: of("muted"), line: of("line"), surface: of("surface"), none: of("none"),
    accent: of("accent"), soft: of("soft"), bad: of("bad"), warn: of("warn"), panel: of("panel"),
    series: [1, 2, 3, 4, 5, 6].map(i => of("series-" + i)),
    onSeries: of("on-series"), font: style.fontFamily, mono: of("mono"),
  };
}

/** Some of a scale from dark to bright on which equal steps look equal (viridis). */
const SCALE = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];

function say(text) {
  byId("said").textContent = text;
}

/** What fits into a width, of the start and more of the end: that is where names differ. */
function shortened(text, width) {
  const most = Math.max(6, Math.floor(width / 6.7));
  if (text.length <= most) {
    return text;
  }
  const start = Math.floor((most - 1) / 3);
  return text.slice(0, start) + "…" + text.slice(text.length - (most - 1 - start));
}

/**
 * A chart and its text alternatives: a sentence, a table of its numbers, and marks that the arrow keys
 * go along, each of which is said.
 *
 * what.label: its name; what.height(width); what.option(colours, width): for the library;
 * what.marks(): [{key, lines, choose}], the key being what the library calls it by; what.summary();
 * what.table(): {head, rows}; what.keyOf(params) and what.next(key, index, marks), where it isn't a
 * row of marks.
 */
class Chart {
  constructor(id, what) {
    this.id = id;
    this.what = what;
    this.at = -1;
    this.host = byId(`${id}-chart`);
    this.told = make("p", {id: `${id}-summary`, class: "told"});
    this.numbers = make("details", {class: "numbers"}, make("summary", {}, "Numbers as a table"));
    this.numbers.addEventListener("toggle", () => this.fillTable());
    this.host.after(this.told, this.numbers);
    for (const [key, value] of Object.entries({
      "role": "application", "aria-roledescription": "chart", "aria-label": what.label,
      "aria-describedby": this.told.id, "tabindex": "0",
    })) {
      this.host.setAttribute(key, value);
    }
    this.host.style.height = what.height(this.host.clientWidth) + "px";
    this.instance = echarts.init(this.host, null, {renderer: "canvas"});
    this.instance.on("click", params => this.markOf(params)?.choose?.());
    this.host.addEventListener("keydown", event => this.press(event));
    this.host.addEventListener("blur", () => this.leave());
    document.addEventListener("reweave-theme", () => this.draw());
    let width = this.host.clientWidth;
    new ResizeObserver(() => {
      if (this.host.clientWidth !== width) {
        width = this.host.clientWidth;
        this.draw();
      }
    }).observe(this.host);
    charts[id] = this.instance;
    this.draw();
  }

  draw() {
    const width = this.host.clientWidth;
    const colours = palette();
    this.at = -1;
    this.marks = this.what.marks();
    this.byKey = new Map(this.marks.map(mark => [mark.key, mark]));
    this.host.style.height = this.what.height(width) + "px";
    this.instance.resize();
    this.instance.setOption({
      animation: false,
      textStyle: {fontFamily: colours.font, color: colours.ink, fontSize: 12},
      tooltip: {
        trigger: "item", confine: true, transitionDuration: 0,
        backgroundColor: colours.panel, borderColor: colours.line, padding: [6, 9],
        textStyle: {color: colours.ink, fontSize: 12},
        formatter: params => this.tip(params),
      },
      ...this.what.option(colours, width),
    }, true);
    this.told.textContent = this.what.summary();
    this.fillTable();
  }

  fillTable() {
    this.numbers.querySelector("div")?.remove();
    if (!this.numbers.open) {
      return;
    }
    const {head, rows} = this.what.table();
    const caption = rows.length > MOST_ROWS
        ? `${this.what.label}: the first ${number(MOST_ROWS)} of ${number(rows.length)} rows`
        : this.what.label;
    this.numbers.append(make("div", {class: "scrolled", tabindex: "0", role: "region", "aria-label": caption},
        tableOf(head, rows.slice(0, MOST_ROWS), caption)));
  }

  markOf(params) {
    const key = this.what.keyOf ? this.what.keyOf(params) : `${params.seriesIndex}:${params.dataIndex}`;
    return this.byKey.get(key);
  }

  tip(params) {
    const mark = this.markOf(params);
    if (!mark) {
      return "";
    }
    return make("div", {class: "tip"}, ...mark.lines.map(line => make("div", {}, plain(line))));
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || this.marks.length === 0) {
      return;
    }
    if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.marks[this.at].choose?.();
      return;
    }
    if (event.key === "Escape") {
      this.what.back?.();
      this.leave();
      return;
    }
    const to = this.what.next
        ? this.what.next(event.key, this.at, this.marks)
        : along(event.key, this.at, this.marks.length);
    if (to !== undefined && to >= 0 && to < this.marks.length) {
      event.preventDefault();
      this.show(to);
    }
  }

  show(index) {
    this.instance.dispatchAction({type: "downplay"});
    this.at = index;
    const mark = this.marks[index];
    const target = this.what.keyOf
        ? {seriesIndex: 0, name: mark.key}
        : {seriesIndex: Number(mark.key.split(":")[0]), dataIndex: Number(mark.key.split(":")[1])};
    this.instance.dispatchAction({type: "highlight", ...target});
    this.instance.dispatchAction({type: "showTip", ...target});
    say(mark.lines.map(plain).join(". "));
  }

  leave() {
    this.at = -1;
    this.instance.dispatchAction({type: "downplay"});
    this.instance.dispatchAction({type: "hideTip"});
  }
}

/** Where a key leads to in a row of things. */
function along(key, at, length) {
  switch (key) {
    case "ArrowRight":
    case "ArrowDown":
      return Math.min(at + 1, length - 1);
    case "ArrowLeft":
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return length - 1;
    default:
      return undefined;
  }
}

/** Axes that say what they must, quietly. */
function axis(colours, more) {
  return {
    axisLine: {lineStyle: {color: colours.line}}, axisTick: {show: false},
    splitLine: {lineStyle: {color: colours.line, opacity: 0.6}},
    nameTextStyle: {color: colours.muted},
    ...more,
    axisLabel: {color: colours.muted, fontSize: 11, ...more.axisLabel},
  };
}

/** Swatches with words. */
function keys(host, entries) {
  host.replaceChildren(...entries.map(([colour, text, kind]) => {
    const swatch = make("i", {class: "swatch " + (kind ?? "")});
    swatch.style.setProperty("--swatch", colour);
    return make("span", {}, swatch, plain(text));
  }));
}

/** Types, that with most bytes first. */
function dtypesByBytes(data) {
  if (data.byBytes === undefined) {
    const sums = data.dtypes.map((_, i) => [i, 0]);
    data.tensors.dtype.forEach((dtype, i) => (sums[dtype][1] += data.tensors.bytes[i]));
    data.byBytes = sums.sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype);
  }
  return data.byBytes;
}

/** Types have one colour in all charts. */
function dtypeColours(data, colours) {
  const order = dtypesByBytes(data);
  return data.dtypes.map((_, dtype) => colours.series[Math.min(order.indexOf(dtype), colours.series.length - 1)]);
}
