"use strict";
// The data of the page and what follows from it: which boxes and lines are shown, and where.
// Text from files reaches the page only as textContent or as text on the canvas.

const graph = JSON.parse(document.getElementById("graph").textContent);
const $ = (id) => document.getElementById(id);
const COLOUR = graph.colours;
const [WIDTH, HEIGHT] = graph.box;
const [PITCH, ROW] = graph.pitch;
const modalities = new Map(graph.modalities.map((row) => [row.modality, row]));

// The number of a node is its place in the list: single boxes first, then groups.
const nodes = graph.nodes.map((node) => ({
  status: "present", kind: "object", n: 0, lost: 0, findings: [], tally: "", details: [], ...node,
  uid: node.uid === undefined ? "" : graph.texts[node.uid],
}));
const boxes = nodes.filter((node) => !node.members);
const groups = nodes.filter((node) => node.members);
const edges = graph.edges.map((edge) => ({
  kind: "REFERENCES", lost: 0, ...edge, role: edge.role === undefined ? "" : graph.texts[edge.role],
}));
const around = nodes.map(() => []); // edges at each box
for (const edge of edges) {
  around[edge.from].push(edge);
  around[edge.to].push(edge);
}

const view = {
  open: new Set(), // groups whose members are drawn
  hiddenModalities: new Set(),
  hiddenRoles: new Set(),
  shares: false, inferred: true, problems: false,
  selected: null, // a box or group
  matches: new Set(), // boxes that the search has found
};

const nameOf = (node) => node.members ? `${node.modality} ${node.tally}` : node.name || node.label || node.modality;
const named = (node) => node.members ? `${nameOf(node)} ${node.label}`.trim() : `${node.modality} · ${nameOf(node)}`;
// Names and values, which stand as numbers of texts one after the other.
const detailsOf = (node) => Array.from({ length: node.details.length / 2 },
  (_, i) => [graph.texts[node.details[2 * i]], graph.texts[node.details[2 * i + 1]]]);
const detail = (node, wanted) => (detailsOf(node).find(([name]) => name === wanted) || [])[1];
const openFindings = (node) => node.findings.map((i) => graph.findings[i]).filter((f) => !f.waived);
const isProblem = (node) => node.status !== "present" || node.ambiguous === true || openFindings(node).length > 0;
const isUnresolved = (edge) => edge.kind === "REFERENCES"
  && (edge.lost > 0 || nodes[edge.to].status === "missing");
const count = (n) => n.toLocaleString("en");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : word.endsWith("x") ? "es" : "s"}`;

// The node that stands for a box now: itself, or the group that it is folded into.
const shownAs = (box) => box.group !== undefined && !view.open.has(box.group) ? nodes[box.group] : box;

function stateOf(node) {
  if (node.members) return `${count(node.members.length)} boxes with the same surroundings`;
  const all = node.n + node.lost;
  const words = [];
  if (all === 0) words.push("missing: only references name this series");
  else if (node.kind === "object") words.push(node.lost ? "missing: only references name it" : "present");
  else if (node.status === "missing") words.push(`${node.tally}: only references name them`);
  else words.push(node.lost ? `${node.tally} present, ${count(node.lost)} missing` : node.tally);
  if (node.ambiguous) words.push("stated in more than one place");
  return words.join("; ");
}

function targetsOf(edge) {
  if (edge.kind !== "REFERENCES") return "";
  if (edge.targets === undefined) return "the series";
  return edge.lost ? `${count(edge.targets)}, ${count(edge.lost)} missing` : count(edge.targets);
}

const isEdgeOn = (edge) => edge.kind === "SHARES_FOR" ? view.shares
  : edge.kind === "INFERRED_LINK" ? view.inferred : !view.hiddenRoles.has(edge.role);

// What is drawn now: nodes with their places, lines between them, frames of studies.
function scene() {
  const shown = new Set();
  for (const box of boxes) {
    if (!view.hiddenModalities.has(box.modality)) shown.add(shownAs(box).id);
  }
  let lines = linesBetween(shown);
  if (view.problems) {
    const kept = new Set([...shown].filter((id) => isProblem(nodes[id])));
    const troubled = new Set(kept);
    for (const line of lines) {
      if (line.kind !== "REFERENCES") continue;
      if (troubled.has(line.from)) kept.add(line.to);
      if (troubled.has(line.to)) kept.add(line.from);
    }
    for (const id of [...shown]) if (!kept.has(id)) shown.delete(id);
    lines = lines.filter((line) => shown.has(line.from) && shown.has(line.to));
  }
  const { places, frames } = placed();
  const drawn = [...shown].map((id) => ({ node: nodes[id], ...places.get(id) }));
  const holds = ({ rect: [left, top, right, bottom] }) => drawn.some(
    ({ x, y }) => x > left && x < right && y > top && y < bottom);
  return { nodes: drawn, lines, frames: frames.filter(holds) };
}

// One line for all edges of a kind between two nodes: two lines would cover each other.
function linesBetween(shown) {
  const lines = new Map();
  for (const edge of edges) {
    if (!isEdgeOn(edge)) continue;
    let from = shownAs(nodes[edge.from]).id;
    let to = shownAs(nodes[edge.to]).id;
    if (from === to || !shown.has(from) || !shown.has(to)) continue;
    if (edge.kind === "SHARES_FOR" && from > to) [from, to] = [to, from];
    const id = `${from} ${to} ${edge.kind}`;
    if (!lines.has(id)) lines.set(id, { id, from, to, kind: edge.kind, edges: [], bad: false });
    const line = lines.get(id);
    line.edges.push(edge);
    line.bad ||= isUnresolved(edge);
  }
  return [...lines.values()];
}

const rolesOf = (line) => [...new Set(line.edges.map((edge) => edge.role).filter(Boolean))].sort();

// Places of all nodes. A group that is open needs room: everything to its right moves further
// right and everything beyond it further on, so that nothing comes to cover anything.
function placed() {
  const places = new Map();
  for (const { id, x, y } of nodes) if (x !== undefined) places.set(id, { x, y });
  let frames = graph.frames.map(({ title, rect }) => ({ title, rect }));
  const way = graph.up ? 1 : -1;
  for (const id of [...view.open].sort((a, b) => a - b)) {
    const members = nodes[id].members;
    const columns = Math.max(2, Math.min(8, Math.ceil(Math.sqrt(members.length))));
    const dx = (columns - 1) * PITCH;
    const dy = way * (Math.ceil(members.length / columns) - 1) * ROW;
    const { x, y } = places.get(id);
    const X = (value) => value > x ? value + dx : value;
    const Y = (value) => (value - y) * way > 0 ? value + dy : value;
    for (const place of places.values()) Object.assign(place, { x: X(place.x), y: Y(place.y) });
    frames = frames.map(({ title, rect: [left, top, right, bottom] }) => (
      { title, rect: [X(left), Y(top), X(right), Y(bottom)] }));
    members.forEach((member, i) => places.set(member, {
      x: x + (i % columns) * PITCH, y: y + way * Math.floor(i / columns) * ROW,
    }));
  }
  return { places, frames };
}

// The handles of the curve of a line, and a point on it.
function curve(a, b) {
  const reach = graph.bend * (b.y - a.y);
  return [a, { x: a.x, y: a.y + reach }, { x: b.x, y: b.y - reach }, b];
}
function pointOn(a, b, t) {
  const s = 1 - t;
  const weights = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
  const at = { x: 0, y: 0 };
  curve(a, b).forEach((p, i) => { at.x += weights[i] * p.x; at.y += weights[i] * p.y; });
  return at;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
function button(className, text, action) {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}
function paint(target, modality) {
  target.style.background = modalities.get(modality).fill;
  target.style.color = modalities.get(modality).text;
  return target;
}
