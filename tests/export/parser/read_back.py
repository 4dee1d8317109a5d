"""Reads expositions with prometheus_client and compares every sample with what the recorders had.

Usage: read_back.py DIRECTORY. The rules for names and for merging are written down here a second time, on purpose.
"""

import json
import math
import pathlib
import re
import sys

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


def label_names(labels):
    names = []
    for label in labels:
        name = identifier(label) if label else "label"
        if name.startswith("__") or name in ("namespace", "entity_id", "le", "quantile"):
            name = "exported_" + name
        unique, number = name, 1
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return names


def merge(kind, rule, one, other):
    if one is None:
        return other
    if isinstance(one, dict):
        if "bounds" in one:
            counts = [a + b for a, b in zip(one["counts"], other["counts"])]
            return {"bounds": one["bounds"], "counts": counts, "sum": one["sum"] + other["sum"]}
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


def samples_of(name, kind, type_, labels, value, is_open):
    counter = kind in ("Counter", "Sum") and type_ in ("unsigned", "duration")
    if type_ == "duration":
        value = value["nanos"] / 1e9
    elif type_ == "mean":
        if value["count"] == 0:
            return
        value = value["sum"] / value["count"]
    elif type_ == "in_flight":
        value = value["started"] - value["finished"]
    elif type_ == "histogram":
        total = 0
        for bound, count in zip(value["bounds"] + [math.inf], value["counts"]):
            total += count
            yield name + "_bucket", {**labels, "le": bound}, total
        if not is_open:
            yield name + "_count", labels, total
            yield name + "_sum", labels, value["sum"]
        return
    yield name + ("_total" if counter else ""), labels, value


def expected_samples(case, scope, is_open):
    left_out = {tuple(pair) for pair in case["left_out"][scope]}
    merged = {}
    # What removed recorders had counted comes first.
    for recorder in sorted(case["recorders"], key=lambda recorder: not recorder["removed"]):
        if recorder["removed"] and scope == "per_entity":
            continue
        place = {"namespace": recorder["namespace"]}
        if scope == "per_entity":
            place["entity_id"] = recorder["entity_id"]
        for metric in recorder["metrics"]:
            for dimension in (part for whole in metric["dimensions"] for part in parts_of(whole)):
                if (metric["name"], dimension["name"]) in left_out:
                    continue
                if recorder["removed"] and dimension["kind"] == "Gauge":
                    continue
                for entry in dimension["entries"]:
                    key = (metric["name"], dimension["name"], json.dumps(place), tuple(entry["labels"]))
                    before = merged.get(key, (None,))[0]
                    value = merge(dimension["kind"], dimension["merge"], before, entry["value"])
                    merged[key] = (value, metric, dimension, place, entry["labels"])
    for value, metric, dimension, place, labels in merged.values():
        kind, type_ = dimension["kind"], dimension["type"]
        counter = kind in ("Counter", "Sum") and type_ in ("unsigned", "duration")
        name = family_name(metric["name"], dimension["name"], unit_of(dimension["unit"]), counter)
        names = label_names(dimension["labels"])
        yield from samples_of(name, kind, type_, {**place, **dict(zip(names, labels))}, value, is_open)


def key_of(name, labels):
    labels = {key: float(value) if key == "le" else value for key, value in labels.items()}
    return name, tuple(sorted((key, str(value)) for key, value in labels.items()))


def check(case, scope, is_open, text):
    reader = openmetrics if is_open else prometheus
    families = list(reader.text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(set(names)) == len(names), "a family stands twice"
    found = {}
    for family in families:
        for sample in family.samples:
            key = key_of(sample.name, sample.labels)
            assert key not in found, f"{key} stands twice"
            if not sample.name.startswith("mvx_metrics_"):
                found[key] = sample.value
    expected = {}
    for name, labels, value in expected_samples(case, scope, is_open):
        expected[key_of(name, labels)] = value
    assert expected.keys() == found.keys(), f"{sorted(expected.keys() ^ found.keys())}"
    for key, value in expected.items():
        close = math.isclose(found[key], value, rel_tol=1e-12, abs_tol=1e-12)
        assert close, f"{key} is {found[key]}, not {value}"
    return len(found)


def main():
    directory = pathlib.Path(sys.argv[1])
    expositions = samples = 0
    for path in sorted(directory.glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        for scope in ("rollup", "per_entity"):
            for extension in ("openmetrics", "prometheus"):
                # The files are read as bytes: nothing may translate the ends of lines.
                exposition = path.with_name(f"{path.stem}.{scope}.{extension}")
                text = exposition.read_bytes().decode("utf-8")
                try:
                    samples += check(case, scope, extension == "openmetrics", text)
                except Exception as error:
                    sys.exit(f"{exposition}: {error!r}")
                expositions += 1
    assert expositions, "there is nothing to read"
    print(f"read {expositions} expositions back, {samples} samples")


main()
