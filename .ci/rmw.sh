# shellcheck shell=bash
# Counts what one call of the bench `table` executes: instructions, atomic read-modify-writes and writes to memory. Sourced by
# `one-rmw` and `no-rmw`, in the root of the repository, after lib.sh. Callgrind says how often each instruction ran, objdump
# which ones are locked. Each figure is the difference between a long run and a short one, so that what happens once does not
# count.

if [[ $(uname -sm) != "Linux x86_64" ]]; then
    ends_if_preparing "$@"
    echo "skipped: it reads x86-64 code, and this is $(uname -sm)"
    exit 0
fi
needs_command valgrind valgrind
needs_command objdump binutils
ends_if_preparing "$@"
export CARGO_TARGET_DIR=target/rmw

# The script's argument `--peers` counts the peers, too.
if [[ ${1-} != --peers ]]; then
    export RUSTFLAGS="${RUSTFLAGS-} --cfg mvx_instrumented"
fi
build=$(cargo bench -p mvx-metrics --bench table --no-run 2>&1) || { echo "$build"; exit 1; }
table=$(sed -n 's/.*Executable.*(\(.*\))$/\1/p' <<<"$build")
output=$(mktemp -d)
trap 'rm -r "$output"' EXIT

# executed WORK BATCHES FUNCTION: a line for each executed instruction of a file of code: FILE ADDRESS TIMES WRITES; inside of
# FUNCTION.
executed() {
    valgrind --tool=callgrind --callgrind-out-file="$output/profile" --dump-instr=yes --compress-pos=no --cache-sim=yes \
        --compress-strings=no --toggle-collect="$3" "$table" --bench "--instructions=$1:$2" 2>"$output/log" ||
        { cat "$output/log" >&2; return 1; }
    # The line after `calls=` is what the call cost, not an instruction of its own. The columns are named in the head.
    awk '/^events:/ { for (column = 2; column <= NF; column++) if ($column == "Dw") written = column + 1 }
         /^ob=/ { file = substr($0, 4) }
         /^calls=/ { getline; next }
         /^0x/ { print file, substr($1, 3), $3, $written + 0 }' "$output/profile"
}

# Below, each command is followed by `|| return 1`, because `set -e` does nothing in a function that a condition calls.

# locked FILE...: a line for each instruction that locks memory: FILE ADDRESS. An exchange with memory does so by itself.
locked() {
    local file
    for file in "$@"; do
        objdump -d --no-show-raw-insn "$file" |
            awk -v file="$file" -F '\t' '
                $2 ~ /^lock / || ($2 ~ /^xchg/ && $2 ~ /\(|[ ,]0x/) { sub(/^ +/, "", $1); sub(/:.*/, "", $1); print file, $1 }' || return 1
    done
}

# count WORK BATCHES FUNCTION: INSTRUCTIONS LOCKED WRITES, how many were executed inside of FUNCTION.
count() {
    executed "$@" >"$output/executed" || return 1
    local files
    mapfile -t files < <(cut -d ' ' -f 1 "$output/executed" | sort -u)
    locked "${files[@]}" >"$output/locked" || return 1
    awk 'NR == FNR { locks[$1, $2]; next }
         { all += $3; writes += $4; if (($1, $2) in locks) locked += $3 }
         END { print all + 0, locked + 0, writes + 0 }' "$output/locked" "$output/executed"
}

# per_event WORK FUNCTION EVENTS: INSTRUCTIONS LOCKED WRITES of one event, in batches of EVENTS.
per_event() {
    local short long
    short=$(count "$1" 8 "$2") || return 1
    long=$(count "$1" 40 "$2") || return 1
    awk -v short="$short" -v long="$long" -v events=$((32 * $3)) 'BEGIN {
        split(short, before); split(long, after)
        if (after[1] - before[1] < events) { print "nothing was counted: is the function still called that?" > "/dev/stderr"; exit 1 }
        for (i = 1; i <= 3; i++) printf "%.4f ", (after[i] - before[i]) / events
    }'
}
