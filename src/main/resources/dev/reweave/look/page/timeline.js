// Tasks by executor: when each ran, what it moved, which were tried again or took long.

const SLOW = 2;

/** Tasks in lanes: those of one executor that ran at one time lie beside each other. */
function lanesOf(tasks) {
  const executors = new Map();
  tasks.forEach((task, i) => {
    const key = task.executor;
    if (!executors.has(key)) {
      executors.set(key, []);
    }
    executors.get(key).push(i);
  });
  const order = new Intl.Collator("en", {numeric: true});
  const lanes = [];
  const found = [...executors.keys()].sort(order.compare).map(executor => {
    const indices = executors.get(executor).sort((a, b) => tasks[a].start - tasks[b].start);
    const ends = [];
    const first = lanes.length;
    for (const i of indices) {
      let lane = ends.findIndex(end => end <= tasks[i].start);
      if (lane < 0) {
        lane = ends.length;
        lanes.push({executor, host: tasks[i].host, first: ends.length === 0});
      }
      ends[lane] = tasks[i].end;
      tasks[i].lane = first + lane;
    }
    return {executor, host: tasks[indices[0]].host, tasks: indices};
  });
  return {lanes, executors: found};
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0 ? 0 : sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function drawTimeline(data) {
  const tasks = (data.tasks ?? []).map(task => ({...task}));
  if (tasks.length === 0) {
    return;
  }
  byId("timeline").hidden = false;
  const {lanes, executors} = lanesOf(tasks);
  const long = task => task.end - task.start;
  const middle = median(tasks.filter(task => task.outcome === "done").map(long));
  const slow = task => task.outcome === "done" && long(task) > SLOW * middle;
  const stragglers = tasks.filter(slow);
  const lost = tasks.filter(task => task.outcome !== "done");
  const again = tasks.filter(task => task.attempt > 0);
  const sum = (of, column) => of.reduce((total, task) => total + (task[column] ?? 0), 0);
  const end = tasks.reduce((last, task) => Math.max(last, task.end), 0);
  const laneHeight = Math.max(3, Math.min(20, Math.floor(1200 / lanes.length)));

  byId("timeline-lead").textContent = `${count(tasks.length, "attempt")} on ${count(executors.length, "executor")} in ${time(end)};`
      + ` median ${time(middle)}; read ${bytes(sum(tasks, "read"))}, written ${bytes(sum(tasks, "written"))}.`;

  const state = task => (task.outcome !== "done" ? task.outcome : slow(task) ? "straggler" : task.attempt > 0 ? "retry" : "done");
  const words = task => (task.attempt > 0 ? `attempt ${task.attempt + 1}, ` : "") + task.outcome + (slow(task) ? `, straggler: ${Number((long(task) / middle).toPrecision(2))} × the median` : "");
  const executorText = lane => (lane.executor === lane.host || !lane.host ? lane.executor : `${lane.executor} · ${lane.host}`);
  const fills = colours => ({done: colours.soft, retry: colours.accent, straggler: colours.warn, failed: colours.bad, killed: colours.muted});
  const named = width => Math.min(190, Math.floor(width * 0.3));

  new Chart("timeline", {
    label: "Timeline of tasks by executor",
    height: () => Math.max(90, lanes.length * laneHeight + 40),
    marks: () => tasks.map((task, i) => ({
      i, key: `0:${i}`,
      lines: [
        task.what,
        `executor ${task.executor}${task.host ? " on " + task.host : ""}: ${time(task.start)} to ${time(task.end)}, ${time(long(task))}`,
        `read ${bytes(task.read)}, written ${bytes(task.written)}`,
        words(task),
      ],
    })),
    option(colours, width) {
      const fill = fills(colours);
      let labelled = -Infinity;
      const texts = lanes.map((lane, i) => {
        if (!lane.first || (i - labelled) * laneHeight < 13) {
          return "";
        }
        labelled = i;
        return plain(executorText(lane));
      });
      return {
        grid: {left: named(width), right: 16, top: 4, bottom: 30},
        xAxis: axis(colours, {type: "value", min: 0, max: end, splitNumber: width < 500 ? 3 : 8, axisLabel: {formatter: time, hideOverlap: true, showMaxLabel: false}}),
        yAxis: axis(colours, {
          type: "category", inverse: true, data: lanes.map((_, i) => String(i)), splitLine: {show: false},
          axisLabel: {interval: 0, color: colours.ink, fontSize: 11, formatter: (_, i) => shortened(texts[i], named(width) - 12)},
        }),
        series: [{
          type: "custom", progressive: 0, encode: {x: [1, 2], y: 0}, clip: true,
          data: tasks.map(task => [task.lane, task.start, task.end, task.read ?? 0, task.written ?? 0]),
          renderItem(params, api) {
            const task = tasks[params.dataIndex];
            const from = api.coord([task.start, task.lane]);
            const to = api.coord([task.end, task.lane]);
            const height = Math.max(2, api.size([0, 1])[1] * 0.78);
            const breadth = Math.max(1.5, to[0] - from[0] - 0.5);
            const kind = state(task);
            const top = from[1] - height / 2;
            const signs = {failed: "×", killed: "–", retry: "↻", straggler: "!"};
            return {
              type: "group",
              children: [
                {
                  type: "rect", shape: {x: from[0], y: top, width: breadth, height, r: Math.min(2, height / 4)},
                  style: {fill: fill[kind], stroke: task.attempt > 0 ? colours.ink : colours.surface, lineWidth: task.attempt > 0 ? 1 : 0},
                  emphasis: {style: {stroke: colours.ink, lineWidth: 2}},
                },
                ...(signs[kind] && height >= 9 && breadth >= 9 ? [{
                  type: "text", silent: true,
                  style: {text: signs[kind], x: from[0] + breadth / 2, y: from[1], align: "center", verticalAlign: "middle", fill: colours.surface, font: "bold 11px sans-serif"},
                }] : []),
              ],
            };
          },
        }],
      };
    },
    summary: () => `${executors.length === 1 ? "One executor" : executors.length + " executors"}, each with a lane for every task that ran at one time.`
        + ` ${lost.length === 0 ? "No attempt failed or was killed" : `${count(lost.length, "attempt")} failed or killed`};`
        + ` ${again.length === 0 ? "no retries" : count(again.length, "retry", "retries")};`
        + ` ${stragglers.length === 0 ? "no stragglers" : count(stragglers.length, "straggler")}.`,
    table: () => ({
      head: ["Executor", "Host", "Task", "Start", "Duration", "Read", "Written", "Outcome"],
      rows: tasks.map(task => [task.executor, task.host ?? NONE, task.what, time(task.start), time(long(task)), bytes(task.read), bytes(task.written), words(task)]),
    }),
  });

  const told = [];
  if (stragglers.length > 0) {
    const slowest = [...stragglers].sort((a, b) => long(b) - long(a));
    told.push([`Stragglers, longer than ${SLOW} × the median of ${time(middle)}`, slowest]);
  }
  if (lost.length > 0) {
    told.push(["Failed or killed", lost]);
  }
  if (again.length > 0) {
    told.push(["Tried again", again]);
  }
  byId("timeline-told").replaceChildren(...told.map(([text, of]) => make("div", {}, make("h3", {}, text),
      make("ul", {}, ...of.slice(0, 12).map(task => make("li", {}, plain(`${task.what}, executor ${task.executor}: ${time(long(task))}, ${words(task)}`))),
          ...(of.length > 12 ? [make("li", {}, `and ${number(of.length - 12)} more, in the table of numbers`)] : [])))));

  const table = tableOf(["Executor", "Host", "Attempts", "Busy", "Read", "Written", "Failed or killed", "Stragglers"],
      executors.map(({executor, host, tasks: indices}) => {
        const own = indices.map(i => tasks[i]);
        return [executor, host ?? NONE, number(own.length), time(own.reduce((total, task) => total + long(task), 0)), bytes(sum(own, "read")), bytes(sum(own, "written")),
          number(own.filter(task => task.outcome !== "done").length), number(own.filter(slow).length)];
      }), "Executors");
  byId("timeline-executors").replaceChildren(make("div", {class: "scrolled", tabindex: "0", role: "region", "aria-label": "Executors"}, table));

  const drawKeys = () => {
    const fill = fills(palette());
    keys(byId("timeline-keys"), [[fill.done, "done"], [fill.retry, "↻ tried again"], [fill.straggler, "! straggler"], [fill.failed, "× failed"], [fill.killed, "– killed"]]);
  };
  document.addEventListener("reweave-theme", drawKeys);
  drawKeys();
}
