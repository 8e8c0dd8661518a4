// The course in time, as SVG: what was made when, planned against delivered fractions.

const GUTTER = 236, MARK = 13, AXIS = 34;
const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const marks = new Map(); // box to its mark
const inTime = (node) => !view.hiddenModalities.has(node.modality) && (!view.problems || isProblem(node));

// Marks of a row side by side: each in the first line in which there is room.
function stacked(row, x) {
  const few = row.length <= 14 && ["RTPLAN", "RTSTRUCT", "RTDOSE", "CT", "MR", "PT"].includes(nodes[row[0][0]].modality);
  const ends = [];
  return row.map(([id, , when]) => {
    const left = x(when);
    const label = few ? fit(nodes[id].label || "", SMALL, 150) : "";
    measure.font = SMALL;
    const width = MARK + (label ? measure.measureText(label).width + 12 : 3);
    let line = ends.findIndex((end) => end <= left);
    if (line < 0) line = ends.length < 12 ? ends.length : 11;
    ends[line] = left + width;
    return { id, left, line, label };
  });
}

function fractionsOf(row) {
  const words = [];
  if (row.fractions?.length && row.planned) words.push(`${count(row.fractions.length)} of ${count(row.planned)} fractions delivered`);
  else if (row.fractions?.length) words.push(`${plural(row.fractions.length, "fraction")} delivered`);
  else if (row.planned) words.push(`${plural(row.planned, "fraction")} planned`);
  if (row.records && row.records !== row.fractions?.length) words.push(plural(row.records, "record"));
  return words.join(", ");
}

function rowHead(row, y, height) {
  const head = svg("g", {});
  const of = (text, dy, attributes) => head.append(svg("text", { x: 12, y: y + dy, ...attributes }, fit(text, SMALL, GUTTER - 24)));
  of(row.name, 16, { class: "row-name" });
  const said = fractionsOf(row);
  if (said) of(said, 32, { class: "row-said" });
  if (row.fractions?.length && row.planned) {
    const full = GUTTER - 40, part = Math.min(1, row.fractions.length / row.planned);
    const over = row.fractions.length > row.planned;
    head.append(svg("rect", { x: 12, y: y + 40, width: full, height: 7, rx: 3.5, fill: COLOUR.study_line }));
    head.append(svg("rect", { x: 12, y: y + 40, width: Math.max(4, full * part), height: 7, rx: 3.5, fill: over ? COLOUR.problem : COLOUR.info }));
  }
  head.append(svg("line", { x1: 0, x2: 99999, y1: y + height, y2: y + height, stroke: COLOUR.study_line }));
  return head;
}

function drawAxis(top, bottom, x) {
  const axis = svg("g", { class: "axis" });
  let last = -Infinity;
  for (const [when, text] of graph.timeline.ticks) {
    axis.append(svg("line", { x1: x(when), x2: x(when), y1: top, y2: bottom, stroke: COLOUR.study_line }));
    if (x(when) - last < 84) continue;
    axis.append(svg("text", { x: x(when) + 3, y: top - 10 }, text));
    last = x(when);
  }
  for (const [when, text] of graph.timeline.cuts) {
    axis.append(svg("rect", { x: x(when) - 9, y: top, width: 18, height: bottom - top, fill: COLOUR.paper }));
    const word = svg("text", { x: 0, y: 4, "text-anchor": "middle", transform: `translate(${x(when)} ${(top + bottom) / 2}) rotate(-90)` }, `⋯ ${text} ⋯`);
    axis.append(word);
  }
  return axis;
}

function drawMark({ id, left, label }, y) {
  const node = nodes[id];
  const { fill, line, dashed } = look(node);
  const mark = svg("g", { class: "mark", tabindex: graph.timeline.marks.length <= 300 ? "0" : "-1", role: "button" });
  mark.append(svg("title", {}, [named(node), detail(node, "datetime") || detail(node, "SeriesDate") || ""].join("\n")));
  mark.append(svg("rect", { x: left, y, width: MARK, height: MARK, rx: 3, fill, stroke: dashed ? line : "rgba(0,0,0,.45)", ...(dashed ? { "stroke-dasharray": "3 2" } : {}) }));
  if (label) mark.append(svg("text", { x: left + MARK + 4, y: y + 11 }, label));
  const choose = () => select(id);
  mark.addEventListener("click", choose);
  mark.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } });
  marks.set(id, { mark, x: left + MARK / 2, y: y + MARK / 2 });
  return mark;
}

function drawTimeline() {
  const place = $("timeline");
  marks.clear();
  const { rows, width: days, undated } = graph.timeline;
  const room = Math.max(300, place.clientWidth - GUTTER - 170);
  const scale = Math.max(room / Math.max(1, days), 3);
  const x = (when) => GUTTER + 14 + when * scale;
  const byRow = rows.map(() => []);
  for (const mark of graph.timeline.marks) if (inTime(nodes[mark[0]])) byRow[mark[1]].push(mark);
  const body = svg("g", {});
  const heads = svg("g", {});
  let y = AXIS;
  rows.forEach((row, i) => {
    const line = byRow[i].sort((a, b) => a[2] - b[2]);
    const items = line.length ? stacked(line, x) : [];
    const depth = 1 + Math.max(0, ...items.map((item) => item.line));
    const height = Math.max(depth * (MARK + 6) + 12, row.planned && row.fractions ? 58 : fractionsOf(row) ? 44 : 30);
    heads.append(rowHead(row, y, height));
    for (const item of items) body.append(drawMark(item, y + 8 + item.line * (MARK + 6)));
    y += height;
  });
  const width = x(days) + 170;
  const all = svg("svg", { width, height: y + 12, viewBox: `0 0 ${width} ${y + 12}`, role: "group", "aria-label": "Timeline" });
  const chains = svg("g", { class: "chains" });
  for (const [before, after] of graph.timeline.chains) {
    const a = marks.get(before), b = marks.get(after);
    if (!a || !b) continue;
    chains.append(svg("path", { d: `M ${a.x} ${a.y + MARK / 2} C ${a.x + 30} ${a.y + 26}, ${b.x - 50} ${b.y + 16}, ${b.x - MARK / 2 - 1} ${b.y + 3}`, fill: "none", stroke: COLOUR.info, "stroke-width": 2, "marker-end": "url(#tip)" }));
  }
  const tip = svg("marker", { id: "tip", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" });
  tip.append(svg("path", { d: "M 0 0 L 8 4 L 0 8 z", fill: COLOUR.info }));
  const defs = svg("defs", {});
  defs.append(tip);
  all.append(defs, drawAxis(AXIS, y, x), heads, chains, body);
  const notes = element("p", "quiet", rows.length ? "" : "Nothing has a date.");
  if (undated.length) notes.textContent = `${plural(undated.length, "box")} without a date: ${undated.slice(0, 6).map((id) => named(nodes[id])).join("; ")}${undated.length > 6 ? " …" : ""}`;
  if (graph.timeline.chains.length) notes.textContent = [notes.textContent, "Blue arrows lead from a plan or structure set to the one that names it as the one before."].filter(Boolean).join(" ");
  place.replaceChildren(all, notes);
  markTimeline();
}

function markTimeline() {
  if ($("timeline").hidden) return;
  const chosen = told;
  const near = new Set();
  if (chosen !== null) for (const edge of around[chosen]) if (edge.kind === "REFERENCES") { near.add(edge.from); near.add(edge.to); }
  for (const [id, { mark }] of marks) mark.setAttribute("class", id === chosen ? "mark chosen" : near.has(id) ? "mark near" : "mark");
}

function showView(name) {
  const time = name === "time";
  $("timeline").hidden = !time;
  $("canvas").hidden = time;
  $("hint").hidden = time;
  $("zoom").hidden = time;
  $("show-references").setAttribute("aria-selected", String(!time));
  $("show-time").setAttribute("aria-selected", String(time));
  if (time) drawTimeline();
  else { network.setSize("100%", "100%"); network.redraw(); }
}
$("show-references").addEventListener("click", () => showView("references"));
$("show-time").addEventListener("click", () => showView("time"));
window.addEventListener("resize", () => { if (!$("timeline").hidden) drawTimeline(); });
