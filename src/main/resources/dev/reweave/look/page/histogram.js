// The values of one tensor, by powers of two.

const BINS = 64;

/** The counts of one tensor after another: varints, of which only where each tensor begins is noted. */
class Histograms {
  constructor({lowest, highest, counts}) {
    this.lowest = lowest;
    this.highest = highest;
    this.packed = bytesOf(counts);
    this.starts = [0];
    let varints = 0;
    for (let at = 0; at < this.packed.length; at++) {
      if (this.packed[at] < 128 && ++varints % BINS === 0) {
        this.starts.push(at + 1);
      }
    }
  }

  of(tensor) {
    const bins = [];
    let value = 0;
    let scale = 1;
    for (let at = this.starts[tensor]; bins.length < BINS; at++) {
      value += (this.packed[at] & 127) * scale;
      scale *= 128;
      if (this.packed[at] < 128) {
        bins.push(value);
        value = 0;
        scale = 1;
      }
    }
    return bins;
  }

  /** What is in a bin, in words. */
  text(bin) {
    const exponent = this.exponent(bin);
    const sign = bin < BINS / 2 ? "−" : "";
    if (exponent === this.lowest) {
      return `${sign}${power(exponent + 1)} and nearer to 0`;
    }
    if (exponent === this.highest) {
      return `${sign}${power(exponent)} and further from 0`;
    }
    return `${sign}${power(exponent)} to ${sign}${power(exponent + 1)}`;
  }

  exponent(bin) {
    return this.lowest + (bin < BINS / 2 ? BINS / 2 - 1 - bin : bin - BINS / 2);
  }
}

/** Draws the histogram of a tensor; the function that shows another one. */
function drawHistogram(data) {
  const {tensors} = data;
  const lead = byId("histogram-lead");
  const facts = byId("histogram-facts");
  let chosen = -1;
  let bins = new Array(BINS).fill(0);
  let chart;
  let histograms;
  if (data.histogram === undefined) {
    byId("histogram-chart").remove();
    byId("histogram-heading").textContent = "Tensor";
  }

  function show(tensor) {
    chosen = tensor;
    lead.textContent = plain(tensors.name[tensor]);
    pairs(facts, tensorFacts(data, tensor));
    if (data.histogram === undefined) {
      return;
    }
    // Not before it is asked for: of a hundred thousand tensors they are long.
    histograms ??= new Histograms(data.histogram);
    bins = histograms.of(tensor);
    if (chart) {
      chart.draw();
    } else {
      chart = new Chart("histogram", what());
    }
  }

  const what = () => ({
    label: "Histogram of the chosen tensor's values, by powers of two",
    height: () => 240,
    marks: () => bins.map((size, bin) => ({key: `0:${bin}`, lines: [histograms.text(bin), `${count(size, "number")}, ${share(size, tensors.elements[chosen])}`]})),
    option: (colours, width) => ({
      grid: {left: 56, right: 10, top: 12, bottom: 28},
      xAxis: axis(colours, {
        type: "category", data: bins.map((_, bin) => (bin < BINS / 2 ? "−" : "") + power(histograms.exponent(bin))), splitLine: {show: false},
        axisLabel: {interval: labelled(width)},
      }),
      yAxis: axis(colours, {type: "value", splitNumber: 4, minInterval: 1, axisLabel: {formatter: value => short(value)}}),
      series: [{
        type: "bar", barCategoryGap: "12%", barMinHeight: 1,
        data: bins.map((size, bin) => ({value: size, itemStyle: {color: bin < BINS / 2 ? colours.soft : colours.accent}})),
        emphasis: {itemStyle: {borderColor: colours.ink, borderWidth: 1}},
      }],
    }),
    summary() {
      const within = bins.reduce((a, b) => a + b, 0);
      const negative = bins.slice(0, BINS / 2).reduce((a, b) => a + b, 0);
      if (within === 0) {
        return "No number in it but zeros, NaNs and infinities.";
      }
      const most = bins.indexOf(bins.reduce((a, b) => Math.max(a, b)));
      return `${number(within)} numbers, ${share(negative, within)} of them negative, by magnitude in powers of two: negative ones on the left,`
          + ` smallest in the middle. Most (${share(bins[most], within)}) from ${histograms.text(most)}. Zeros, NaNs and infinities are not drawn.`;
    },
    table: () => ({
      head: ["Values", "Numbers", "Share"],
      rows: bins.map((size, bin) => [histograms.text(bin), number(size), share(size, tensors.elements[chosen])]),
    }),
  });

  /** Every so many powers have a label, the same on both sides of zero. */
  function labelled(width) {
    const step = width < 420 ? 8 : 6;
    return bin => (histograms.exponent(bin) - histograms.lowest) % step === step / 2;
  }

  return {
    show,
    get chosen() {
      return chosen;
    },
  };
}

function short(value) {
  return value >= 1e9 ? value / 1e9 + " B" : value >= 1e6 ? value / 1e6 + " M" : value >= 1e3 ? value / 1e3 + " k" : String(value);
}

function tensorFacts(data, i) {
  const {tensors} = data;
  const facts = [
    ["Type", data.dtypes[tensors.dtype[i]]],
    ["Shape", shape(tensors.shape[i])],
    ["Elements", number(tensors.elements[i])],
    ["Bytes", bytes(tensors.bytes[i])],
    ["Shard", data.shards[tensors.shard[i]]?.path ?? NONE],
  ];
  const measures = {norm: "Norm", mean: "Mean", std: "Standard deviation", min: "Smallest", max: "Largest", zeros: "Zeros", nans: "NaNs", infinities: "Infinities", change: "Change", differing: "Differing elements"};
  for (const [column, text] of Object.entries(measures)) {
    if (tensors[column] !== undefined) {
      facts.push([text, column === "change" && tensors[column][i] === 0 ? "unchanged" : number(tensors[column][i])]);
    }
  }
  return facts;
}
