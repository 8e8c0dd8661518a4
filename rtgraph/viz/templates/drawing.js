// The network: boxes, frames of studies, lines and their roles on the canvas of vis-network.

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";
const [NAME_SIZE, CAPTION_SIZE, TALLY_SIZE] = graph.sizes;
const BOLD = `600 ${NAME_SIZE}px ${FONT}`, PLAIN = `${CAPTION_SIZE}px ${FONT}`, SMALL = `${TALLY_SIZE}px ${FONT}`;
const TITLE = `600 ${CAPTION_SIZE}px ${FONT}`; // of a study
const [ROLE_SIZE, ROLE_LINE] = graph.label;
const INSET = graph.inset, RADIUS = 7, DASH = [7, 5];
const STACK = graph.up ? -1 : 1; // groups look like a pile, on the side at which no arrow ends
const TEXT_ZOOM = 0.42, ROLE_ZOOM = 0.5; // below these only modalities, and no roles, are drawn
const labelAt = new Map(graph.labels.map(([from, to, kind, t]) => [`${from} ${to} ${kind}`, t]));

const measure = document.createElement("canvas").getContext("2d");
const fitted = new Map();

// Text cut to a width; each text is measured once.
function fit(text, font, width) {
  const key = `${font} ${width} ${text}`;
  if (!fitted.has(key)) fitted.set(key, cut(text, font, width));
  return fitted.get(key);
}
function cut(text, font, width) {
  measure.font = font;
  if (measure.measureText(text).width <= width) return text;
  const letters = Array.from(text.slice(0, 200));
  let low = 0, high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const wide = measure.measureText(`${letters.slice(0, middle).join("")}…`).width > width;
    if (wide) high = middle - 1;
    else low = middle;
  }
  return `${letters.slice(0, low).join("").trimEnd()}…`;
}

function look(node) {
  const { fill, text } = modalities.get(node.modality);
  const wrong = node.status !== "present" ? COLOUR.problem : node.ambiguous ? COLOUR.ambiguous : null;
  const line = node.ambiguous ? COLOUR.ambiguous : wrong;
  const missing = node.status === "missing";
  return { fill: missing ? COLOUR.paper : fill, text: missing ? line : text, line, dashed: line !== null };
}

// Signs at the corners of a box: what is missing or odd at the left, findings at the right.
function badgesOf(node) {
  const { line } = look(node);
  const severity = severityOf(node), n = openFindings(node).length;
  return [
    ...(line ? [{ at: 2, colour: line, sign: "?" }] : []),
    ...(severity ? [{ at: WIDTH - 2, colour: COLOUR[severity], sign: n === 1 ? "!" : n > 9 ? "9+" : String(n) }] : []),
  ];
}

// The worst severity among the findings of a node, or null.
function severityOf(node) {
  const found = openFindings(node).map((finding) => finding.severity);
  return ["error", "warning", "info"].find((severity) => found.includes(severity)) || null;
}

function roundedBox(ctx, left, top) {
  ctx.beginPath();
  ctx.roundRect(left, top, WIDTH, HEIGHT, RADIUS);
}

function drawBox({ ctx, id, x, y, state }) {
  const node = nodes[id];
  const { fill, text, line, dashed } = look(node);
  const left = x - WIDTH / 2, top = y - HEIGHT / 2;
  const drawNode = () => {
    if (view.matches.has(id)) {
      ctx.fillStyle = "#fde68a";
      ctx.beginPath();
      ctx.roundRect(left - 8, top - 8, WIDTH + 16, HEIGHT + 16, RADIUS + 6);
      ctx.fill();
    }
    ctx.fillStyle = fill;
    ctx.lineWidth = 1;
    ctx.strokeStyle = "rgba(0,0,0,.35)";
    for (const off of node.members ? [8, 4] : []) {
      roundedBox(ctx, left + off, top + STACK * off);
      ctx.fill();
      ctx.stroke();
    }
    roundedBox(ctx, left, top);
    ctx.fill();
    if (state.selected) {
      ctx.lineWidth = 4;
      ctx.strokeStyle = COLOUR.ink;
    } else if (dashed) {
      ctx.lineWidth = 4;
      ctx.strokeStyle = COLOUR.paper; // so that the dashes show on any fill
      ctx.stroke();
      ctx.lineWidth = 2.5;
      ctx.strokeStyle = line;
    } else if (state.hover) {
      ctx.lineWidth = 2;
      ctx.strokeStyle = COLOUR.ink;
    }
    ctx.setLineDash(dashed ? DASH : []);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = text;
    ctx.textBaseline = "middle";
    if (network.getScale() < TEXT_ZOOM) drawFarText(ctx, node, x, y);
    else drawText(ctx, node, left, y);
    for (const { at, colour, sign } of badgesOf(node)) drawBadge(ctx, left + at, top, colour, sign);
  };
  return { drawNode, nodeDimensions: { width: WIDTH, height: HEIGHT } };
}

// A text on at most two lines; where no blank lets it break, it breaks between letters.
function wrapped(text, font, width) {
  const first = fit(text, font, width);
  if (first === text) return text ? [text] : [];
  const most = first.slice(0, -1), blank = most.lastIndexOf(" ");
  const end = text[most.length] === " " || blank < most.length / 3 ? most.length : blank;
  return [text.slice(0, end), fit(text.slice(end).trim(), font, width)];
}

// The texts of a box, cut to what fits: modality, tally, the lines of the caption.
function textsIn(node) {
  const width = WIDTH - 2 * INSET;
  const name = fit(node.modality, BOLD, width * 0.75);
  measure.font = BOLD;
  const room = width - measure.measureText(name).width - 6;
  return [name, fit(node.tally, SMALL, room), wrapped(node.label || "", PLAIN, width)];
}
function drawText(ctx, node, left, y) {
  const [name, tally, caption] = textsIn(node);
  const [top, ...below] = graph.lines_at[caption.length];
  ctx.textAlign = "right";
  ctx.font = SMALL;
  ctx.fillText(tally, left + WIDTH - INSET, y + top);
  ctx.textAlign = "left";
  ctx.font = BOLD;
  ctx.fillText(name, left + INSET, y + top);
  ctx.font = PLAIN;
  caption.forEach((text, i) => ctx.fillText(text, left + INSET, y + below[i]));
}

// From far away the modality alone is drawn, large.
function drawFarText(ctx, node, x, y) {
  const text = node.members ? `${node.modality} ${node.tally}` : node.modality;
  measure.font = `600 30px ${FONT}`;
  const size = Math.min(30, 30 * (WIDTH - 2 * INSET) / measure.measureText(text).width);
  ctx.font = `600 ${size}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.fillText(text, x, y);
}

function drawBadge(ctx, x, y, colour, sign) {
  ctx.beginPath();
  ctx.arc(x, y, 11, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.lineWidth = 2;
  ctx.strokeStyle = COLOUR.paper;
  ctx.stroke();
  ctx.fillStyle = COLOUR.badge_text;
  ctx.font = `700 13px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(sign, x, y + 0.5);
}

// Description and day of a frame in a width; the day only where there is room.
function titleParts([words, day], width) {
  const text = fit(words, TITLE, width);
  measure.font = TITLE;
  const room = width - measure.measureText(text).width - 12;
  measure.font = SMALL;
  return [text, measure.measureText(day).width <= room ? day : ""];
}

function drawFrames(ctx) {
  for (const { title, rect: [left, top, right, bottom] } of shown.frames) {
    ctx.beginPath();
    ctx.roundRect(left, top, right - left, bottom - top, 10);
    ctx.fillStyle = COLOUR.study;
    ctx.fill();
    ctx.lineWidth = 1;
    ctx.strokeStyle = COLOUR.study_line;
    ctx.stroke();
    const [words, day] = titleParts(title, right - left - 24);
    ctx.fillStyle = COLOUR.study_text;
    ctx.textBaseline = "middle";
    ctx.font = SMALL;
    ctx.textAlign = "right";
    ctx.fillText(day, right - 12, top + 17);
    ctx.font = TITLE;
    ctx.textAlign = "left";
    ctx.fillText(words, left + 12, top + 17);
  }
}

// A long role is broken at an underscore near its middle.
function broken(role) {
  if (role.length <= 16 || !role.includes("_")) return [role];
  let best = 0;
  for (let i = 0; i < role.length; i += 1) {
    if (role[i] === "_" && (!best || Math.abs(i + 1 - role.length / 2) < Math.abs(best - role.length / 2))) best = i + 1;
  }
  return [role.slice(0, best), role.slice(best)];
}
function wordsOn(line) {
  const roles = rolesOf(line);
  const words = roles.slice(0, 3).flatMap(broken);
  return roles.length > 3 ? [...words, `and ${roles.length - 3} more`] : words;
}
const colourOf = (line) => line.bad ? COLOUR.problem
  : line.kind === "SHARES_FOR" ? COLOUR.shared : line.kind === "INFERRED_LINK" ? COLOUR.inferred : COLOUR.line;

// Roles that have a place are always drawn; others, of the members of a group, when selected.
function drawRoles(ctx) {
  if (network.getScale() < ROLE_ZOOM) return;
  const places = new Map(shown.nodes.map(({ node, x, y }) => [node.id, { x, y }]));
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  for (const line of shown.lines) {
    const chosen = line.from === view.selected || line.to === view.selected;
    const t = labelAt.get(line.id) ?? (chosen ? 0.5 : null);
    if (t === null || line.kind === "SHARES_FOR") continue;
    const words = wordsOn(line);
    const at = pointOn(places.get(line.from), places.get(line.to), t);
    ctx.font = `${chosen ? 700 : 400} ${ROLE_SIZE}px ${FONT}`;
    ctx.lineWidth = 4;
    ctx.strokeStyle = COLOUR.study;
    ctx.fillStyle = line.bad ? COLOUR.problem : line.kind === "INFERRED_LINK" ? COLOUR.inferred : COLOUR.role;
    words.forEach((word, i) => {
      const y = at.y + (i - (words.length - 1) / 2) * ROLE_LINE;
      ctx.strokeText(word, at.x, y);
      ctx.fillText(word, at.x, y);
    });
  }
}

const asNode = ({ node, x, y }) => ({
  id: node.id, x, y, shape: "custom", ctxRenderer: drawBox,
  title: [named(node), stateOf(node), ...openFindings(node).map((f) => `${f.severity} ${f.rule}`)].join("\n"),
});
function asEdge(line) {
  const colour = colourOf(line);
  const said = line.edges.length > 5 ? [...rolesOf(line), plural(line.edges.length, "reference")]
    : line.edges.map((edge) => [edge.role, targetsOf(edge)].filter(Boolean).join(": "));
  const plainLine = line.kind === "SHARES_FOR";
  return {
    id: line.id, from: line.from, to: line.to, arrows: plainLine ? "" : "to",
    title: plainLine ? "shares the frame of reference" : line.kind === "INFERRED_LINK"
      ? `inferred, not stated: ${said.join("\n")}` : said.join("\n"),
    dashes: plainLine ? [2, 5] : line.bad || line.kind === "INFERRED_LINK" ? DASH : false,
    color: { color: colour, highlight: COLOUR.ink, hover: COLOUR.ink },
    ...(plainLine ? { smooth: false } : {}),
  };
}

let shown = scene();
const drawnNodes = new vis.DataSet(shown.nodes.map(asNode));
const drawnLines = new vis.DataSet(shown.lines.map(asEdge));
const network = new vis.Network($("canvas"), { nodes: drawnNodes, edges: drawnLines }, {
  physics: false,
  layout: { improvedLayout: false },
  interaction: { hover: true, tooltipDelay: 200, keyboard: false, multiselect: false },
  edges: {
    width: 1.5, selectionWidth: 1.2, hoverWidth: 0.6,
    arrows: { to: { scaleFactor: 0.65 } },
    smooth: { enabled: true, type: "cubicBezier", forceDirection: "vertical", roundness: graph.bend },
  },
});
network.on("beforeDrawing", drawFrames);
network.on("afterDrawing", drawRoles);

// The corners of what is shown, with the frames.
function extent() {
  const sides = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const take = (left, top, right, bottom) => Object.assign(sides, {
    left: Math.min(sides.left, left), top: Math.min(sides.top, top),
    right: Math.max(sides.right, right), bottom: Math.max(sides.bottom, bottom),
  });
  for (const { x, y } of shown.nodes) take(x - WIDTH / 2, y - HEIGHT / 2, x + WIDTH / 2, y + HEIGHT / 2);
  for (const { rect } of shown.frames) take(...rect);
  return sides.left === Infinity ? { left: 0, top: 0, right: 1, bottom: 1 } : sides;
}
function fitAll() {
  const { left, top, right, bottom } = extent();
  const { width, height } = $("canvas").getBoundingClientRect();
  const scale = Math.min(1.15, (width - 40) / (right - left), (height - 40) / (bottom - top));
  network.moveTo({ position: { x: (left + right) / 2, y: (top + bottom) / 2 }, scale: Math.max(scale, 0.02) });
}
const zoom = (by) => network.moveTo({ scale: Math.min(4, Math.max(0.02, network.getScale() * by)) });
function pan(dx, dy) {
  const { x, y } = network.getViewPosition();
  const step = 80 / network.getScale();
  network.moveTo({ position: { x: x + dx * step, y: y + dy * step } });
}

// Draw again after the view has changed.
function refresh() {
  shown = scene();
  const newNodes = shown.nodes.map(asNode), newLines = shown.lines.map(asEdge);
  const rest = (set, items) => {
    const kept = new Set(items.map((item) => item.id));
    return set.getIds().filter((id) => !kept.has(id));
  };
  drawnLines.remove(rest(drawnLines, newLines));
  drawnNodes.remove(rest(drawnNodes, newNodes));
  drawnNodes.update(newNodes);
  drawnLines.update(newLines);
  select(told);
  tellCounts();
  if (!$("timeline").hidden) drawTimeline();
}
fitAll();
network.once("afterDrawing", () => network.redraw()); // lines end at boxes, whose sizes are known now
