"""Reads expositions with prometheus_client and compares all samples, HELP, TYPE and UNIT with the values of the recorders.

Usage: read_back.py DIRECTORY MIN_CASES MIN_SAMPLES. This script has its own implementation of the rules for names, for merging
and for skipped dimensions, on purpose.
"""

import json
import math
import pathlib
import re
import sys
import time

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus


def word(text):
    return re.sub(r"[^a-zA-Z0-9]", "_", text)


def identifier(text):
    return ("_" if not text or text[0] in "0123456789" else "") + word(text)


def unit_of(unit):
    if unit is None:
        return None
    return word(unit.strip().replace("%", "percent").replace("/", "_per_")).strip("_") or None


def family_name(metric, dimension, unit, is_counter):
    name = identifier(metric) + "_" + word(dimension) if dimension else identifier(metric)
    endings = ["_total"] + (["_" + unit] if unit else [])

    def cut(name, endings):
        for ending in endings:
            if name.endswith(ending) and name != ending:
                return name[: -len(ending)]
        return None

    if is_counter:
        while (shorter := cut(name, endings)) is not None:
            name = shorter
    else:
        name = cut(name, endings[:1]) or name
        while unit and (shorter := cut(name, endings[1:])) is not None:
            name = shorter
    return name + ("_" + unit if unit else "")


# The labels of all series. In "bare" one of them has the name of a breakdown's label.
USED = {"rollup": ("namespace", "entity_id"), "per_entity": ("namespace", "entity_id"), "bare": ("entity_id", "path")}


def label_names(labels, used):
    names = []
    for label in labels:
        name = identifier(label) if label else "label"
        if name.startswith("__") or name in (*used, "le", "quantile"):
            name = "exported_" + name
        unique, number = name, 1
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return names


def buckets_of(values, side, scale):
    """The exponential buckets of all values at a scale that is no finer than theirs."""
    counts = {}
    for value in values:
        for index, count in enumerate(value[side]["counts"], value[side]["offset"]):
            index >>= value["scale"] - scale
            counts[index] = counts.get(index, 0) + count
    used = [index for index, count in counts.items() if count > 0]
    if not used:
        return {"offset": 0, "counts": []}
    return {"offset": min(used), "counts": [counts.get(index, 0) for index in range(min(used), max(used) + 1)]}


def starts(value):
    """The exponents at which the exponential buckets above and below zero start, with their counts; and their width."""
    scale = min(value["scale"], 0)
    factor = 2**-scale
    ranges = (buckets_of([value], side, scale) for side in ("positive", "negative"))
    above, below = (
        [(index * factor, count) for index, count in enumerate(range_["counts"], range_["offset"])]
        for range_ in ranges
    )
    return above, below, factor


def widen(shown, value):
    """Adds the powers of two that the value needs to those that its family has shown."""
    above, below, factor = starts(value)
    for side, buckets in (("above", above), ("below", below)):
        if buckets:
            first, last = shown.get(side, (math.inf, -math.inf))
            shown[side] = min(first, buckets[0][0]), max(last, buckets[-1][0] + factor)
    shown["zero"] = shown.get("zero", False) or value["zero"] > 0 or bool(below)


def powers_of_two(value, shown):
    """The bounds that the family shows, each with the number of values in the buckets that begin below it."""
    above, below, factor = starts(value)
    if "below" in shown:
        first, last = shown["below"]
        for exponent in range(last, first - 1, -1):
            yield -(2.0**exponent), sum(count for start, count in below if start + factor > exponent)
    nothing_above = value["zero"] + sum(count for _, count in below)
    if shown["zero"]:
        yield 0.0, nothing_above
    if "above" in shown:
        first, last = shown["above"]
        for exponent in range(first, last + 1):
            yield 2.0**exponent, nothing_above + sum(count for start, count in above if start < exponent)


def merge(kind, rule, one, other):
    if one is None:
        return other
    if isinstance(one, dict):
        if "bounds" in one:
            counts = [a + b for a, b in zip(one["counts"], other["counts"])]
            return {"bounds": one["bounds"], "counts": counts, "sum": one["sum"] + other["sum"]}
        if "scale" in one:
            scale = min(one["scale"], other["scale"])
            ranges = {side: buckets_of([one, other], side, scale) for side in ("positive", "negative")}
            zero = one["zero"] + other["zero"]
            return {"scale": scale, "zero": zero, **ranges, "sum": one["sum"] + other["sum"]}
        if "nanos" in one and kind == "Max":
            return max(one, other, key=lambda value: value["nanos"])
        return {key: one[key] + other[key] for key in one}
    if kind == "Min" or (kind in ("Gauge", "Custom") and rule == "Min"):
        return min(one, other)
    if kind == "Max" or (kind in ("Gauge", "Custom") and rule == "Max"):
        return max(one, other)
    return one + other


def parts_of(dimension):
    if dimension["type"] != "map":
        yield dimension
        return
    for part, type_ in (("low", "float"), ("made", "unsigned")):
        entries = [{**entry, "value": entry["value"][part]} for entry in dimension["entries"]]
        yield {**dimension, "name": f"{dimension['name']}_{part}", "type": type_, "entries": entries}


def family_type(kind, type_):
    if type_ in ("histogram", "exponential"):
        return "histogram"
    if type_ == "whole_mean":
        return "summary"
    if kind == "Custom":
        return "unknown"
    return "counter" if kind in ("Counter", "Sum") and type_ in ("unsigned", "duration") else "gauge"


# The suffixes that series of a family may have. No other family may have one of these names.
SUFFIXES = {
    "counter": ("", "_total", "_created"),
    "histogram": ("", "_bucket", "_count", "_sum", "_created"),
    "summary": ("", "_count", "_sum", "_created"),
    "gauge": ("",),
    "unknown": ("",),
}


class Family:
    """The expected name, TYPE, HELP and UNIT of a dimension."""

    def __init__(self, metric, dimension):
        self.type = family_type(dimension["kind"], dimension["type"])
        self.unit = unit_of(dimension["unit"])
        self.name = family_name(metric["name"], dimension["name"], self.unit, self.type == "counter")
        default = f"The dimension {dimension['name']} of the metric {metric['name']}."
        self.help = dimension["help"].strip() or metric["help"].strip() or default.strip()

    def names(self):
        return {self.name + suffix for suffix in SUFFIXES[self.type]}

    def head(self, is_open):
        return self.type, self.help, (self.unit or "") if is_open else ""


# Stands for any moment from the begin of this test on.
NOW = "now"


def samples_of(family, type_, labels, value, is_open, shown):
    name = family.name
    if is_open and family.type in ("counter", "histogram", "summary"):
        yield name + "_created", labels, NOW
    if type_ == "duration":
        value = value["nanos"] / 1e9
    elif type_ == "mean":
        if value["count"] == 0:
            return
        value = value["sum"] / value["count"]
    elif type_ == "whole_mean":
        yield name + "_count", labels, value["count"]
        yield name + "_sum", labels, value["sum"]
        return
    elif type_ == "in_flight":
        value = value["started"] - value["finished"]
    elif type_ == "exponential":
        for bound, count in powers_of_two(value, shown):
            yield name + "_bucket", {**labels, "le": bound}, count
        counts = value["positive"]["counts"] + value["negative"]["counts"]
        total = value["zero"] + sum(counts)
        yield name + "_bucket", {**labels, "le": math.inf}, total
        may_fall = value["sum"] < 0 or "below" in shown
        if not (is_open and may_fall):
            yield name + "_count", labels, total
            yield name + "_sum", labels, value["sum"]
        return
    elif type_ == "histogram":
        total = 0
        for bound, count in zip(value["bounds"] + [math.inf], value["counts"]):
            total += count
            yield name + "_bucket", {**labels, "le": bound}, total
        if not is_open:
            yield name + "_count", labels, total
            yield name + "_sum", labels, value["sum"]
        return
    yield name + ("_total" if family.type == "counter" else ""), labels, value


def expected(case, scope, is_open, powers):
    """All expected families with their samples, by metric and dimension.

    `powers` has the powers of two that each family has shown in earlier expositions, and gets those of this one.
    """
    merged = {}
    # The counts of removed recorders come first.
    for recorder in sorted(case["recorders"], key=lambda recorder: not recorder["removed"]):
        if recorder["removed"] and scope == "per_entity":
            continue
        scope_labels = {"path": 'p"\\\n'} if scope == "bare" else {"namespace": recorder["namespace"]}
        if scope == "per_entity":
            scope_labels["entity_id"] = recorder["entity_id"]
        for metric in recorder["metrics"]:
            for dimension in (part for whole in metric["dimensions"] for part in parts_of(whole)):
                if recorder["removed"] and dimension["kind"] == "Gauge":
                    continue
                for entry in dimension["entries"]:
                    key = (metric["name"], dimension["name"], json.dumps(scope_labels), tuple(entry["labels"]))
                    before = merged.get(key, (None,))[0]
                    value = merge(dimension["kind"], dimension["merge"], before, entry["value"])
                    merged[key] = (value, metric, dimension, scope_labels, entry["labels"])
    for value, metric, dimension, _, _ in merged.values():
        if dimension["type"] == "exponential":
            widen(powers.setdefault((metric["name"], dimension["name"]), {}), value)
    families = {}
    for value, metric, dimension, scope_labels, labels in merged.values():
        family = Family(metric, dimension)
        labels = {**scope_labels, **dict(zip(label_names(dimension["labels"], USED[scope]), labels))}
        shown = powers.get((metric["name"], dimension["name"]))
        samples = list(samples_of(family, dimension["type"], labels, value, is_open, shown))
        if samples:
            families.setdefault((metric["name"], dimension["name"]), (family, []))[1].extend(samples)
    return families


def remove_skipped(families, skipped, taken):
    """Removes the skipped dimensions, and checks that one of their names belongs to another dimension.

    `taken` has the owner of each name in earlier expositions, and gets the owners of this one. An owner never changes.
    """
    removed = {}
    for metric, dimension, name in skipped:
        pair = metric, dimension
        assert pair not in removed, f"{pair} is skipped twice"
        assert pair in families, f"{pair} is skipped, and has no samples"
        removed[pair], _ = families.pop(pair)
        assert removed[pair].name == name, f"{pair} is skipped in {name}, not in {removed[pair].name}"
    for pair, (family, _) in families.items():
        for name in family.names():
            assert taken.setdefault(name, pair) == pair, f"{name} belongs to both {pair} and {taken[name]}"
    for pair, family in removed.items():
        clashes = [name for name in family.names() if taken.get(name, pair) != pair]
        assert clashes, f"{pair} is skipped although none of {sorted(family.names())} is taken"


def key_of(name, labels):
    labels = {key: float(value) if key == "le" else value for key, value in labels.items()}
    return name, tuple(sorted((key, str(value)) for key, value in labels.items()))


def check(case, scope, extension, text, taken, powers):
    is_open = extension == "openmetrics"
    reader = openmetrics if is_open else prometheus
    families = list(reader.text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(set(names)) == len(names), "a family appears twice"
    found, heads = {}, {}
    for family in families:
        if not family.name.startswith("mvx_metrics_"):
            # The parser may strip white space.
            heads[family.name] = family.type, family.documentation.strip(), family.unit
        for sample in family.samples:
            key = key_of(sample.name, sample.labels)
            assert key not in found, f"{key} appears twice"
            if not sample.name.startswith("mvx_metrics_"):
                found[key] = sample.value
    shown = expected(case, scope, is_open, powers)
    remove_skipped(shown, case["skipped"][f"{scope}.{extension}"], taken)
    expected_heads = {family.name: family.head(is_open) for family, _ in shown.values()}
    assert expected_heads.keys() == heads.keys(), f"{sorted(expected_heads.keys() ^ heads.keys())}"
    for name, head in expected_heads.items():
        assert heads[name] == head, f"{name} has TYPE, HELP and UNIT {heads[name]}, not {head}"
    values = {}
    for _, samples in shown.values():
        for name, labels, value in samples:
            values[key_of(name, labels)] = value
    assert values.keys() == found.keys(), f"{sorted(values.keys() ^ found.keys())}"
    for key, value in values.items():
        if value == NOW:
            close = time.time() - 600 < found[key] < time.time() + 1
        else:
            close = math.isclose(found[key], value, rel_tol=1e-12, abs_tol=1e-12)
        assert close, f"{key} is {found[key]}, not {value}"
    return len(found)


def main():
    directory, min_cases, min_samples = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    expositions = samples = 0
    for path in sorted(directory.glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        taken, powers = {}, {}
        # In the order in which the test rendered them.
        for scope in ("rollup", "per_entity", "bare"):
            for extension in ("openmetrics", "prometheus"):
                # Bytes, so that nothing translates line ends.
                exposition = path.with_name(f"{path.stem}.{scope}.{extension}")
                text = exposition.read_bytes().decode("utf-8")
                try:
                    samples += check(case, scope, extension, text, taken, powers)
                except Exception as error:
                    sys.exit(f"{exposition}: {error!r}")
                expositions += 1
    print(f"read {expositions} expositions back, {samples} samples")
    if expositions < 6 * min_cases or samples < min_samples:
        sys.exit(f"there should be {6 * min_cases} expositions and at least {min_samples} samples")


main()
