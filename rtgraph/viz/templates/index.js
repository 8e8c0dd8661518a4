"use strict";
// The index of many patients: one table that sorts by any column. Text is textContent only.

const graph = JSON.parse(document.getElementById("graph").textContent);
const $ = (id) => document.getElementById(id);
const count = (n) => n ? n.toLocaleString("en") : "";

// A column: its head, the value that sorts, and how a cell looks.
const columns = [
  { head: "patient", value: (e) => e.patient_key, cell: linkOf },
  ...graph.identifiers.map((name) => ({ head: name, value: (e) => e.identifiers[name] || "" })),
  { head: "studies", number: true, value: (e) => e.counts.studies || 0 },
  { head: "series", number: true, value: (e) => e.counts.series || 0 },
  { head: "boxes", number: true, value: (e) => e.n_boxes },
  { head: "unresolved", number: true, look: "unresolved", value: (e) => e.counts.unresolved || 0 },
  ...graph.severities.map((name) => ({ head: `${name}${name === "info" ? "" : "s"}`, number: true, look: name, value: (e) => e.findings[name] || 0 })),
  ...graph.modalities.map((name) => ({ head: name, number: true, value: (e) => e.modalities[name] || 0 })),
  { head: "first day", value: (e) => e.days[0] },
  { head: "last day", value: (e) => e.days[1] },
];

function linkOf(entry) {
  if (entry.problem) {
    const text = document.createElement("span");
    text.textContent = `${entry.patient_key} (${entry.problem})`;
    return text;
  }
  const link = document.createElement("a");
  link.href = `${encodeURIComponent(entry.patient_key)}.html`;
  link.textContent = entry.patient_key;
  return link;
}

function rowOf(entry) {
  const row = document.createElement("tr");
  for (const column of columns) {
    const cell = document.createElement("td");
    const value = column.value(entry);
    if (column.number) cell.classList.add("number");
    if (column.look && value) cell.classList.add(column.look);
    if (column.cell) cell.append(column.cell(entry));
    else cell.textContent = column.number ? count(value) : value;
    cell.dir = "auto";
    row.append(cell);
  }
  return row;
}

const heads = columns.map((column, i) => {
  const head = document.createElement("th");
  head.scope = "col";
  if (column.number) head.className = "number";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = column.head;
  button.addEventListener("click", () => sortBy(i));
  head.append(button);
  return head;
});
$("patients").tHead.rows[0].append(...heads);

const rows = graph.entries.map((entry) => {
  const row = rowOf(entry);
  return { entry, row, text: [...row.cells].map((cell) => cell.textContent).join("\n").toLowerCase() };
});
const isProblem = (e) => e.problem || e.counts.unresolved || Object.values(e.findings).some(Boolean);
let sorted = null, falling = false;

// Numbers fall first, words rise first; the same column again turns the order.
function sortBy(i) {
  falling = sorted === i ? !falling : Boolean(columns[i].number);
  sorted = i;
  const way = falling ? -1 : 1;
  const value = columns[i].value;
  rows.sort((a, b) => {
    const [x, y] = [value(a.entry), value(b.entry)];
    return x === y ? (a.entry.patient_key < b.entry.patient_key ? -1 : 1) : (x < y ? -1 : 1) * way;
  });
  heads.forEach((head, n) => {
    if (n === i) head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
  show();
}

function show() {
  const wanted = $("search").value.trim().toLowerCase();
  const shown = rows.filter(({ entry, text }) => (!$("problems").checked || isProblem(entry))
    && (!wanted || text.includes(wanted)));
  $("patients").tBodies[0].replaceChildren(...shown.map(({ row }) => row));
  $("shown").textContent = shown.length === rows.length ? "" : `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
}
$("search").addEventListener("input", show);
$("problems").addEventListener("change", show);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.tagName === "INPUT") return;
  event.preventDefault();
  $("search").focus();
});
sortBy(0);
