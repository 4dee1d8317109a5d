"""The points of a push: computed from the JSON of totals, and decoded from OTLP with the package `opentelemetry-proto`.

What a push should contain follows here from the JSON alone, by the rules in the contract, and not from the library's own code.
"""

import dataclasses
import math
from decimal import Decimal

NAMESPACE = "ci.otlp"
CUMULATIVE, DELTA = 2, 1
UNITS = {None: "", "seconds": "s", "milliseconds": "ms", "bytes": "By", "percent": "%"}
PER_SECOND = {None: 1, "seconds": 1, "milliseconds": 1000}

# What a push should contain.


@dataclasses.dataclass
class Point:
    """A point of OTLP. `form` and the fields of that form."""

    form: str
    unit: str
    fields: dict
    # Seconds since 1970; None for gauges.
    start: float | None = None


def series(name, attributes):
    return name, tuple(sorted(attributes.items()))


def entries(value, parts):
    """The labels and values of a breakdown, which the JSON nests."""
    if parts == 0:
        yield (), value
        return
    for label, inner in value.items():
        for labels, single in entries(inner, parts - 1):
            yield (label, *labels), single


def quantile(histogram, share):
    """The geometric midpoint of the exponential bucket, between the extremes."""
    base = 2.0 ** (2.0 ** -histogram["scale"])
    rank = math.ceil(share * histogram["count"])
    for side in ("negative", "zero", "positive"):
        if side == "zero":
            buckets = [(0.0, histogram["zero"])]
        else:
            offset, sign = histogram[side]["offset"], -1 if side == "negative" else 1
            counts = enumerate(histogram[side]["counts"], offset)
            buckets = [(sign * base ** (index + 0.5), count) for index, count in counts][::sign]
        for midpoint, count in buckets:
            if rank <= count:
                return min(max(midpoint, float(histogram["min"])), float(histogram["max"]))
            rank -= count
    raise AssertionError(f"the buckets have fewer values than {histogram['count']}")


def points_of_value(declared, value):
    """What becomes of one value that is no breakdown: a suffix of the name, attributes, form, fields."""
    kind, number, window = declared["kind"], declared.get("number"), "window" in declared
    if value is None:
        return
    # Values of durations are in the unit of the declaration, and OTLP has seconds.
    scale = PER_SECOND[declared["unit"]] if number == "duration" else 1
    seconds = lambda value: float(Decimal(str(value)) / scale)
    number_of = (lambda value: ("double", seconds(value))) if number == "duration" else plain_number
    match kind:
        case "counter" | "sum" if not window:
            monotonic = number in ("u64", "duration")
            yield "", {}, "sum" if monotonic else "up-down sum", {"value": number_of(value)}
        case "counter" | "sum" | "gauge" | "min" | "max":
            yield "", {}, "gauge", {"value": number_of(value)}
        case "distinct":
            yield "", {}, "gauge", {"value": ("int", value["estimate"])}
        case "in_flight":
            yield "", {}, "up-down sum", {"value": ("int", value["started"] - value["finished"])}
        case "mean" if number in ("u64", "duration"):
            # One bucket for everything: some stores take no histogram without buckets.
            fields = {"count": value["count"], "sum": seconds(value["sum"]), "bounds": [], "buckets": [value["count"]]}
            yield "", {}, "histogram", fields
        case "mean":
            if value["count"]:
                yield "", {}, "gauge", {"value": ("double", float(value["sum"]) / value["count"])}
        case "histogram" if window:
            for share in (0.5, 0.9, 0.95, 0.99) if value["count"] else ():
                yield "", {"quantile": str(share)}, "gauge", {"value": ("double", quantile(value, share))}
        case "histogram":
            fields = {key: value[key] if value[key] is None else seconds(value[key]) for key in ("sum", "min", "max")}
            fields["count"] = value["count"]
            # The sum of values below zero may fall, and OTLP has none of that kind.
            if (value["min"] or 0) < 0:
                del fields["sum"]
            if "buckets" in value:
                fields["bounds"] = [seconds(bucket["up_to"]) for bucket in value["buckets"][:-1]]
                fields["buckets"] = [bucket["count"] for bucket in value["buckets"]]
                yield "", {}, "histogram", fields
            else:
                for side in ("positive", "negative"):
                    counts = enumerate(value[side]["counts"], value[side]["offset"])
                    fields[side] = {index: count for index, count in counts if count}
                fields |= {"scale": value["scale"], "zero": value["zero"]}
                yield "", {}, "exponential histogram", fields
        case _:
            raise AssertionError(f"this program does not know {declared}")


def plain_number(value):
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return ("int", value)
    return ("double", float(value))


def points_of_group(group):
    """The points of one group of totals: of its metrics, and of the library's health."""
    own = {"namespace": group["namespace"]}
    if "entity_id" in group:
        own["entity_id"] = group["entity_id"]
    for metric in group["metrics"].values():
        for declared in metric["declaration"]["dimensions"]:
            name, unit = f"{metric['name']}.{declared['name']}", UNITS[declared.get("unit")]
            if declared.get("number") == "duration":
                unit = "s"
            value = metric["dimensions"][declared["name"]]
            labels = declared.get("labels", [])
            if declared["kind"] == "top":
                for entry in value["entries"]:
                    attributes = own | dict(zip(labels, entry["labels"]))
                    yield series(name, attributes), Point("gauge", unit, {"value": plain_number(entry["value"])})
                    error = {"value": plain_number(entry["error"])}
                    yield series(f"{name}_error", attributes), Point("gauge", unit, error)
                continue
            for texts, single in entries(value, len(labels)):
                attributes = own | dict(zip(labels, texts))
                for suffix, more, form, fields in points_of_value(declared, single):
                    start = None if form == "gauge" else float(metric["counting_since"])
                    yield series(name + suffix, attributes | more), Point(form, unit, fields, start)
    stats, since = group["stats"], float(group["counting_since"])
    for count in ("accepted", "processed", "rejected", "discarded"):
        yield series(f"mvx_metrics.events_{count}", own), Point("sum", "", {"value": ("int", stats[count])}, since)
    yield series("mvx_metrics.events_pending", own), Point("gauge", "", {"value": ("int", stats["pending"])})
    for event_type, count in stats["dropped_by_type"].items():
        labels = own | {"event_type": event_type}
        yield series("mvx_metrics.events_dropped", labels), Point("sum", "", {"value": ("int", count)}, since)
    for metric in group["metrics"].values():
        labels = own | {"metric": metric["name"]}
        failed = group.get("failed", {}).get(metric["name"], 0)
        yield series("mvx_metrics.metrics_failed", labels), Point("gauge", "", {"value": ("int", failed)})
        invalid = {"value": ("int", metric.get("invalid", 0))}
        yield series("mvx_metrics.values_invalid", labels), Point("sum", "", invalid, since)


def expected_points(totals):
    """All points of totals by series."""
    points = {}
    for group in totals["groups"]:
        points |= points_of_group(group)
    for one in totals["namespaces"]:
        own = {"namespace": one["namespace"]}
        for state, count in one["by_state"].items():
            of_state = series("mvx_metrics.recorders", own | {"state": state})
            points[of_state] = Point("gauge", "", {"value": ("int", count)})
        stalled = {"value": ("int", one["stalled"] + one["unread"])}
        points[series("mvx_metrics.recorders_stalled", own)] = Point("gauge", "", stalled)
        since, removed = float(totals["started_at"]), {"value": ("int", one["removed"])}
        points[series("mvx_metrics.recorders_removed", own)] = Point("sum", "", removed, since)
    points[series("mvx_metrics.dimensions_left_out", {"namespace": NAMESPACE})] = Point(
        "gauge", "", {"value": ("int", len(totals["left_out"]))}
    )
    return points


# What a push contains.


def text_attributes(attributes):
    assert all(one.value.HasField("string_value") for one in attributes), attributes
    result = {one.key: one.value.string_value for one in attributes}
    assert len(result) == len(attributes), f"an attribute stands twice: {attributes}"
    return result


def decoded_number(point):
    field = point.WhichOneof("value")
    return {"value": (field.removeprefix("as_"), getattr(point, field))}


def decoded_histogram(point):
    fields = {"count": point.count, "bounds": list(point.explicit_bounds)}
    fields["buckets"] = list(point.bucket_counts)
    return fields | decoded_extremes(point)


def decoded_exponential(point):
    fields = {"count": point.count, "scale": point.scale, "zero": point.zero_count}
    for side in ("positive", "negative"):
        buckets = getattr(point, side)
        fields[side] = {index: count for index, count in enumerate(buckets.bucket_counts, buckets.offset) if count}
    return fields | decoded_extremes(point)


def decoded_extremes(point):
    return {key: getattr(point, key) for key in ("sum", "min", "max") if point.HasField(key)}


def decoded_points(request, temporality):
    """All points of a request by series, with the times of each. Checks what all points share."""
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            assert scope.scope.name == "mvx-metrics", scope.scope
            for metric in scope.metrics:
                data = getattr(metric, metric.WhichOneof("data"))
                form = metric.WhichOneof("data")
                decode = decoded_number
                expected_temporality = temporality
                if form == "sum" and not data.is_monotonic:
                    form, expected_temporality = "up-down sum", CUMULATIVE
                elif form == "histogram":
                    decode = decoded_histogram
                elif form == "exponential_histogram":
                    form, decode = "exponential histogram", decoded_exponential
                if form != "gauge":
                    assert data.aggregation_temporality == expected_temporality, f"the temporality of {metric.name}"
                for point in data.data_points:
                    start = point.start_time_unix_nano / 1e9 if form != "gauge" else None
                    key = series(metric.name, text_attributes(point.attributes))
                    yield key, Point(form, metric.unit, decode(point), start), point.time_unix_nano / 1e9


def same(expected, found):
    """Whether two fields are equal: integers exactly, other numbers up to the last bit of a `f64`."""
    match expected, found:
        case (str(), value), (str(), other):
            return expected[0] == found[0] and same(value, other)
        case float(), float() | int():
            return math.isclose(expected, found, rel_tol=4e-16)
        case list(), list():
            return len(expected) == len(found) and all(map(same, expected, found))
        case _:
            return expected == found


def compare(what, expected, found, deltas=False):
    """Compares all points of a push, by series. With `deltas`, extremes and starts are not those of the totals."""
    assert expected.keys() == found.keys(), (
        f"{what} lacks {sorted(expected.keys() - found.keys())[:3]} and has {sorted(found.keys() - expected.keys())[:3]}"
    )
    numbers = 0
    for key, should in expected.items():
        point, left = found[key], {"min", "max"} if deltas else set()
        assert (should.form, should.unit) == (point.form, point.unit), f"{what}: {key} is {point} instead of {should}"
        names = (should.fields.keys() | point.fields.keys()) - left
        for name in names:
            one, other = should.fields.get(name), point.fields.get(name)
            # Sums of quantiles and of deltas are rounded more than once.
            close = (deltas or "quantile" in dict(key[1])) and nearly(one, other)
            assert close or same(one, other), f"{what}: {name} of {key} is {other} instead of {one}"
            numbers += 1
        if should.start is not None and not deltas:
            # The JSON has microseconds.
            assert abs(should.start - point.start) < 2e-6, f"{what}: {key} starts at {point.start}, not {should.start}"
    return numbers


def nearly(expected, found):
    match expected, found:
        case (str(), value), (str(), other):
            return expected[0] == found[0] and nearly(value, other)
        case float(), float():
            return math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-9)
    return False


# Deltas, added up.


def at_scale(buckets, steps):
    """The counts of exponential buckets at a scale that is lower by so many steps."""
    result = {}
    for index, count in buckets.items():
        result[index >> steps] = result.get(index >> steps, 0) + count
    return result


def add_delta(sums, key, delta):
    """Adds a point to the sums of those before it. Gauges and sums that may fall take the place of the last ones."""
    before = sums.get(key)
    if before is None or delta.form in ("gauge", "up-down sum"):
        sums[key] = delta
        return
    assert before.form == delta.form, f"{key} was a {before.form} and is a {delta.form}"
    old, new = before.fields, delta.fields
    if delta.form == "sum":
        fields = {"value": plain_number(old["value"][1] + new["value"][1])}
        if new["value"][0] == "double":
            fields = {"value": ("double", float(fields["value"][1]))}
    else:
        fields = {name: old[name] + new[name] for name in ("count", "sum") if name in new}
        if delta.form == "histogram":
            assert old["bounds"] == new["bounds"], key
            fields["bounds"] = new["bounds"]
            fields["buckets"] = [one + other for one, other in zip(old["buckets"], new["buckets"], strict=True)]
        else:
            fields |= {"zero": old["zero"] + new["zero"], "scale": min(old["scale"], new["scale"])}
            for side in ("positive", "negative"):
                fields[side] = {}
                for point in (old, new):
                    for index, count in at_scale(point[side], point["scale"] - fields["scale"]).items():
                        fields[side][index] = fields[side].get(index, 0) + count
    sums[key] = Point(delta.form, delta.unit, fields)
