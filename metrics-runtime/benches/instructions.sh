#!/usr/bin/env bash
# Counts instructions per event with callgrind and prints a table; instructions.txt beside it keeps the last one.
#
#   metrics-runtime/benches/instructions.sh > metrics-runtime/benches/instructions.txt
#
# Each figure is the difference between a long run and a short one. So work that is done once does not count.
set -euo pipefail
cd "$(dirname "$0")/../.."

table=$(cargo bench -p mvx-metrics --bench table --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p')
output=$(mktemp -d)
trap 'rm -r "$output"' EXIT

# instructions WORK BATCHES FUNCTION: the number of instructions inside of FUNCTION; in all threads when it is empty.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$output/out" ${3:+"--toggle-collect=$3"} \
        "$table" --bench "--instructions=$1:$2" 2>&1 | sed -n 's/^.*Collected : //p'
}

# per_event WORK FUNCTION EVENTS: instructions per event, in batches of EVENTS.
per_event() {
    local short long
    short=$(instructions "$1" 8 "$2")
    long=$(instructions "$1" 24 "$2")
    awk -v count=$((long - short)) -v events=$((16 * $3)) 'BEGIN { printf "%.1f", count / events }'
}

# row NAME WORK FUNCTION EVENTS: a line with the instructions per event.
row() {
    printf '    %-38s%10s\n' "$1" "$(per_event "$2" "$3" "$4")"
}

# hooks_row NAME KIND: a line for a recorder with these hooks.
hooks_row() {
    printf '    %-38s%10s%14s%14s\n' "$1" "$(per_event "burst:$2" '*counted_handoff*' 8192)" \
        "$(per_event "lone:$2" '*counted_lone_event*' 64)" "$(per_event "burst:$2" '' 8192)"
}

echo "instructions per event, $(rustc --version), $(uname -m)"
echo
echo "handoff, on the producer's thread, making the event included"
row "mvx-metrics" handoff:ours '*counted_handoff*' 8192
row "mvx-metrics, per thread, folding included" handoff:per_thread '*counted_handoff*' 8192
row "straightforward port" handoff:port '*counted_handoff*' 8192
row "rtrb ring" handoff:spsc '*counted_handoff*' 8192
row "shared struct of atomics" handoff:atomics '*counted_handoff*' 8192
row "fast-telemetry, sharded counters" handoff:sharded '*counted_handoff*' 8192
row "prometheus-client, cached handles" handoff:cached '*counted_handoff*' 8192
row "prometheus-client, family lookup" handoff:family '*counted_handoff*' 8192
row "metrics macros, Prometheus exporter" handoff:macros '*counted_handoff*' 8192
echo
echo "a call that a recorder refuses, with an event that was made before"
row "emit, running" emit:running '*counted_emits*' 8192
row "emit, disabled" emit:disabled '*counted_emits*' 8192
row "emit, stopped" emit:stopped '*counted_emits*' 8192
row "emit, cancelled" emit:cancelled '*counted_emits*' 8192
row "register_event, stopped" register:stopped '*counted_registrations*' 8192
echo
echo "dispatch, on the runtime thread, in batches of 256 events"
row "mvx-metrics, the whole turn" dispatch:ours '*RecorderInner*try_turn_of*' 256
row "of it the metric's own loop" dispatch:ours '*handle_batch*' 256
echo
echo "dimensions: one value inside of the metric's own loop, the loop included"
row "Counter" dimension:counter '*handle_batch*' 256
row "Sum<u64>" dimension:sum '*handle_batch*' 256
row "Max<u64>" dimension:max '*handle_batch*' 256
row "Mean<Duration>" dimension:mean '*handle_batch*' 256
row "Gauge<i64>" dimension:gauge '*handle_batch*' 256
row "InFlight" dimension:in_flight '*handle_batch*' 256
row "Breakdown<enum, Counter>" dimension:breakdown_enum '*handle_batch*' 256
row "Breakdown<String, Counter>" dimension:breakdown_string '*handle_batch*' 256
row "Breakdown<String, metric of three>" dimension:breakdown_metric '*handle_batch*' 256
row "three of Breakdown<String, D>" dimension:three_breakdowns '*handle_batch*' 256
row "Histogram<Duration>" dimension:histogram_duration '*handle_batch*' 256
row "Histogram<u64>" dimension:histogram_u64 '*handle_batch*' 256
row "Histogram<f64>" dimension:histogram_f64 '*handle_batch*' 256
row "Distinct" dimension:distinct '*handle_batch*' 256
row "Top<String, Counter>" dimension:top '*handle_batch*' 256
row "Recent<Counter, 60>" dimension:recent_counter '*handle_batch*' 256
row "Recent<Histogram<Duration>, 60>" dimension:recent_histogram '*handle_batch*' 256
row "Histogram<Duration>, buckets = .." dimension:histogram_explicit '*handle_batch*' 256
echo
echo "hooks: a call in bursts, a call after the event before was applied, and all threads in bursts"
hooks_row "without hooks" none
hooks_row "with lifecycle hooks" lifecycle
hooks_row "with a change listener" listener
