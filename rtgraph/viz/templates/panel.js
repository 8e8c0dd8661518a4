// What is told about the selected box: details, findings, references, links.

async function copy(text, from) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea"); // where the clipboard is closed, as in a notebook
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  from.textContent = "copied";
  setTimeout(() => { from.textContent = "copy"; }, 1500);
}

function detailList(node) {
  const list = element("dl");
  for (const [name, value] of detailsOf(node)) {
    const isUid = name.endsWith("UID");
    const pair = element("div", isUid || value.length > 60 ? "uid" : "");
    const row = element("dd");
    const text = element(isUid ? "code" : "span", "", value);
    text.dir = "auto";
    row.append(text);
    if (isUid) {
      const copies = button("", "copy", () => copy(value, copies));
      copies.setAttribute("aria-label", `copy ${name}`);
      row.append(copies);
    }
    pair.append(element("dt", "", name), row);
    list.append(pair);
  }
  return list;
}

// A box that is reached from anywhere: select it, and bring it into sight.
function goTo(id, className, text) {
  return button(className, text, () => select(id, { reveal: true }));
}

function referenceList(title, found, otherEnd) {
  if (!found.length) return [];
  const list = element("ul");
  const rest = found.slice(60);
  const add = (edge) => {
    const other = nodes[edge[otherEnd]];
    const go = goTo(other.id, isUnresolved(edge) ? "go bad" : "go", named(other));
    go.dir = "auto";
    const how = [edge.role, edge.targets > 1 || edge.lost ? targetsOf(edge) : "",
      edge.kind === "INFERRED_LINK" ? "inferred, not stated" : ""];
    if (edge.role) go.append(element("small", "", how.filter(Boolean).join(" · ")));
    const item = element("li");
    item.append(go);
    list.append(item);
  };
  found.slice(0, 60).forEach(add);
  if (rest.length) {
    const more = element("li");
    more.append(button("go", `${count(rest.length)} more`, () => { more.remove(); rest.forEach(add); }));
    list.append(more);
  }
  return [element("h3", "", title), list];
}

function link(text, address) {
  const made = element("a", "", text);
  made.href = address;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  return made;
}

// The address of a viewer for a box, from the template that was given; null when a part is lacking.
function viewerOf(node) {
  let lacking = false;
  const address = graph.links.template.replace(/\{([A-Za-z_]+)\}/g, (_, name) => {
    const value = graph.links.values[name] ?? detail(node, name);
    lacking ||= value === undefined;
    return encodeURIComponent(value ?? "");
  });
  return lacking || !/^https?:$/.test(new URL(address).protocol) ? null : address;
}
// The link to a node and its surroundings in Neo4j Browser; none for what has no UID.
function browserLink(uid) {
  if (!graph.links.browser || !/^[0-9]+(\.[0-9]+)+$/.test(uid || "") || uid.length > 64) return null;
  const [address, standIn] = graph.links.browser;
  return link("Open in Neo4j Browser", address.replaceAll(standIn, `%27${uid}%27`));
}

function linkList(node) {
  const list = element("p", "links");
  if (node.members) return [];
  const address = graph.links.template ? viewerOf(node) : null;
  if (address) list.append(link("Open in the viewer", address));
  const uid = detail(node, node.kind === "object" ? "SOPInstanceUID" : "SeriesInstanceUID");
  const browser = browserLink(uid);
  if (browser) list.append(browser);
  return list.childElementCount ? [list] : [];
}

function findingItem(finding, withBox) {
  const rule = graph.rules[finding.rule] || {};
  const item = element("li", `finding ${finding.waived ? "waived" : finding.severity}`);
  const head = element("p");
  head.append(element("span", "tag", finding.waived ? "waived" : finding.severity), element("b", "", finding.rule));
  item.append(head, element("p", "", rule.title || "a check of another version of rtgraph"));
  if (finding.target) item.append(element("p", "quiet", `with ${finding.target}`));
  if (withBox !== undefined) item.append(goTo(withBox, "go", named(nodes[withBox])));
  else if (finding.about) item.append(element("p", "quiet", finding.about));
  if (rule.fix) item.append(element("p", "fix", rule.fix));
  if (finding.since) item.append(element("p", "quiet", `since ${finding.since}`));
  const links = element("p", "links");
  const own = finding.link ? link("Open in Neo4j Browser", finding.link) : browserLink(finding.about);
  if (own) links.append(own);
  if (rule.link) links.append(link(`All of ${finding.rule} in Neo4j Browser`, rule.link));
  if (links.childElementCount) item.append(links);
  return item;
}
function findingList(title, found) {
  if (!found.length) return [];
  const list = element("ul");
  list.append(...found);
  return [element("h3", "", title), list];
}

function groupPart(node) {
  if (node.members) {
    const isOpen = view.open.has(node.id);
    const list = element("ul");
    for (const id of node.members.slice(0, 200)) {
      const item = element("li");
      item.append(goTo(id, "go", nameOf(nodes[id])));
      list.append(item);
    }
    if (node.members.length > 200) list.append(element("li", "quiet", `and ${count(node.members.length - 200)} more; the search finds them`));
    return [button("", isOpen ? "Close the group" : `Draw all ${count(node.members.length)}`, () => toggle(node.id)),
      element("h3", "", "Members"), list];
  }
  if (node.group === undefined) return [];
  const text = view.open.has(node.group) ? "Close its group" : `In the group ${nameOf(nodes[node.group])}: draw all`;
  return [button("", text, () => toggle(node.group))];
}

function show(id) {
  const panel = $("selection");
  if (id === null) {
    panel.replaceChildren(element("p", "quiet", "Nothing is selected. Click a box, or search."));
    return;
  }
  const node = nodes[id];
  const what = element("p", "what");
  const name = element("strong", "", node.members ? node.tally : nameOf(node));
  name.dir = "auto";
  what.append(paint(element("span", "tag", node.modality), node.modality), name);
  const wrong = node.status !== "present" ? "state bad" : node.ambiguous ? "state odd" : "state";
  const all = node.members ? [] : around[id];
  const from = (kind) => all.filter((edge) => edge.kind === kind && edge.from === id);
  const to = (kind) => all.filter((edge) => edge.kind === kind && edge.to === id);
  const found = node.findings.map((i) => graph.findings[i]);
  panel.replaceChildren(
    what,
    element("p", wrong, stateOf(node)),
    ...linkList(node),
    ...findingList("Findings", found.map((f) => findingItem({ ...f, about: "" }))),
    ...groupPart(node),
    detailList(node),
    ...referenceList("Refers to", from("REFERENCES"), "to"),
    ...referenceList("Referred to by", to("REFERENCES"), "from"),
    ...referenceList("Inferred links", [...from("INFERRED_LINK"),
      ...to("INFERRED_LINK").map((edge) => ({ ...edge, to: edge.from }))], "to"),
    ...referenceList("Shares the frame of reference with", [...from("SHARES_FOR"),
      ...to("SHARES_FOR").map((edge) => ({ ...edge, to: edge.from }))], "to"),
  );
}

// Select a box or group everywhere: figure, panel, timeline. A box in a closed group is shown there.
let told = null; // what the panel tells about
function select(id, { reveal = false } = {}) {
  let drawn = id === null ? null : shownAs(nodes[id]).id;
  if (drawn !== null && !drawnNodes.get(drawn)) drawn = null;
  view.selected = drawn;
  if (drawn === null) network.unselectAll();
  else network.selectNodes([drawn]);
  if (reveal && drawn !== null) bringIntoSight(drawn);
  told = id;
  show(id);
  markTimeline();
}
function bringIntoSight(id) {
  const place = network.getPosition(id);
  const { x, y } = network.canvasToDOM(place);
  const { width, height } = $("canvas").getBoundingClientRect();
  const scale = Math.max(network.getScale(), 0.6);
  const outside = x < 60 || y < 40 || x > width - 60 || y > height - 40;
  if (outside || scale !== network.getScale()) network.moveTo({ position: place, scale });
}

// Open or close a group.
function toggle(id) {
  if (!view.open.delete(id)) view.open.add(id);
  refresh();
  select(told === null ? id : told);
}

network.on("selectNode", (event) => select(event.nodes[0]));
network.on("deselectNode", (event) => select(event.nodes.length ? event.nodes[0] : null));
network.on("doubleClick", (event) => {
  const node = event.nodes.length ? nodes[event.nodes[0]] : null;
  if (node?.members) toggle(node.id);
  else if (node?.group !== undefined) toggle(node.group);
});
