// The document: each part changes in place, so that focus, selection and scroll position stay. Every text of the program
// becomes a text node, whatever it contains.

import { HeatMap, Sparkline } from "./charts.js";
import { duration, kind, number, plural, problem, quantity, rate, state } from "./words.js";

/** An element with a class and children; a text child becomes a text node. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Writes only what differs. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

function setClass(element, name) {
  if (element.className !== name) element.className = name;
}

function setTitle(element, title) {
  if (element.title !== title) element.title = title;
}

const views = new WeakMap();

/** One child for each row, in the order of the rows. A child stays the same element while its key is there. */
export function patch(parent, rows, keyOf, create) {
  const old = new Map();
  for (const child of parent.children) old.set(views.get(child).key, child);
  const copies = new Map();
  let place = parent.firstElementChild;
  for (const row of rows) {
    const base = keyOf(row);
    const copy = copies.get(base) ?? 0;
    copies.set(base, copy + 1);
    // Rows of one key are told apart by their order.
    const full = `${copy} ${base}`;
    let child = old.get(full);
    old.delete(full);
    if (child === undefined) {
      const view = create(row);
      view.key = full;
      child = view.element;
      views.set(child, view);
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
    views.get(child).update(row);
  }
  for (const child of old.values()) child.remove();
}

function key(...parts) {
  return JSON.stringify(parts);
}

// ---- What is wrong

export function showProblems(problems, total) {
  setHidden(byId("problems"), problems.length === 0);
  setText(byId("problems-title"), total === 1 ? "One thing is wrong" : `${number(total)} things are wrong`);
  showMore(byId("more-problems"), total - problems.length, "further one", "further ones");
  patch(byId("problem-list"), problems, (row) => key(row.kind, row.namespace, row.subject), problemView);
}

/** Says how many the program has left out of its answer. */
function showMore(element, count, one, several) {
  setHidden(element, !(count > 0));
  setText(element, `and ${plural(count, one, several)}`);
}

function problemView() {
  const before = make("span");
  const subject = make("b", "name");
  const after = make("span");
  const namespace = make("span", "tag");
  const detail = make("p", "detail");
  const sign = make("span", "sign", "⚠");
  sign.setAttribute("aria-hidden", "true");
  const element = make("li", "", sign, make("div", "", make("p", "", before, subject, after, " ", namespace), detail));
  const update = (row) => {
    const [start, end] = problem(row);
    setText(before, start);
    setText(subject, row.subject);
    setText(after, end);
    setText(namespace, row.namespace);
    setText(detail, row.detail);
    setHidden(detail, row.detail === "");
  };
  return { element, update };
}

// ---- Namespaces

/** `histories` has the event rates, `chosen` is the namespace that filters, `choose` is called by a click. */
export function showNamespaces(data, histories, chosen, choose) {
  const statuses = new Map();
  for (const { namespace, status } of data.runtimes) statuses.set(namespace, [...(statuses.get(namespace) ?? []), status]);
  const rows = data.namespaces.map((row) => ({ ...row, statuses: statuses.get(row.namespace) ?? [] }));
  // A runtime that was not started has no totals, and is shown all the same.
  for (const [namespace, states] of statuses) {
    if (!rows.some((row) => row.namespace === namespace)) rows.push({ namespace, statuses: states, recorders: null });
  }
  showMore(byId("more-namespaces"), data.namespaces_total - data.namespaces.length, "further namespace", "further namespaces");
  const container = byId("namespaces");
  patch(container, rows, (row) => row.namespace, () => namespaceView(histories, choose));
  for (const child of container.children) {
    const { button, namespace } = views.get(child);
    button.setAttribute("aria-pressed", String(namespace() === chosen));
  }
}

export function namespaceKey(namespace) {
  return key("namespace", namespace);
}

function namespaceView(histories, choose) {
  let current;
  const button = make("button", "name");
  button.type = "button";
  button.addEventListener("click", () => choose(current.namespace));
  const states = make("span", "states");
  const spark = new Sparkline();
  const figures = make("dl", "figures");
  const note = make("p", "quiet");
  const element = make("article", "panel namespace", make("div", "head", button, states), make("div", "body", figures, spark.element), note);
  const update = (row) => {
    current = row;
    setText(button, row.namespace);
    patch(states, row.statuses.map((status, index) => ({ status, index })), ({ index }) => String(index), stateView);
    const empty = row.recorders === null;
    setHidden(figures, empty);
    spark.element.style.display = empty ? "none" : "";
    setHidden(note, !empty && total(row.recorders) + row.removed > 0);
    if (empty) {
      setText(note, "Nothing to show yet: its runtime was not started.");
      return;
    }
    setText(note, "No recorders yet: the program has created none in this namespace.");
    patch(figures, figuresOf(row), ({ name }) => name, figureView);
    spark.draw(histories.of(namespaceKey(row.namespace)), `Events per second of ${row.namespace}`, (value) => `${number(value)}/s`);
  };
  return { element, update, button, namespace: () => current.namespace };
}

function total(counts) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function figuresOf(row) {
  const byState = Object.entries(row.recorders)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${number(count)} ${state(name).word}`);
  if (row.stalled > 0) byState.push(`${number(row.stalled)} not read in time`);
  if (row.removed > 0) byState.push(`${number(row.removed)} removed`);
  const lost = row.dropped + row.rejected + row.discarded;
  return [
    { name: "Events", value: row.rate === null ? "–" : `${number(row.rate)}/s`, note: `${number(row.accepted)} in all` },
    { name: "Recorders", value: number(total(row.recorders)), note: byState.join(", ") },
    { name: "Pending", value: number(row.pending), note: "in the queues" },
    { name: "Lost", value: number(lost), note: lossOf(row) || "nothing was lost", bad: lost > 0 },
  ];
}

function lossOf({ dropped, rejected, discarded }) {
  const parts = [];
  if (dropped > 0) parts.push(`${number(dropped)} dropped`);
  if (rejected > 0) parts.push(`${number(rejected)} handed back`);
  if (discarded > 0) parts.push(`${number(discarded)} lost to a failure`);
  return parts.join(", ");
}

function figureView() {
  const term = make("dt");
  const value = make("dd", "value");
  const note = make("dd", "quiet");
  const element = make("div", "", term, value, note);
  const update = (row) => {
    setText(term, row.name);
    setText(value, row.value);
    setText(note, row.note);
    setClass(value, row.bad ? "value bad" : "value");
  };
  return { element, update };
}

function stateView() {
  const sign = make("span", "sign");
  sign.setAttribute("aria-hidden", "true");
  const word = make("span");
  const element = make("span", "state", sign, word);
  const update = ({ status }) => {
    const shown = state(status);
    setText(sign, shown.sign);
    setText(word, shown.word);
    setClass(element, `state ${shown.tone}`);
  };
  return { element, update };
}

// ---- Recorders

/** `query` is what the page asks for, `namespaces` how many there are: of one alone the rows say nothing. */
export function showRecorders(listed, query, namespaces) {
  setText(byId("recorder-count"), counted(listed));
  const table = byId("recorder-table");
  setHidden(table, listed.rows.length === 0);
  table.classList.toggle("several", namespaces > 1);
  patch(byId("recorder-rows"), listed.rows, (row) => key(row.namespace, row.id), recorderView);
  const none = listed.total === 0
    ? "There are no recorders. A program creates one for each thing that it measures; it appears here within seconds."
    : `No recorder of ${number(listed.total)} fits the search.`;
  showEmpty(byId("no-recorders"), listed.rows.length === 0, none);
  for (const button of table.querySelectorAll("button[data-sort]")) {
    const direction = query.order === "asc" ? "ascending" : "descending";
    button.closest("th").setAttribute("aria-sort", button.dataset.sort === query.sort ? direction : "none");
  }
}

function counted({ total: all, matching }) {
  if (all === 0) return "";
  return matching === all ? number(all) : `${number(matching)} of ${number(all)}`;
}

function showEmpty(element, isEmpty, text) {
  setHidden(element, !isEmpty);
  setText(element, text);
}

/** What stands before each value where a row is a block of lines. */
const COLUMNS = ["State", "Age", "Events/s", "Pending", "Lost"];

function recorderView() {
  const id = make("span", "name");
  const entity = make("span", "quiet");
  const namespace = make("span", "tag");
  const first = make("td", "id", id, entity, namespace);
  const status = stateView();
  const cells = COLUMNS.map((column) => {
    const cell = make("td", "number");
    cell.dataset.column = column;
    return cell;
  });
  const [stateCell, age, speed, pending, lost] = cells;
  stateCell.className = "";
  stateCell.append(status.element);
  const element = make("tr", "", first, ...cells);
  element.setAttribute("role", "row");
  for (const cell of element.children) cell.setAttribute("role", "cell");
  const update = (row) => {
    setText(id, row.id);
    setTitle(id, row.id.slice(0, 300));
    setText(entity, row.entity_id === row.id ? "" : row.entity_id);
    setText(namespace, row.namespace);
    status.update(row);
    setText(age, duration(row.age));
    setText(speed, row.rate === null ? "–" : number(row.rate));
    setTitle(speed, `${number(row.accepted)} events in all`);
    setText(pending, number(row.pending));
    const count = row.dropped + row.rejected + row.discarded;
    setText(lost, number(count));
    setTitle(lost, lossOf(row));
    setClass(lost, count > 0 ? "number bad" : "number");
  };
  return { element, update };
}

/** The buttons before and after the number of a page. */
export function showPages(nav, listed, turn) {
  const last = Math.max(1, Math.ceil(listed.matching / listed.size));
  setHidden(nav, last === 1);
  if (nav.children.length === 0) {
    for (const [step, text] of [[-1, "← Previous"], [1, "Next →"]]) {
      const button = make("button", "", text);
      button.type = "button";
      button.addEventListener("click", () => button.getAttribute("aria-disabled") === "true" || turn(step));
      nav.append(button);
    }
    nav.insertBefore(make("span"), nav.lastChild);
  }
  const [previous, position, next] = nav.children;
  // Not `disabled`: a button that has the focus would lose it.
  previous.setAttribute("aria-disabled", String(listed.page <= 1));
  next.setAttribute("aria-disabled", String(listed.page >= last));
  setText(position, `Page ${number(listed.page)} of ${number(last)}`);
}

// ---- Metrics

export function showMetrics(listed, histories, namespaces) {
  setText(byId("metric-count"), counted(listed));
  const cards = byId("metric-cards");
  cards.classList.toggle("several", namespaces > 1);
  patch(cards, listed.rows, (row) => key(row.namespace, row.name), () => metricView(histories));
  const none = listed.total === 0
    ? "There are no metrics. A recorder shows here what its registered metrics have measured."
    : `No metric of ${number(listed.total)} fits the search.`;
  showEmpty(byId("no-metrics"), listed.rows.length === 0, none);
}

function metricView(histories) {
  const name = make("h3", "name");
  const namespace = make("span", "tag");
  const failed = make("p", "alert");
  const invalid = make("p", "alert");
  const help = make("p", "help");
  const tiles = make("div", "tiles");
  const more = make("p", "quiet more");
  const element = make("article", "panel metric", make("div", "head", name, namespace), failed, invalid, help, tiles, more);
  const update = (row) => {
    setText(name, row.name);
    setText(namespace, row.namespace);
    setText(help, row.help);
    setHidden(help, row.help === "");
    setText(failed, `⚠ Quarantined in ${plural(row.failed, "recorder", "recorders")}: the numbers below stand still there.`);
    setHidden(failed, row.failed === 0);
    setText(invalid, `⚠ ${plural(row.invalid, "value", "values")} could not be recorded.`);
    setHidden(invalid, row.invalid === 0);
    element.classList.toggle("failed", row.failed > 0);
    const dimensions = row.dimensions.map((dimension) => ({ ...dimension, key: dimensionKey(row, dimension) }));
    showMore(more, row.more_dimensions, "further dimension", "further dimensions");
    patch(tiles, dimensions, (dimension) => dimension.key, (dimension) => dimensionView(dimension, histories));
  };
  return { element, update };
}

/** The kind is part of the key: a replaced metric may have another dimension of the same name. */
export function dimensionKey(metric, dimension) {
  return key(metric.namespace, metric.name, dimension.name, dimension.kind, dimension.distribution !== null, dimension.labels !== null);
}

/** What the chart of a dimension shows: its distribution, else its growth, else its value. The point is `null` where there is none. */
export function pointOf({ distribution, rate: growth, value }) {
  if (distribution) return ["distribution", { bounds: distribution.bounds, recent: distribution.recent }];
  return growth === null ? ["value", value] : ["rate", growth];
}

function dimensionView(dimension, histories) {
  const name = make("h4", "name");
  const what = make("span", "kind");
  const value = make("p", "value");
  const growth = make("p", "growth");
  const parts = [make("div", "title", name, what), make("div", "figure", value, growth)];
  const chart = dimension.distribution ? distributionView(histories) : sparkView(histories);
  parts.push(chart.element);
  const labels = dimension.labels ? labelsView() : null;
  if (labels) parts.push(labels.element);
  const element = make("section", `tile${dimension.distribution ? " wide" : ""}${labels ? " table" : ""}`, ...parts);
  const update = (row) => {
    setText(name, row.name);
    setTitle(name, row.help.slice(0, 1000));
    setText(what, kind(row));
    setText(value, row.text ?? quantity(row.value, row.unit));
    setHidden(value, row.labels !== null && row.value === null && row.text === null);
    setTitle(value, row.value === null ? "" : `${row.value}${row.unit ? ` ${row.unit}` : ""}`);
    element.classList.toggle("text", row.text !== null);
    setText(growth, rate(row.rate, row.kind, row.unit));
    chart.update(row);
    labels?.update(row);
  };
  return { element, update };
}

function sparkView(histories) {
  const spark = new Sparkline();
  const update = (row) => {
    const points = histories.of(row.key);
    spark.element.style.display = points.some((point) => point !== null) ? "" : "none";
    if (row.rate === null) spark.draw(points, row.name, (point) => quantity(point, row.unit));
    else spark.draw(points, `${row.name} per second`, (point) => rate(point, row.kind, row.unit));
  };
  return { element: spark.element, update };
}

/** The heat map of each canvas. One that the page no longer shows is not kept in memory. */
const heatMaps = new WeakMap();

/** The width of the window or the colours have changed. */
export function redrawCharts() {
  for (const canvas of document.querySelectorAll("canvas.heat")) heatMaps.get(canvas)?.redraw();
}

function distributionView(histories) {
  const heat = new HeatMap();
  heatMaps.set(heat.element, heat);
  const axis = ["high", "middle", "low"].map((end) => make("span", end));
  const quantiles = ["median", "90%", "99%"].map((name) => {
    const value = make("b");
    return { value, element: make("span", "", `${name} `, value) };
  });
  const element = make(
    "div",
    "distribution",
    make("p", "quantiles", ...quantiles.map((quantile) => quantile.element)),
    make("div", "map", make("div", "axis", ...axis), heat.element),
  );
  const update = (row) => {
    const format = (value) => quantity(value, row.unit);
    row.distribution.quantiles.forEach((value, index) => setText(quantiles[index].value, format(value)));
    const scale = heat.draw(histories.of(row.key), row.name, format);
    axis.forEach((end) => setText(end, scale ? format(scale[end.className]) : ""));
  };
  return { element, update };
}

function labelsView() {
  const head = make("tr");
  const body = make("tbody");
  const more = make("p", "quiet");
  const table = make("table", "labels", make("thead", "", head), body);
  const element = make("div", "breakdown", table, more);
  const update = (row) => {
    const { names, rows, total: all } = row.labels;
    const counts = rows.some((label) => label.rate !== null);
    const columns = [...names, "value", ...(counts ? ["rate"] : [])];
    patch(head, columns.map((text, at) => ({ text, at })), ({ at }) => String(at), () => cellView("th", names.length));
    patch(body, rows, (label) => key(label.label), () => labelView(names.length));
    const largest = Math.max(0, ...rows.map(weight));
    for (const child of body.children) views.get(child).finish(row, counts, largest);
    setHidden(table, rows.length === 0);
    showMore(more, all - rows.length, "further label", "further labels");
    if (all === 0) showEmpty(more, true, "No labels yet.");
  };
  return { element, update };
}

/** What the bar behind a label shows: the rate where values are counted, so that it agrees with the order of the rows. */
function weight(label) {
  return Math.abs(label.rate ?? label.value ?? 0);
}

function cellView(tag, texts) {
  const element = make(tag);
  const update = ({ text, at }) => {
    setText(element, text);
    setClass(element, at < texts ? "" : "number");
  };
  return { element, update };
}

function labelView(texts) {
  const element = make("tr");
  let label;
  const update = (row) => {
    label = row;
  };
  const finish = (dimension, counts, largest) => {
    const value = quantity(label.value, dimension.unit);
    const cells = [...label.label, value, ...(counts ? [rate(label.rate, dimension.kind, dimension.unit)] : [])];
    patch(element, cells.map((text, at) => ({ text, at })), ({ at }) => String(at), () => cellView("td", texts));
    const part = largest > 0 ? Math.round((weight(label) / largest) * 100) : 0;
    element.style.setProperty("--part", `${part}%`);
  };
  return { element, update, finish };
}
