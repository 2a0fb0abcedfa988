// Unpacks what is in this file, and draws it.

function bytesOf(base64) {
  const text = atob(base64.trim());
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    packed[i] = text.charCodeAt(i);
  }
  return packed;
}

async function unpacked(id) {
  const stream = new Blob([bytesOf(byId(id).textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

async function loadLibrary() {
  const code = await unpacked("report-library");
  document.head.append(make("script", {}, code));
  if (typeof echarts === "undefined") {
    throw new Error("the library of charts did not start");
  }
}

const KINDS = {conversion: "Conversion", model: "Model", checkpoint: "Checkpoint"};
const VERDICTS = {passed: ["✓", "good"], failed: ["✗", "bad"], "not made": ["○", "open"]};

function drawHeader(data) {
  const {subject, tensors, shards, dtypes, checks} = data;
  const elements = tensors.elements.reduce((sum, n) => sum + n, 0);
  const size = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  document.title = `${plain(data.title)}: Reweave report`;
  byId("kicker").textContent = `${KINDS[subject.kind] ?? plain(subject.kind)} report`;
  byId("title").textContent = plain(data.title);
  byId("addresses").replaceChildren(make("span", {class: "name"}, plain(subject.address)),
      ...(subject.against === undefined ? [] : [make("span", {class: "name"}, "against ", plain(subject.against))]));
  pairs(byId("figures"), [
    ["Parameters", parameters(elements)],
    ["Tensors", number(tensors.name.length)],
    ["Bytes", bytes(size)],
    [shards.length === 1 ? "Shard" : "Shards", number(shards.length)],
    [dtypes.length === 1 ? "Type" : "Types", dtypes.length === 0 ? NONE : listed(dtypes, 3)],
  ]);
  const failed = checks.filter(check => check.verdict === "failed").length;
  const passed = checks.filter(check => check.verdict === "passed").length;
  const open = checks.length - failed - passed;
  const verdict = byId("verdict");
  verdict.hidden = checks.length === 0;
  verdict.className = failed > 0 ? "bad" : passed > 0 ? "good" : "open";
  const rest = open > 0 ? `; ${number(open)} not made` : "";
  verdict.textContent = failed > 0 ? `✗ ${count(failed, "check")} failed, ${number(passed)} passed${rest}`
      : passed > 0 ? `✓ ${count(passed, "check")} passed, none failed${rest}` : `○ No check was made`;
  byId("made").textContent = `Made ${plain(data.made)} by Reweave ${plain(data.reweave)}.`;
}

function drawChecks(data) {
  pairs(byId("facts"), data.facts);
  byId("provenance").hidden = data.facts.length === 0;
  byId("checks-list").replaceChildren(...data.checks.map(check => {
    const [sign, kind] = VERDICTS[check.verdict] ?? ["?", "open"];
    return make("li", {class: kind}, make("span", {class: "sign", "aria-hidden": "true"}, sign),
        make("div", {}, make("strong", {}, plain(check.name)), " ", make("span", {class: "verdict"}, plain(check.verdict)),
            ...(check.text ? [make("p", {}, plain(check.text))] : [])));
  }));
  if (data.checks.length === 0) {
    byId("checks-list").replaceWith(make("p", {class: "lead"}, "None was made for this report."));
  }
  byId("warnings").hidden = data.warnings.length === 0;
  byId("warnings-list").replaceChildren(...data.warnings.map(warning => make("li", {}, plain(warning))));
}

function drawContents() {
  const sections = [...document.querySelectorAll("main section")].filter(section => !section.hidden);
  byId("contents").replaceChildren(...sections.map(section => {
    const heading = section.querySelector("h2");
    heading.tabIndex = -1;
    return make("a", {href: `#${heading.id}`}, heading.textContent);
  }));
  byId("contents").hidden = false;
}

function drawTheme() {
  const write = () => (byId("theme").textContent = document.documentElement.dataset.theme === "dark" ? "Light theme" : "Dark theme");
  byId("theme").addEventListener("click", () => Theme.toggle());
  document.addEventListener("reweave-theme", write);
  write();
}

/** Lets the browser draw what is there before more is worked out. */
const breath = () => new Promise(resolve => setTimeout(resolve, 0));

async function draw(data) {
  drawHeader(data);
  byId("loading").remove();
  byId("main").hidden = false;
  drawChecks(data);
  await breath();
  const {tensors} = data;
  const grid = gridOf(tensors);
  const histogram = drawHistogram(data);
  const choose = tensor => {
    histogram.show(tensor);
    table.mark(tensor);
    say(`${plain(tensors.name[tensor])}: histogram shown`);
  };
  const table = new Table(data, choose);
  window.reweaveReport.table = table;
  const chooseFromChart = tensor => {
    choose(tensor);
    byId("tensors").scrollIntoView({block: "nearest"});
  };
  if (tensors.name.length > 0) {
    drawChange(data, grid);
    drawLayers(data, grid, chooseFromChart, (indices, label) => table.narrow(indices, label));
    await breath();
    drawModules(data, chooseFromChart);
    choose(tensors.elements.reduce((largest, n, i) => (n > tensors.elements[largest] ? i : largest), 0));
  } else {
    ["layers", "modules", "histogram"].forEach(id => (byId(id).hidden = true));
  }
  drawShards(data);
  await breath();
  drawTimeline(data);
  drawContents();
  say("");
}

async function start() {
  drawTheme();
  const [json] = await Promise.all([unpacked("report-data"), loadLibrary()]);
  const data = JSON.parse(json);
  if (data.format !== 1) {
    throw new Error(`its data has format ${plain(data.format)}, and this page knows format 1`);
  }
  window.reweaveReport.data = data;
  await draw(data);
}

window.reweaveReport = {charts};
window.reweaveReport.ready = start().catch(error => {
  const problem = byId("problem");
  problem.textContent = typeof DecompressionStream === "undefined"
      ? "This browser cannot unpack the report. Chrome 80, Firefox 113, Safari 16.4 and later can."
      : `The report could not be shown: ${plain(error.message)}.`;
  problem.hidden = false;
  byId("loading")?.remove();
  throw error;
});
