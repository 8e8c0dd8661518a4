// The same as tables, for screen readers and text search; filled after the figure is drawn.

function tableRow(cells, className) {
  const made = element("tr", className);
  for (const cell of cells) {
    const td = element("td");
    td.dir = "auto";
    td.append(cell);
    made.append(td);
  }
  return made;
}
const boxRow = (node) => tableRow(
  [node.modality, goTo(node.id, "", nameOf(node)), stateOf(node), count(node.n),
    openFindings(node).map((f) => f.rule).join(", "), node.uid], isProblem(node) ? "bad" : "");
const edgeRow = (edge) => tableRow(
  [goTo(edge.from, "", named(nodes[edge.from])),
    edge.kind === "SHARES_FOR" ? "shares frame of reference" : edge.kind === "INFERRED_LINK" ? `inferred: ${edge.role}` : edge.role,
    goTo(edge.to, "", named(nodes[edge.to])), targetsOf(edge)], isUnresolved(edge) ? "bad" : "");

const ORDER = { REFERENCES: 0, INFERRED_LINK: 1, SHARES_FOR: 2 };
const waiting = [
  ...boxes.map((node) => [$("box-table").tBodies[0], boxRow, node]),
  ...[...edges].sort((a, b) => ORDER[a.kind] - ORDER[b.kind]).map((edge) => [$("edge-table").tBodies[0], edgeRow, edge]),
];
// A slice at a time, so that a large patient does not hold up the page.
function fillTables() {
  for (const [body, made, item] of waiting.splice(0, 400)) body.append(made(item));
  if (waiting.length) setTimeout(fillTables, 20);
  else document.body.dataset.ready = "true";
}

show(null);
tellCounts();
setTimeout(fillTables, 0);
window.rtgraph = { network, view, scene, nodes, edges, select, toggle };
