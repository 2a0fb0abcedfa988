// Sizes of shards, by type of weights.

/** Of files that are numbered, the numbers; their whole names stand in the table. */
function labelsOf(shards) {
  const numbered = /^.*?(\d+-of-\d+)\.\w+$/;
  return shards.length > 1 && shards.every(shard => numbered.test(shard.path))
      ? shard => shard.path.match(numbered)[1]
      : shard => shard.path;
}

function drawShards(data) {
  const {shards, tensors, dtypes} = data;
  const sums = dtypes.map(() => new Array(shards.length).fill(0));
  tensors.name.forEach((_, i) => (sums[tensors.dtype[i]][tensors.shard[i]] += tensors.bytes[i]));
  const total = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const used = dtypesByBytes(data).filter(i => sums[i].some(size => size > 0));
  const label = labelsOf(shards);
  const many = shards.length > 40;

  byId("shards-lead").textContent = `${bytes(total)} in ${count(shards.length, "file")}`
      + (many ? "; the slider chooses which are shown." : ".");
  if (shards.length === 0) {
    byId("shards-chart").remove();
    return;
  }
  const longest = shards.reduce((most, shard) => Math.max(most, label(shard).length), 0);
  const named = width => Math.min(longest * 7 + 14, 230, Math.floor(width * 0.42));
  new Chart("shards", {
    label: "Bytes of each shard, by type",
    height: () => Math.min(shards.length, 40) * 22 + 40,
    marks: () => used.flatMap((dtype, series) => shards.map((shard, i) => ({
      key: `${series}:${i}`,
      lines: [shard.path, `${dtypes[dtype]}: ${bytes(sums[dtype][i])}`, `File: ${bytes(shard.bytes)}, ${count(shard.tensors, "tensor")}`],
    }))),
    option: (colours, width) => ({
      grid: {left: named(width), right: many ? 46 : 34, top: 4, bottom: 28},
      xAxis: axis(colours, {type: "value", splitNumber: width < 500 ? 2 : 4, axisLabel: {formatter: bytes, hideOverlap: true}}),
      yAxis: axis(colours, {
        type: "category", inverse: true, data: shards.map(shard => plain(label(shard))),
        axisLabel: {color: colours.ink, fontFamily: colours.mono, fontSize: 11, formatter: text => shortened(text, named(width) - 12)},
      }),
      dataZoom: many ? [{type: "slider", yAxisIndex: 0, startValue: 0, endValue: 39, width: 14, right: 6, brushSelect: false, showDetail: false}] : [],
      series: used.map(dtype => ({
        type: "bar", stack: "bytes", name: plain(dtypes[dtype]), data: sums[dtype], barMaxWidth: 14,
        itemStyle: {color: dtypeColours(data, colours)[dtype]},
        emphasis: {itemStyle: {borderColor: colours.ink, borderWidth: 1}},
      })),
    }),
    summary() {
      const sizes = shards.map(shard => shard.bytes);
      const types = used.map(dtype => `${bytes(sums[dtype].reduce((a, b) => a + b, 0))} of ${plain(dtypes[dtype])}`);
      return `From ${bytes(sizes.reduce((a, b) => Math.min(a, b)))} to ${bytes(sizes.reduce((a, b) => Math.max(a, b)))} a file; ${types.join(", ")}.`;
    },
    table: () => ({
      head: ["Shard", "Bytes", "Tensors", ...used.map(dtype => dtypes[dtype])],
      rows: shards.map((shard, i) => [shard.path, number(shard.bytes), number(shard.tensors), ...used.map(dtype => number(sums[dtype][i]))]),
    }),
  });
  const drawKeys = () => keys(byId("shards-keys"), used.map(dtype => [dtypeColours(data, palette())[dtype], dtypes[dtype]]));
  document.addEventListener("reweave-theme", drawKeys);
  drawKeys();
}
