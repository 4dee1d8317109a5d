// Looks at the program, again and again, and shows what it answers. What the page asks for stands in the address after `#`, so
// that a reload and a bookmark keep it.

import { Histories } from "./charts.js";
import { byId, dimensionKey, namespaceKey, pointOf, redrawCharts, setHidden, setText } from "./view.js";
import { showMetrics, showNamespaces, showPages, showProblems, showRecorders } from "./view.js";
import { clock, duration } from "./words.js";

const ANSWER_TIMEOUT = 15;
const FIRST_RETRY = 1;
const MAX_RETRY = 30;
/** The pause in typing after which the page searches. */
const TYPING_PAUSE = 150;
/** From this many seconds between two looks on, the page says when the next one comes. */
const SLOW = 3;
const WHY_SLOW = "One sample takes the program long. It takes samples rarely, so that they use about 2% of a processor core at most.";
/** A chart has a gap where two samples are further apart than this many looks. */
const GAP = 4;

const DEFAULTS = {
  namespace: "", search: "", sort: "rate", order: "desc", page: "1", size: "10", metric_search: "", metric_page: "1",
};

let query = queryOfAddress();
let paused = false;
/** The request that is on its way, if there is one: there is never a second one. */
let asking = false;
/** Whether the query has changed since that request. */
let changed = false;
let timer = 0;
let retry = FIRST_RETRY;
let nextTry = 0;
let nextLook = 0;
/** Whether the program takes samples rarely. */
let isSlow = false;
let lastAnswer = null;
let lastSample = null;
let reason = "";
const histories = new Histories();

// ---- The query

function queryOfAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const found = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) found[name] = parameters.get(name) ?? DEFAULTS[name];
  return found;
}

function keepInAddress() {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== DEFAULTS[name]) parameters.set(name, value);
  const address = location.pathname + location.search;
  history.replaceState(null, "", parameters.size > 0 ? `#${parameters}` : address);
}

/** Changes what the page asks for, and asks. */
function ask(changes) {
  query = { ...query, ...changes };
  keepInAddress();
  showQuery();
  look();
}

/** Shows the query in the fields, but not in the one in which a person types. */
function showQuery() {
  for (const [id, name] of [["search", "search"], ["metric-search", "metric_search"], ["size", "size"]]) {
    const field = byId(id);
    if (document.activeElement !== field) field.value = query[name];
  }
}

// ---- Looking

async function look() {
  clearTimeout(timer);
  if (asking) {
    changed = true;
    return;
  }
  asking = true;
  changed = false;
  const asked = query;
  try {
    const data = await answer(asked);
    succeeded(data, asked);
  } catch (error) {
    failed(error);
  }
  asking = false;
  if (changed) look();
}

async function answer(asked) {
  const wanted = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ""));
  const response = await fetch(`page/data?${wanted}`, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_TIMEOUT * 1000) });
  if (response.ok) return response.json();
  const text = (await response.text()).trim().slice(0, 300);
  const refusal = new Error(text || `status ${response.status}`);
  refusal.isAnswer = true;
  throw refusal;
}

function succeeded(data, asked) {
  lastAnswer = Date.now();
  retry = FIRST_RETRY;
  reason = "";
  remember(data);
  show(data, asked);
  const wait = Math.max(0.1, data.next_look);
  nextLook = lastAnswer + wait * 1000;
  isSlow = Math.max(data.interval ?? 0, wait) >= SLOW;
  showConnection();
  later(wait);
}

function failed(error) {
  reason = error.isAnswer
    ? `The program answers, but shows nothing: ${error.message}`
    : "The program does not answer.";
  if (!error.isAnswer && error.name !== "TypeError" && error.name !== "TimeoutError") {
    reason = `The page could not show the answer: ${error.message}`;
  }
  nextTry = Date.now() + retry * 1000;
  later(retry);
  retry = Math.min(MAX_RETRY, retry * 2);
  showConnection();
}

/** A hidden or paused page does not look. */
function later(seconds) {
  clearTimeout(timer);
  if (!paused && !document.hidden) timer = setTimeout(look, seconds * 1000);
}

/** Keeps one point of each number for each sample. */
function remember(data) {
  // A program that was started again counts its samples anew.
  if (lastSample?.sample === data.sample && lastSample.taken_at === data.taken_at) return;
  const restarted = lastSample !== null && data.sample <= lastSample.sample;
  const pause = lastSample === null ? 0 : data.taken_at - lastSample.taken_at;
  const gap = restarted || pause > GAP * Math.max(data.next_look, data.interval ?? 0, 1);
  lastSample = { sample: data.sample, taken_at: data.taken_at };
  const add = (key, [subject, point]) => {
    if (point !== null) histories.add(key, subject, point, gap);
  };
  for (const row of data.namespaces) add(namespaceKey(row.namespace), ["rate", row.rate]);
  for (const metric of data.metrics.rows) {
    for (const dimension of metric.dimensions) add(dimensionKey(metric, dimension), pointOf(dimension));
  }
}

// ---- Showing

function show(data, asked) {
  const names = [...new Set([...data.runtimes, ...data.namespaces].map((row) => row.namespace))];
  const title = names.length <= 3 ? names.join(" · ") : `${names.length} namespaces`;
  setText(byId("title"), names.length === 0 ? "Metrics" : title);
  document.title = names.length === 0 ? "Metrics" : `${names.join(", ").slice(0, 100)} · metrics`;
  showProblems(data.problems, data.problems_total);
  showNamespaces(data, histories, query.namespace, (namespace) => {
    ask({ namespace: namespace === query.namespace ? "" : namespace, page: "1", metric_page: "1" });
  });
  showRecorders(data.recorders, asked, names.length);
  showMetrics(data.metrics, histories, names.length);
  const turn = (name) => (step) => ask({ [name]: String(Math.max(1, Number(query[name]) + step)) });
  showPages(byId("recorder-pages"), data.recorders, turn("page"));
  showPages(byId("metric-pages"), data.metrics, turn("metric_page"));
  // The list has become shorter than the page that was asked for.
  if (asked === query) {
    query = { ...query, page: String(data.recorders.page), metric_page: String(data.metrics.page) };
    keepInAddress();
  }
  byId("main").removeAttribute("aria-busy");
}

/** Says whether what stands on the page is fresh. */
function showConnection() {
  const lost = reason !== "";
  document.documentElement.classList.toggle("stale", lost);
  setHidden(byId("banner"), !lost);
  setText(byId("banner-text"), reason);
  const beat = byId("beat");
  beat.className = lost ? "beat lost" : paused ? "beat paused" : "beat";
  showTimes();
}

function showTimes() {
  const since = lastAnswer === null ? null : (Date.now() - lastAnswer) / 1000;
  if (reason !== "") {
    const wait = Math.max(0, Math.ceil((nextTry - Date.now()) / 1000));
    const last = since === null ? "There was no answer yet." : `The numbers below are ${duration(Math.round(since))} old.`;
    const next = paused ? "The page is paused." : asking ? "Asking now …" : `Next try in ${wait} s.`;
    setText(byId("banner-retry"), `${last} ${next}`);
    setText(byId("looked"), since === null ? "no answer" : `last answer ${clock(lastAnswer / 1000)}`);
  } else if (since !== null) {
    const wait = Math.max(0, Math.ceil((nextLook - Date.now()) / 1000));
    const next = isSlow && !paused ? ` · next look in ${duration(wait)}` : "";
    setText(byId("looked"), `${paused ? "paused" : "live"} · ${clock(lastSample.taken_at)}${next}`);
  }
  byId("looked").title = isSlow ? WHY_SLOW : "";
}

// ---- What a person does

function searchIn(field, name, pageName) {
  let typing = 0;
  field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => ask({ [name]: field.value, [pageName]: "1" }), TYPING_PAUSE);
  });
  field.addEventListener("blur", () => {
    clearTimeout(typing);
    if (query[name] !== field.value) ask({ [name]: field.value, [pageName]: "1" });
  });
}

function sortBy(column) {
  const rising = column === "id";
  const same = query.sort === column;
  const order = same ? (query.order === "asc" ? "desc" : "asc") : rising ? "asc" : "desc";
  ask({ sort: column, order, page: "1" });
}

function setPaused(now) {
  paused = now;
  const button = byId("pause");
  button.setAttribute("aria-pressed", String(paused));
  setText(button, paused ? "Resume" : "Pause");
  showConnection();
  if (paused) clearTimeout(timer);
  else look();
}

searchIn(byId("search"), "search", "page");
searchIn(byId("metric-search"), "metric_search", "metric_page");
byId("size").addEventListener("change", (event) => ask({ size: event.target.value, page: "1" }));
byId("recorder-table").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-sort]");
  if (button) sortBy(button.dataset.sort);
});
byId("pause").addEventListener("click", () => setPaused(!paused));
byId("retry").addEventListener("click", () => {
  retry = FIRST_RETRY;
  look();
});
byId("skip").addEventListener("click", (event) => {
  // The address after `#` has the query.
  event.preventDefault();
  byId("recorders").focus();
});
window.addEventListener("hashchange", () => {
  query = queryOfAddress();
  showQuery();
  look();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (!paused) look();
});
let resizing = 0;
window.addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(redrawCharts);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
setInterval(showTimes, 1000);

showQuery();
look();
