# shellcheck shell=bash
# What the steps share; sourced in the root of the repository.
export CARGO_TERM_COLOR=never
tools=$PWD/target/tools
export PATH="$tools/bin:$PATH"
nightly=${MVX_NIGHTLY:-nightly}
mkdir -p target

# The packages that are published, each after those that it needs, and their options for cargo.
packages=(mvx-metrics-derive mvx-metrics mvx-metrics-otlp mvx-metrics-facade mvx-metrics-cli)
of_packages=("${packages[@]/#/--package=}")

# Only CI writes outside of the tree. A developer learns what is missing.
in_ci() { [[ ${CI-} == true ]]; }

# CI builds once and seldom debugs, so it writes neither incremental state nor debug information.
if in_ci; then
  export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=none CARGO_PROFILE_RELEASE_DEBUG=none CARGO_PROFILE_BENCH_DEBUG=none
fi

# missing WHAT HOW: ends the step; `.ci/run` goes on with the next one and fails at its end.
missing() {
  echo "this step needs $1; to get it: $2" >&2
  exit 3
}

# retry COMMAND...: a download that hangs or fails is tried again.
retry() {
  local attempt
  for attempt in 1 2 3; do
    timeout 300 "$@" && return
    echo "attempt $attempt failed: $*" >&2
  done
  return 1
}

# needs_command COMMAND PACKAGE...: the Debian packages that have it.
needs_command() {
  command -v "$1" >/dev/null && return
  in_ci || missing "$1" "sudo apt-get install ${*:2}, or your system's package"
  install_packages "${@:2}"
}

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi; }

install_packages() {
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The package would start a server of its own, unless a policy forbids it while it is installed.
install_prometheus() {
  local policy=/usr/sbin/policy-rc.d
  if [[ -e $policy ]]; then
    install_packages prometheus
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
  as_root chmod +x $policy
  trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  install_packages prometheus
  as_root rm -f $policy
  trap - EXIT
}
# A Prometheus server and `promtool`.
needs_prometheus() {
  local command
  for command in prometheus promtool; do
    command -v $command >/dev/null && continue
    in_ci || missing "$command" "sudo apt-get install prometheus, or your system's package"
    install_prometheus
  done
}

# A port of loopback that nothing listens at.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# ends_if_preparing ARGUMENT...: with `--prepare`, a script of a step ends here. `.ci/run` installs so what a step beside others needs.
ends_if_preparing() { [[ ${1-} != --prepare ]] || exit 0; }

# Steps beside others find everything installed, and do not ask: rustup makes one change at a time, and meanwhile it may not answer.
prepared() { [[ -n ${MVX_PREPARED-} ]]; }

needs_toolchain() {
  ! prepared || return 0
  rustc "+$1" --version 2>/dev/null && return
  in_ci || missing "the toolchain $1" "rustup toolchain install $1 --profile minimal"
  retry rustup toolchain install "$1" --profile minimal
}

# Not `grep -q`: it ends at the first match, and then `rustup` fails because nothing reads its output.
has_component() { rustup component list --toolchain "$1" --installed | grep "^$2" >/dev/null; }

# needs_component TOOLCHAIN COMPONENT
needs_component() {
  ! prepared || return 0
  has_component "$@" && return
  in_ci || missing "the component $2 of the toolchain $1" "rustup component add $2 --toolchain $1"
  retry rustup component add "$2" --toolchain "$1"
}

# needs_target TOOLCHAIN TARGET
needs_target() {
  ! prepared || return 0
  rustup target list --toolchain "$1" --installed | grep -x "$2" >/dev/null && return
  in_ci || missing "the target $2 of the toolchain $1" "rustup target add $2 --toolchain $1"
  retry rustup target add "$2" --toolchain "$1"
}

# needs_cargo_tool CRATE VERSION: below target/tools, not optimised because each runs for seconds.
needs_cargo_tool() {
  grep -q "^\"$1 $2 " "$tools/.crates.toml" 2>/dev/null && return
  cargo install --quiet --locked --debug --root "$tools" "$1@$2"
}

# needs_npm_package PACKAGE VERSION: below target/tools, and nothing that it depends on is locked there.
needs_npm_package() {
  local manifest=$tools/node_modules/$1/package.json
  grep -q "\"version\": \"$2\"" "$manifest" 2>/dev/null && return
  needs_command npm npm
  mkdir -p "$tools"
  retry npm install --silent --no-audit --no-fund --no-save --no-package-lock --prefix "$tools" "$1@$2"
}

# at_least COUNT COMMAND...: so many tests have to pass, because cargo is content when a filter matches none.
at_least() {
  local log passed
  log=$(mktemp target/at-least.XXXXXX)
  "${@:2}" | tee "$log"
  passed=$(awk '/^test result: ok/ { passed += $4 } END { print passed + 0 }' "$log")
  rm "$log"
  ((passed >= $1)) || { echo "$passed tests passed, and there should be at least $1"; exit 1; }
}

toolchain() { sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml; }
host() { rustc -vV | sed -n 's/^host: //p'; }
