# Shared by the scripts of this folder: saying things, Debian packages, the compiled wheel.
# shellcheck shell=bash

cache="${XDG_CACHE_HOME:-$HOME/.cache}/softagent"
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '==> %s\n' "$*" >&2; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

# need_command COMMAND PACKAGE WHY: notes the Debian package unless the command is there.
debian_packages=()
debian_reasons=()
need_command() { command -v "$1" >/dev/null || need_package "$2" "$3"; }
need_package() { debian_packages+=("$1"); debian_reasons+=("  $1: $2"); }

# Installs the packages noted; the only step that asks for root.
install_packages() {
  ((${#debian_packages[@]})) || return 0
  command -v apt-get >/dev/null ||
    fail "These are missing, and this machine has no apt-get: install them and run this again." \
      "${debian_reasons[@]}"
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "As root, run: apt-get install ${debian_packages[*]}" "They are needed for:" "${debian_reasons[@]}"
    as_root=(sudo)
  fi
  say "Installing Debian packages${as_root:+ (sudo may ask for your password)}:"
  printf '%s\n' "${debian_reasons[@]}" >&2
  "${as_root[@]}" apt-get update -qq || say "The package lists could not be refreshed; trying with the old ones"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${debian_packages[@]}" ||
    fail "apt-get failed (see above). Without network: bring the .deb files of ${debian_packages[*]} and dpkg -i them."
  debian_packages=() debian_reasons=()
}

# Prints a Python of 3.11 or later; nothing when there is none.
find_python() {
  local python
  for python in "${PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
}

# run_with_progress LOG TITLE COMMAND...: runs it with its output in LOG, showing make's percentage.
run_with_progress() {
  local log=$1 title=$2 pid status=0 percent begun=$SECONDS shown=-15
  shift 2
  setsid "$@" >"$log" 2>&1 & # a group of its own, so that all of it can be ended
  pid=$!
  trap 'kill -- "-$pid" 2>/dev/null; wait "$pid" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    percent=$(grep -oE '\[ *[0-9]+%\]' "$log" | tail -n 1 || true)
    if [[ -t 2 ]]; then
      printf '\r    %s %s %d s ' "$title" "$percent" $((SECONDS - begun)) >&2
    elif ((SECONDS - shown >= 15)); then
      printf '    %s %s %d s\n' "$title" "$percent" $((SECONDS - begun)) >&2
      shown=$SECONDS
    fi
    sleep 1
  done
  wait "$pid" || status=$?
  trap - INT TERM
  printf '\r    %s: %d s        \n' "$title" $((SECONDS - begun)) >&2
  return "$status"
}

llama_version=0.3.36

# Where the wheel is kept: llama.cpp is compiled for this very processor.
llama_wheels() {
  local flags
  flags=$(grep -m 1 -E '^(flags|Features)' /proc/cpuinfo | sha256sum | cut -c 1-12)
  printf '%s/wheels/llama-cpp-python-%s-%s-%s' "$cache" "$llama_version" "$(uname -m)" "$flags"
}

# build_llama PYTHON: compiles the wheel. Interrupted, it goes on where it was.
build_llama() {
  local python=$1 wheels build
  wheels=$(llama_wheels)
  build="$cache/build/$(basename "$wheels")"
  say "Compiling llama-cpp-python $llama_version, once for this processor (4 minutes on 2 cores)"
  mkdir -p "$build/sdist" "$wheels"
  if [[ ! -e $build/source/pyproject.toml ]]; then
    "$python" -m pip download --quiet --no-deps --no-binary llama-cpp-python --no-cache-dir \
      --dest "$build/sdist" "llama-cpp-python==$llama_version" || fail_offline
    rm -rf "$build/unpacked"
    mkdir "$build/unpacked"
    tar -xzf "$build"/sdist/*.tar.gz --strip-components=1 -C "$build/unpacked"
    mv "$build/unpacked" "$build/source"
  fi
  CMAKE_ARGS="-DLLAVA_BUILD=OFF -DLLAMA_BUILD_COMMON=OFF" CMAKE_GENERATOR="Unix Makefiles" \
    CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) run_with_progress "$build/log" "compiling" \
    "$python" -m pip wheel --verbose --no-deps --no-cache-dir --wheel-dir "$build/wheel" \
    --config-settings=build-dir="$build/cmake" "$build/source" ||
    fail "$(tail -n 20 "$build/log")" "Compiling llama-cpp-python failed; the whole log: $build/log"
  mv "$build"/wheel/*.whl "$wheels/"
  rm -rf "$build"
}

fail_offline() {
  fail "" "Something could not be downloaded (see above). Run this again when the network is back: it goes on from here." \
    "A machine that never has network can be set up from a like one (same Debian, Python and processor):" \
    "  there:  scripts/setup; .venv/bin/pip freeze --exclude-editable | grep -v llama > list;" \
    "          .venv/bin/pip wheel --wheel-dir wheels -r list hatchling editables" \
    "  bring:  the folder wheels, and $cache (models and the compiled wheel)" \
    "  here:   PIP_NO_INDEX=1 PIP_FIND_LINKS=/path/to/wheels scripts/setup"
}
