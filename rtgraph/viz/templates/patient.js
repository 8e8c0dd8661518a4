"use strict";
// Draws the figure from the JSON block. Text from files only ever reaches the page as
// textContent or as text on the canvas.
(() => {
  const graph = JSON.parse(document.getElementById("graph").textContent);
  const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const INK = "#16202c", SLATE = "#64748b", PROBLEM = "#b3261e";
  const [WIDTH, HEIGHT] = graph.size, SIZE = 14, MARGIN = 8;
  const colours = new Map(graph.modalities.map((row) => [row.modality, row]));
  const boxes = new Map(graph.nodes.map((node) => [node.id, node]));
  const linesOf = (kind) => graph.edges.filter((edge) => edge.kind === kind);
  const $ = (id) => document.getElementById(id);

  const named = (box) => `${box.modality} · ${box.name}`;
  const unresolved = (edge) => edge.n_missing > 0 || boxes.get(edge.to).status === "missing";

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function paint(target, modality) {
    target.style.background = colours.get(modality).fill;
    target.style.color = colours.get(modality).text;
    return target;
  }

  // ---- the network ----

  const measure = document.createElement("canvas").getContext("2d");
  measure.font = `${SIZE}px ${FONT}`;

  // Labels stay plain text: the markup of vis-network, for a bold line, fails on brackets.
  function fit(text) {
    const wide = (shown) => measure.measureText(shown).width > WIDTH - 2 * MARGIN;
    if (!wide(text)) return text;
    const kept = Array.from(text);
    while (kept.length && wide(kept.join("") + "…")) kept.pop();
    return kept.join("") + "…";
  }

  function drawnNode(box) {
    const missing = box.status === "missing", bad = box.status !== "present";
    const { fill, text } = colours.get(box.modality);
    const colour = { background: missing ? "#ffffff" : fill, border: bad ? PROBLEM : "rgba(0,0,0,.3)" };
    return {
      id: box.id, x: box.x, y: box.y, shape: "box",
      label: box.label.split("\n").filter(Boolean).map(fit).join("\n"),
      title: `${named(box)}\n${state(box)}`,
      color: { ...colour, highlight: { ...colour, border: INK }, hover: colour },
      font: { color: missing ? PROBLEM : text },
      borderWidth: bad ? 2.5 : 1, borderWidthSelected: 3.5,
      shapeProperties: { borderDashes: bad ? [7, 5] : false, borderRadius: 7 },
    };
  }

  const broken = (role) => role.replace(/(.{9,}?_)(?=.{4})/g, "$1\n");

  // one line for all roles between two boxes: two lines would cover each other
  function drawnEdges() {
    const lines = new Map();
    for (const edge of graph.edges) {
      const key = JSON.stringify([edge.from, edge.to, edge.kind]);
      if (!lines.has(key)) lines.set(key, { ...edge, id: key, roles: [], said: [], bad: false });
      const line = lines.get(key);
      line.roles.push(edge.role);
      line.said.push([edge.role, targets(edge)].filter(Boolean).join(": "));
      line.bad ||= unresolved(edge);
    }
    stagger(Array.from(lines.values()).filter((line) => line.kind === "REFERENCES"));
    return Array.from(lines.values(), (line) => {
      const { id, from, to, kind } = line;
      if (kind === "SHARES_FOR") {
        return { id, from, to, kind, arrows: "", dashes: [2, 5], width: 1.5,
          color: { color: "#94a3b8", highlight: INK, hover: INK }, smooth: false };
      }
      return { id, from, to, kind, arrows: "to", title: line.said.join("\n"),
        label: line.roles.map(broken).join("\n"),
        dashes: line.bad ? [7, 5] : false,
        color: { color: line.bad ? PROBLEM : SLATE, highlight: INK, hover: INK },
        font: { color: line.bad ? PROBLEM : "#475569", vadjust: line.shift } };
    });
  }

  // roles stand in the middle of their lines; those that would meet there are moved up or down
  function stagger(lines) {
    const middle = (axis) => (line) => boxes.get(line.from)[axis] + boxes.get(line.to)[axis];
    const x = middle("x"), y = middle("y");
    lines.sort((a, b) => y(a) - y(b) || x(a) - x(b));
    lines.forEach((line, i) => {
      const before = lines[i - 1];
      const near = before && y(before) === y(line) && x(line) - x(before) < WIDTH;
      line.step = near ? (before.step + 1) % 3 : 0;
      line.shift = [0, -26, 26][line.step];
    });
  }

  const hiddenModalities = new Set();
  const visible = (id) => !hiddenModalities.has(boxes.get(id).modality);
  const nodes = new vis.DataView(new vis.DataSet(graph.nodes.map(drawnNode)), {
    filter: (node) => visible(node.id),
  });
  const edges = new vis.DataView(new vis.DataSet(drawnEdges()), {
    filter: (edge) => visible(edge.from) && visible(edge.to)
      && (edge.kind === "REFERENCES" || $("shares").checked),
  });
  const network = new vis.Network($("canvas"), { nodes, edges }, {
    physics: false,
    layout: { improvedLayout: false },
    interaction: { hover: true, tooltipDelay: 200, keyboard: { enabled: true, bindToWindow: false } },
    nodes: {
      margin: MARGIN, // which comes on top of these
      widthConstraint: { minimum: WIDTH - 2 * MARGIN },
      heightConstraint: { minimum: HEIGHT - 2 * MARGIN },
      labelHighlightBold: false, font: { face: FONT, size: SIZE },
    },
    edges: {
      width: 1.4, selectionWidth: 1.2, hoverWidth: 0.6,
      arrows: { to: { scaleFactor: 0.6 } },
      smooth: { enabled: true, type: "cubicBezier", forceDirection: "vertical", roundness: 0.35 },
      font: { face: FONT, size: 11.5, strokeWidth: 4, strokeColor: "#ffffff", align: "horizontal" },
      scaling: { label: { drawThreshold: 5 } },
    },
  });
  const fitAll = () => network.fit({ maxZoomLevel: 1.1, animation: false });
  const zoom = (by) => network.moveTo({ scale: network.getScale() * by });
  network.once("afterDrawing", fitAll); // sizes are known from then on
  $("fit").addEventListener("click", fitAll);
  $("zoom-in").addEventListener("click", () => zoom(1.25));
  $("zoom-out").addEventListener("click", () => zoom(0.8));

  // ---- the panel ----

  function state(box) {
    const all = box.n_instances + box.n_missing;
    if (all === 0) return "missing: only references name this series";
    if (box.kind === "object") return box.n_missing ? "missing: only references name it" : "present";
    const images = all === 1 ? "1 image" : `${all} images`;
    if (box.status === "missing") return `${images} missing: only references name them`;
    return box.n_missing ? `${box.n_instances} of ${images} present, ${box.n_missing} missing` : images;
  }

  function targets(edge) {
    if (edge.kind === "SHARES_FOR") return "";
    if (edge.n_targets === null) return "the series";
    return edge.n_missing ? `${edge.n_targets}, ${edge.n_missing} missing` : String(edge.n_targets);
  }

  async function copy(text, button) {
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
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  }

  function detailList(box) {
    const list = element("dl");
    for (const [name, value] of box.details) {
      const isUid = name.endsWith("UID");
      const pair = element("div", isUid ? "uid" : "");
      const row = element("dd");
      const text = element(isUid ? "code" : "span", "", value);
      text.dir = "auto";
      row.append(text);
      if (isUid) {
        const button = element("button", "", "copy");
        button.type = "button";
        button.setAttribute("aria-label", `copy ${name}`);
        button.addEventListener("click", () => copy(value, button));
        row.append(button);
      }
      pair.append(element("dt", "", name), row);
      list.append(pair);
    }
    return list;
  }

  function reveal(id) {
    network.selectNodes([id]);
    const { x, y } = network.canvasToDOM(network.getPosition(id));
    const { width, height } = $("canvas").getBoundingClientRect();
    if (x < 0 || y < 0 || x > width || y > height) network.focus(id, { scale: network.getScale() });
  }

  function goTo(id, className, text) {
    const button = element("button", className, text);
    button.type = "button";
    button.addEventListener("click", () => {
      if (visible(id)) reveal(id);
      show(id);
      $("panel").scrollIntoView({ block: "nearest" });
    });
    return button;
  }

  function referenceList(title, found, otherEnd) {
    if (!found.length) return [];
    const list = element("ul");
    for (const edge of found) {
      const other = boxes.get(edge[otherEnd]);
      const go = goTo(other.id, unresolved(edge) ? "go bad" : "go", named(other));
      const how = [edge.role, edge.n_targets > 1 || edge.n_missing ? targets(edge) : ""];
      if (edge.role) go.append(element("small", "", how.filter(Boolean).join(" · ")));
      const item = element("li");
      item.append(go);
      list.append(item);
    }
    return [element("h3", "", title), list];
  }

  function show(id) {
    const box = boxes.get(id);
    const panel = $("selection");
    if (!box) {
      panel.replaceChildren(element("p", "empty", "Nothing is selected."));
      return;
    }
    const what = element("p", "what");
    const name = element("strong", "", box.name);
    name.dir = "auto";
    what.append(paint(element("span", "tag", box.modality), box.modality), name);
    const of = (kind, end) => linesOf(kind).filter((edge) => edge[end] === id);
    panel.replaceChildren(
      what,
      element("p", box.status === "present" ? "state" : "state bad", state(box)),
      detailList(box),
      ...referenceList("Refers to", of("REFERENCES", "from"), "to"),
      ...referenceList("Referred to by", of("REFERENCES", "to"), "from"),
      ...referenceList("Shares the frame of reference with",
        [...of("SHARES_FOR", "from"), ...of("SHARES_FOR", "to").map((edge) => ({ ...edge, to: edge.from }))], "to"),
    );
  }
  network.on("selectNode", (event) => show(event.nodes[0]));
  network.on("deselectNode", (event) => show(event.nodes[0]));

  // ---- legend ----

  function refresh() {
    nodes.refresh();
    edges.refresh();
  }

  for (const { modality } of graph.modalities) {
    const label = element("label");
    const box = element("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) hiddenModalities.delete(modality);
      else hiddenModalities.add(modality);
      refresh();
    });
    const n = graph.nodes.filter((node) => node.modality === modality).length;
    label.append(box, paint(element("span", "swatch"), modality), element("span", "name", modality),
      element("b", "", n.toLocaleString("en")));
    const item = element("li");
    item.append(label);
    $("legend").append(item);
  }
  for (const [status, text] of [["missing", "missing"], ["partial", "partly missing"]]) {
    const n = graph.nodes.filter((node) => node.status === status).length;
    if (n === 0) continue;
    const item = element("li");
    item.append(element("span", `swatch ${status}`), element("span", "name", text), element("b", "", n.toLocaleString("en")));
    $("states").append(item);
  }
  $("n-shares").textContent = linesOf("SHARES_FOR").length.toLocaleString("en");
  $("shares").addEventListener("change", refresh);

  // ---- tables, for screen readers and text search ----

  function row(cells, bad) {
    const made = element("tr", bad ? "bad" : "");
    for (const cell of cells) {
      const td = element("td");
      td.dir = "auto";
      td.append(cell);
      made.append(td);
    }
    return made;
  }
  for (const box of graph.nodes) {
    $("box-table").tBodies[0].append(row(
      [box.modality, goTo(box.id, "", box.name), state(box), String(box.n_instances), box.id],
      box.status !== "present",
    ));
  }
  for (const edge of [...linesOf("REFERENCES"), ...linesOf("SHARES_FOR")]) {
    const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)];
    $("edge-table").tBodies[0].append(row(
      [goTo(from.id, "", named(from)), edge.role || "shares frame of reference",
        goTo(to.id, "", named(to)), targets(edge)],
      unresolved(edge),
    ));
  }

  window.rtgraph = { network, nodes, edges };
})();
