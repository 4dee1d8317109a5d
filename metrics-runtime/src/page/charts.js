// What the page remembers of each number since it was opened, and the pictures of it.

/** How many points a chart has at most, and into how many places the first ones go. */
const MAX_POINTS = 120;
const MIN_PLACES = 40;
/** The page forgets the charts that were shown least recently beyond this count. */
const MAX_HISTORIES = 2000;
const SVG = "http://www.w3.org/2000/svg";

/** The points of all charts by key, the ones shown least recently first. */
export class Histories {
  #histories = new Map();

  /**
   * Adds a point. `subject` says what it measures: the first sample has no rates, so the chart of a rate begins with the second
   * one. After a time in which the page did not look, the chart has a gap.
   */
  add(key, subject, point, afterGap) {
    const known = this.#histories.get(key);
    const history = known?.subject === subject ? known : { subject, points: [] };
    if (afterGap && history.points.length > 0) history.points.push(null);
    history.points.push(point);
    history.points.splice(0, history.points.length - MAX_POINTS);
    this.#histories.delete(key);
    this.#histories.set(key, history);
    if (this.#histories.size > MAX_HISTORIES) this.#histories.delete(this.#histories.keys().next().value);
  }

  of(key) {
    return this.#histories.get(key)?.points ?? [];
  }
}

/** Where the points stand: the newest at the right, the first ones not stretched over the whole width. */
function places(points) {
  const count = Math.max(points.length, MIN_PLACES);
  return { count, first: count - points.length };
}

/** A line of numbers with the area below it. Its height goes from 0, or the least negative number, to the largest one. */
export class Sparkline {
  constructor() {
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "spark");
    this.element.setAttribute("viewBox", "0 0 100 100");
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("role", "img");
    this.area = this.element.appendChild(document.createElementNS(SVG, "path"));
    this.area.setAttribute("class", "area");
    this.line = this.element.appendChild(document.createElementNS(SVG, "path"));
    this.line.setAttribute("class", "line");
  }

  /** `name` says what the line shows, `format` writes a number of it. */
  draw(points, name, format) {
    const numbers = points.filter((point) => point !== null);
    this.element.dataset.points = numbers.length;
    const low = Math.min(0, ...numbers);
    const high = Math.max(0, ...numbers);
    const { count, first } = places(points);
    const x = (index) => ((first + index) / (count - 1)) * 100;
    // The difference of the largest numbers is infinite, that of their halves is not.
    const half = high / 2 - low / 2 || 1;
    const y = (value) => 96 - ((value / 2 - low / 2) / half) * 92;
    let line = "";
    let area = "";
    for (const [from, to] of runs(points)) {
      const steps = [];
      for (let index = from; index <= to; index += 1) steps.push(`${x(index).toFixed(2)} ${y(points[index]).toFixed(2)}`);
      // One point alone is a short line.
      if (from === to) steps.unshift(`${(x(from) - 1).toFixed(2)} ${y(points[from]).toFixed(2)}`);
      const [start] = steps[0].split(" ");
      const [end] = steps.at(-1).split(" ");
      line += `M${steps.join("L")}`;
      area += `M${start} ${y(0).toFixed(2)}L${steps.join("L")}L${end} ${y(0).toFixed(2)}Z`;
    }
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", area);
    const last = numbers.at(-1);
    const text = numbers.length === 0
      ? `${name}: no points yet`
      : `${name}: ${format(last)} now, between ${format(Math.min(...numbers))} and ${format(Math.max(...numbers))}`;
    this.element.setAttribute("aria-label", text);
  }
}

/** The first and last index of each run of points without a gap. */
function runs(points) {
  const found = [];
  let from = null;
  points.forEach((point, index) => {
    if (point !== null && from === null) from = index;
    if (point === null && from !== null) {
      found.push([from, index - 1]);
      from = null;
    }
  });
  if (from !== null) found.push([from, points.length - 1]);
  return found;
}

/** A scale over the bounds of the buckets that have values: logarithmic above 0, symmetric around 0 where there are negative ones. */
function scaleOf(points) {
  let low = Infinity;
  let high = -Infinity;
  let least = Infinity;
  for (const point of points) {
    point?.recent.forEach((values, bucket) => {
      if (values === 0) return;
      const [lower, upper] = edges(point.bounds, bucket);
      low = Math.min(low, lower);
      high = Math.max(high, upper);
      for (const edge of [lower, upper]) if (edge !== 0) least = Math.min(least, Math.abs(edge));
    });
  }
  if (low > high) return null;
  if (!Number.isFinite(least)) least = 1;
  // Numbers nearer to 0 than the least bound share the middle of the scale.
  const place = (value) => {
    const ratio = Math.abs(value) / least;
    return Math.sign(value) * (ratio < Infinity ? Math.log2(1 + ratio) : Math.log2(Math.abs(value)) - Math.log2(least));
  };
  const begin = place(low);
  const length = place(high) - begin || 1;
  const position = (value) => (place(value) - begin) / length;
  const value = (part) => {
    const at = begin + part * length;
    const size = Math.abs(at);
    return Math.sign(at) * (size < 1000 ? (2 ** size - 1) * least : 2 ** (size + Math.log2(least)));
  };
  return { low, high, position, value };
}

/** Both bounds of a bucket. One without a bound is as wide as a factor of 2 from the bound that it has. */
function edges(bounds, bucket) {
  const lower = bounds[bucket];
  const upper = bounds[bucket + 1];
  if (lower === null && upper === null) return [0, 1];
  if (lower === null) return [upper > 0 ? 0 : upper * 2 - (upper === 0 ? 1 : 0), upper];
  if (upper === null) return [lower, lower > 0 ? lower * 2 : lower + Math.max(1, Math.abs(lower) / 2)];
  return [lower, upper];
}

/** A distribution over time: a column for each look, darker or brighter where there were more values. */
export class HeatMap {
  constructor() {
    this.element = document.createElement("canvas");
    this.element.className = "heat";
    this.element.setAttribute("role", "img");
    this.drawn = null;
  }

  /** Returns the bounds of the scale and its middle, or `null` while there are no values. */
  draw(points, name, format) {
    this.drawn = [points, name, format];
    const scale = scaleOf(points);
    const context = this.#sized();
    const { width, height } = this.element;
    context.clearRect(0, 0, width, height);
    const columns = points.filter((point) => point !== null).length;
    this.element.dataset.points = columns;
    if (scale === null) {
      this.element.setAttribute("aria-label", `${name}: no values yet`);
      return null;
    }
    const most = Math.max(...points.map((point) => (point ? Math.max(0, ...point.recent) : 0)));
    const colours = ramp(this.element);
    const { count, first } = places(points);
    points.forEach((point, index) => {
      if (point === null) return;
      const left = Math.round(((first + index) / count) * width);
      const right = Math.round(((first + index + 1) / count) * width);
      point.recent.forEach((values, bucket) => {
        if (values === 0) return;
        const [lower, upper] = edges(point.bounds, bucket);
        const bottom = Math.round((1 - scale.position(lower)) * height);
        const top = Math.round((1 - scale.position(upper)) * height);
        const part = most > 1 ? Math.log(values) / Math.log(most) : 1;
        context.fillStyle = colours[Math.round(part * (colours.length - 1))];
        context.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
      });
    });
    this.element.setAttribute(
      "aria-label",
      `${name}: values of the last ${columns} looks, from ${format(scale.low)} to ${format(scale.high)}, at most ${most} in one bucket`,
    );
    return { low: scale.low, middle: scale.value(0.5), high: scale.high };
  }

  /** The size or the colours have changed. */
  redraw() {
    if (this.drawn) this.draw(...this.drawn);
  }

  /** As many pixels as the screen shows. */
  #sized() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.element.clientWidth * ratio));
    const height = Math.max(1, Math.round(this.element.clientHeight * ratio));
    if (this.element.width !== width) this.element.width = width;
    if (this.element.height !== height) this.element.height = height;
    return this.element.getContext("2d");
  }
}

const ramps = new Map();

/** 32 colours between those that the style sheet names, for one value up to the most. */
function ramp(element) {
  const named = getComputedStyle(element).getPropertyValue("--heat").trim();
  if (!ramps.has(named)) ramps.set(named, mixed(named.split(/\s+/)));
  return ramps.get(named);
}

function mixed(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => Number.parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 32 }, (_, index) => {
    const at = (index / 31) * (parts.length - 1);
    const from = Math.min(Math.floor(at), parts.length - 2);
    const colour = parts[from].map((value, part) => Math.round(value + (parts[from + 1][part] - value) * (at - from)));
    return `rgb(${colour.join(" ")})`;
  });
}
