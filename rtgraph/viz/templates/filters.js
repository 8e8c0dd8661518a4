// Legend, roles, search, problems: what is shown, and how it is reached by keys.

function checkBox(list, checked, change, ...words) {
  const label = element("label");
  const box = element("input");
  box.type = "checkbox";
  box.checked = checked;
  box.addEventListener("change", () => { change(box.checked); refresh(); });
  label.append(box, ...words);
  const item = element("li");
  item.append(label);
  list.append(item);
  return box;
}
const amount = (n) => element("b", "", count(n));
const flip = (set, value) => (on) => { if (on) set.delete(value); else set.add(value); };

for (const { modality } of graph.modalities) {
  checkBox($("legend"), true, flip(view.hiddenModalities, modality),
    paint(element("span", "swatch"), modality), element("span", "name", modality),
    amount(boxes.filter((node) => node.modality === modality).length));
}
for (const [className, text, test] of [
  ["missing", "missing", (node) => node.status === "missing"],
  ["partial", "partly missing", (node) => node.status === "partial"],
  ["ambiguous", "stated in more than one place", (node) => node.ambiguous],
  ["found", "with findings", (node) => openFindings(node).length],
]) {
  const n = boxes.filter(test).length;
  if (n === 0) continue;
  const item = element("li", className);
  item.append(element("span", `swatch ${className}`), element("span", "name", text), amount(n));
  $("states").append(item);
}

const roleCounts = new Map();
for (const edge of edges) if (edge.kind === "REFERENCES") roleCounts.set(edge.role, (roleCounts.get(edge.role) || 0) + 1);
for (const [role, n] of [...roleCounts].sort(([a], [b]) => a < b ? -1 : 1)) {
  checkBox($("roles"), true, flip(view.hiddenRoles, role), element("span", "name", role), amount(n));
}
$("n-roles").textContent = count(roleCounts.size);
const ofKind = (kind) => edges.filter((edge) => edge.kind === kind).length;
checkBox($("kinds"), false, (on) => { view.shares = on; }, element("span", "line shares"),
  element("span", "name", "shares frame of reference"), amount(ofKind("SHARES_FOR"))).id = "shares";
if (ofKind("INFERRED_LINK")) {
  checkBox($("kinds"), true, (on) => { view.inferred = on; }, element("span", "line inferred"),
    element("span", "name", "inferred, not stated"), amount(ofKind("INFERRED_LINK"))).id = "inferred";
}
$("problems").addEventListener("change", () => {
  view.problems = $("problems").checked;
  refresh();
  fitAll();
});

function tellCounts() {
  const drawn = shown.nodes.length, all = nodes.filter((node) => node.x !== undefined).length;
  $("shown").textContent = drawn === all && view.open.size === 0 ? plural(all, "box")
    : `${count(drawn)} drawn`;
}

// ---- the list of problems ----

{
  const list = [];
  for (const node of boxes) {
    if (node.status === "present" && !node.ambiguous) continue;
    const item = element("li");
    const go = goTo(node.id, node.status === "present" ? "go" : "go bad", named(node));
    go.append(element("small", "", stateOf(node)));
    item.append(go);
    list.push(item);
  }
  const about = new Map();
  for (const node of boxes) for (const i of node.findings) if (!about.has(i)) about.set(i, node.id);
  graph.findings.forEach((finding, i) => {
    if (!finding.waived) list.push(findingItem(finding, about.get(i)));
  });
  $("n-problems").textContent = count(list.length);
  $("problem-list").append(...list.slice(0, 500));
  if (list.length > 500) $("problem-list").append(element("li", "quiet", `and ${count(list.length - 500)} more in the table below`));
  $("problem-section").hidden = list.length === 0;
}

// ---- search ----

const haystack = new Map();
function textOf(node) {
  if (!haystack.has(node)) {
    haystack.set(node, [node.modality, node.label, node.name, node.tally, node.uid,
      ...detailsOf(node).map(([, value]) => value)].filter(Boolean).join("\n").toLowerCase());
  }
  return haystack.get(node);
}
let found = [], at = -1;
function search() {
  const wanted = $("search").value.trim().toLowerCase();
  const all = wanted ? boxes.filter((node) => textOf(node).includes(wanted)) : [];
  found = all.filter((node) => drawnNodes.get(shownAs(node).id));
  at = -1;
  view.matches = new Set(found.map((node) => shownAs(node).id));
  const hidden = all.length - found.length;
  $("found").textContent = wanted ? `${count(found.length)} found${hidden ? `, ${count(hidden)} not shown` : ""}` : "";
  network.redraw();
}
function next(step) {
  if (!found.length) return;
  at = (at + step + found.length) % found.length;
  select(found[at].id, { reveal: true });
  $("found").textContent = `${count(at + 1)} of ${count(found.length)}`;
}
$("search").addEventListener("input", search);
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
  else if (event.key === "Escape") { $("search").value = ""; search(); }
  else return;
  event.preventDefault();
});

// ---- buttons and keys ----

$("fit").addEventListener("click", fitAll);
$("zoom-in").addEventListener("click", () => zoom(1.25));
$("zoom-out").addEventListener("click", () => zoom(0.8));

// From box to box, in reading order.
function step(by) {
  const order = [...shown.nodes].sort((a, b) => a.y - b.y || a.x - b.x).map(({ node }) => node.id);
  const now = order.indexOf(view.selected);
  if (order.length) select(order[(now + by + order.length) % order.length], { reveal: true });
}
const KEYS = {
  ArrowLeft: () => pan(-1, 0), ArrowRight: () => pan(1, 0), ArrowUp: () => pan(0, -1), ArrowDown: () => pan(0, 1),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), f: fitAll,
  n: () => step(1), p: () => step(-1), Escape: () => select(null),
  Enter: () => {
    const node = view.selected === null ? null : nodes[view.selected];
    const group = node?.members ? node.id : node?.group;
    if (group !== undefined) toggle(group);
  },
};
$("canvas").addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
  event.preventDefault();
  $("search").focus();
});
