// Numbers, units, states and problems in words that people read.

const DECIMAL = ["", " k", " M", " G", " T", " P"];
const BINARY = [" B", " KiB", " MiB", " GiB", " TiB", " PiB"];
const DURATIONS = [[86400, " d"], [3600, " h"], [60, " min"], [1, " s"], [1e-3, " ms"], [1e-6, " µs"], [1e-9, " ns"]];
const BYTE_UNITS = new Set(["bytes", "byte", "By", "B"]);
const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Three significant digits, without zeros at the end. */
function digits(value) {
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return String(Number(value.toFixed(size >= 10 ? 1 : 2)));
}

function scaled(value, base, prefixes) {
  let scale = 0;
  // 999.6 would read as 1000, so it is one of the next prefix.
  while (Math.abs(value) >= base - 0.5 && scale < prefixes.length - 1) {
    value /= base;
    scale += 1;
  }
  if (Math.abs(value) >= 1e6) return value.toExponential(2) + prefixes[scale];
  return digits(value) + prefixes[scale];
}

/** A number without a unit: `9,876`, `1.2 M`, `0.0042`. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size > 0 && size < 0.01) return size < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(2)));
  if (size >= 1000 && size < 10000) return grouped.format(value);
  return scaled(value, 1000, DECIMAL);
}

/** A number of seconds: `350 ms`, `4.2 min`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  for (const [length, unit] of DURATIONS) {
    if (size >= length * 0.9995) {
      const count = seconds / length;
      return (Math.abs(count) >= 1000 ? number(count) : digits(count)) + unit;
    }
  }
  return `${(seconds * 1e9).toPrecision(2)} ns`;
}

/** A value in its unit: `4 KiB`, `350 ms`, `12 requests`. */
export function quantity(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "seconds" || unit === "s") return duration(value);
  if (BYTE_UNITS.has(unit)) return scaled(value, 1024, BINARY);
  if (unit === "%") return `${number(value)}%`;
  return unit ? `${number(value)} ${unit}` : number(value);
}

/** Kinds whose rate counts values; the unit of the values says nothing about it. */
const RATE_OF_VALUES = new Set(["mean", "histogram"]);

/** The growth per second of a dimension: `12/s`, `4 MiB/s`, `30 values/s`. */
export function rate(value, kind, unit) {
  if (value === null || value === undefined) return "";
  if (RATE_OF_VALUES.has(kind)) return `${number(value)} values/s`;
  if (kind === "counter" || unit === "%") return `${number(value)}/s`;
  return `${quantity(value, unit)}/s`;
}

export function plural(count, one, several) {
  return `${number(count)} ${count === 1 ? one : several}`;
}

export function clock(secondsSince1970) {
  return new Date(secondsSince1970 * 1000).toLocaleTimeString([], { hourCycle: "h23" });
}

/** Each state of recorders and runtimes: a sign, a word and a tone, so that the colour alone says nothing. */
const STATES = {
  VIRGIN: ["○", "not started", "calm"],
  STARTING: ["◔", "starting", "busy"],
  RUNNING: ["●", "running", "good"],
  STOPPING: ["◕", "stopping", "busy"],
  STOPPED: ["■", "stopped", "calm"],
  CLOSED: ["■", "shut down", "calm"],
  FAILURE: ["✕", "failed", "bad"],
  CANCELLED: ["✕", "cancelled", "bad"],
};

export function state(name) {
  const [sign, word, tone] = STATES[name] ?? ["?", String(name).toLowerCase(), "calm"];
  return { sign, word, tone };
}

const KINDS = {
  counter: "count",
  sum: "sum",
  min: "smallest",
  max: "largest",
  mean: "mean",
  gauge: "last value",
  in_flight: "in flight",
  histogram: "distribution and mean",
  distinct: "different values",
  top: "largest labels",
  custom: "value",
};

export function kind(dimension) {
  const word = KINDS[dimension.kind] ?? dimension.kind;
  return dimension.window ? `${word}, last ${duration(dimension.window)}` : word;
}

/** A problem as a sentence around its subject: the text before it, and the text after it. */
const SENTENCES = {
  failed_recorder: () => ["The recorder ", " has failed."],
  quarantined_metric: (count) => [
    "The metric ",
    ` is quarantined in ${plural(count, "recorder", "recorders")}: it gets no more events there.`,
  ],
  dropped_events: (count) => [
    `${plural(count, "event", "events")} of the type `,
    ` ${count === 1 ? "was" : "were"} dropped, because a queue was full.`,
  ],
  discarded_events: (count, subject) => [
    `${plural(count, "accepted event", "accepted events")}${subject ? " of " : ""}`,
    ` ${count === 1 ? "was" : "were"} lost to a failure.`,
  ],
  stalled_recorders: (count, subject) => [
    `${plural(count, "recorder", "recorders")} could not be read in time${subject ? ": " : ""}`,
    ".",
  ],
  left_out_dimension: () => ["The dimension ", " is left out of totals and texts."],
  invalid_values: (count) => [
    `${plural(count, "value", "values")} of the metric `,
    " could not be recorded.",
  ],
};

export function problem({ kind: name, count, subject }) {
  const sentence = SENTENCES[name];
  if (sentence) return sentence(count, subject);
  return [`${String(name).replaceAll("_", " ")}: `, count > 1 ? ` (${number(count)})` : ""];
}
