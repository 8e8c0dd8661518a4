// The figure as SVG, as it is shown now: to save it, and to print it sharply.

function svgText(x, y, text, size, colour, more = {}) {
  return svg("text", { x, y, "font-size": size, fill: colour, "font-family": FONT, ...more }, text);
}
function svgBox({ node, x, y }) {
  const { fill, text, line, dashed } = look(node);
  const left = x - WIDTH / 2, top = y - HEIGHT / 2;
  const box = svg("g", {});
  const rect = (off, more) => svg("rect", { x: left + off, y: top + STACK * off, width: WIDTH, height: HEIGHT, rx: RADIUS, fill, stroke: "#555", ...more });
  box.append(svg("title", {}, `${named(node)}\n${stateOf(node)}`));
  if (node.members) box.append(rect(8, {}), rect(4, {}));
  if (dashed) box.append(rect(0, { stroke: COLOUR.paper, "stroke-width": 4 }));
  box.append(rect(0, dashed ? { stroke: line, "stroke-width": 2.5, "stroke-dasharray": DASH.join(" ") } : {}));
  const [name, tally, caption] = textsIn(node);
  const [first, ...below] = graph.lines_at[caption.length].map((at) => y + at + 5); // base lines
  box.append(
    svgText(left + INSET, first, name, NAME_SIZE, text, { "font-weight": 600 }),
    svgText(left + WIDTH - INSET, first, tally, TALLY_SIZE, text, { "text-anchor": "end" }),
    ...caption.map((line, i) => svgText(left + INSET, below[i], line, CAPTION_SIZE, text)),
  );
  for (const { at, colour, sign } of badgesOf(node)) {
    box.append(svg("circle", { cx: left + at, cy: top, r: 11, fill: colour, stroke: COLOUR.paper, "stroke-width": 2 }));
    box.append(svgText(left + at, top + 5, sign, 13, COLOUR.badge_text, { "text-anchor": "middle", "font-weight": 700 }));
  }
  return box;
}
function svgLine(line, places) {
  const [a, b] = [places.get(line.from), places.get(line.to)];
  const colour = colourOf(line);
  const made = svg("g", {});
  const side = Math.sign(a.y - b.y) || 0;
  const end = { x: b.x, y: b.y + side * (HEIGHT / 2 + 2) };
  const [, c, d] = curve(a, end);
  const straight = line.kind === "SHARES_FOR" || side === 0;
  made.append(svg("path", {
    d: straight ? `M ${a.x} ${a.y} L ${b.x} ${b.y}` : `M ${a.x} ${a.y} C ${c.x} ${c.y} ${d.x} ${d.y} ${end.x} ${end.y}`,
    fill: "none", stroke: colour, "stroke-width": 1.5,
    ...(line.kind === "SHARES_FOR" ? { "stroke-dasharray": "2 5" } : line.bad || line.kind === "INFERRED_LINK" ? { "stroke-dasharray": "7 5" } : {}),
  }));
  if (line.kind === "SHARES_FOR") return made;
  const tip = side || 1;
  made.append(svg("path", { d: `M ${end.x} ${end.y} l -5 ${tip * 10} l 10 0 z`, fill: colour }));
  const t = labelAt.get(line.id);
  if (t === undefined) return made;
  const words = wordsOn(line), at = pointOn(a, b, t);
  words.forEach((word, i) => made.append(svgText(at.x, at.y + 4 + (i - (words.length - 1) / 2) * ROLE_LINE, word, ROLE_SIZE, line.bad ? COLOUR.problem : COLOUR.role,
    { "text-anchor": "middle", stroke: COLOUR.study, "stroke-width": 4, "paint-order": "stroke", "stroke-linejoin": "round" })));
  return made;
}
function figureAsSvg() {
  const { left, top, right, bottom } = extent();
  const [width, height] = [right - left + 40, bottom - top + 40];
  const all = svg("svg", { xmlns: SVG, viewBox: `${left - 20} ${top - 20} ${width} ${height}`, width, height });
  all.append(svg("title", {}, document.title));
  all.append(svg("rect", { x: left - 20, y: top - 20, width, height, fill: COLOUR.paper }));
  for (const { title, rect } of shown.frames) {
    all.append(svg("rect", { x: rect[0], y: rect[1], width: rect[2] - rect[0], height: rect[3] - rect[1], rx: 10, fill: COLOUR.study, stroke: COLOUR.study_line }));
    const [words, day] = titleParts(title, rect[2] - rect[0] - 24);
    all.append(svgText(rect[0] + 12, rect[1] + 21, words, CAPTION_SIZE, COLOUR.study_text, { "font-weight": 600 }),
      svgText(rect[2] - 12, rect[1] + 21, day, TALLY_SIZE, COLOUR.study_text, { "text-anchor": "end" }));
  }
  const places = new Map(shown.nodes.map(({ node, x, y }) => [node.id, { x, y }]));
  all.append(...shown.lines.map((line) => svgLine(line, places)), ...shown.nodes.map(svgBox));
  return all;
}
function timelineAsSvg() {
  const copy = $("timeline").querySelector("svg").cloneNode(true);
  copy.setAttribute("xmlns", SVG);
  for (const text of copy.querySelectorAll("text")) for (const [name, value] of [["font-family", FONT], ["font-size", "12"], ["fill", COLOUR.ink]]) text.setAttribute(name, value);
  copy.prepend(svg("rect", { width: "100%", height: "100%", fill: COLOUR.paper }));
  return copy;
}
function save() {
  const text = new XMLSerializer().serializeToString($("timeline").hidden ? figureAsSvg() : timelineAsSvg());
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const anchor = element("a");
  anchor.href = address;
  anchor.download = `${document.body.dataset.name}.svg`;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
$("save").addEventListener("click", save);
$("print").addEventListener("click", () => window.print());
window.addEventListener("beforeprint", () => {
  if ($("timeline").hidden) $("printed").replaceChildren(figureAsSvg());
});
window.addEventListener("afterprint", () => $("printed").replaceChildren());
