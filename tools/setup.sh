# Set-up shared by ./demo, ./test and tools/debian13; to be sourced. Debian 12 and 13, and what names packages alike.
# PYTHON=/usr/bin/python3 ./test makes .venv with that Python, even where another one made it.
# shellcheck shell=bash

# Each word is one package, or its names on different releases with | between them.
PACKAGES_TO_USE=(
  "libntfs-3g89|libntfs-3g89t64"
  "libnbd0|libnbd0t64"
  "qemu-utils"
  "libarchive13|libarchive13t64"
  "libwim15|libwim15t64"
  "python3"
  "python3-venv"
)
PACKAGES_TO_BUILD_MACHINES=(
  "ntfs-3g"
  "dosfstools"
  "mtools"
  "fdisk"
  "util-linux"
  "libwin-hivex-perl"
  "libhivex-bin"
  "binutils-mingw-w64-i686"
  "binutils-mingw-w64-x86-64"
  "gcab"
  "openssl"
  "osslsigncode"
)
PACKAGES_TO_TEST=(
  "binutils"
  "e2fsprogs"
  "reglookup"
  "sleuthkit"
  "gdisk"
  "nbdkit"
  "libnbd-bin"
  "genisoimage"
  "strace"
  "libxml2-utils"
  "libvirt0"
  "cabextract"
  "mscompress"
  "p7zip-full|7zip"
  "wimtools"
  "ldmtool"
  "zip"
)

say() { printf '%s\n' "== $*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || die "Installing packages needs root: run this as root, or install sudo."
    sudo "$@"
  fi
}

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The names of a package are tried in turn: one that is installed will do, else the first that can be.
is_satisfied() {
  local name
  for name in ${1//|/ }; do
    if is_installed "$name"; then return 0; fi
  done
  return 1
}

installable_name() {
  local name
  for name in ${1//|/ }; do
    if [ -n "$(apt-cache search --names-only "^${name//+/\\+}\$")" ]; then
      printf '%s\n' "$name"
      return 0
    fi
  done
  die "No package provides ${1//|/ or } here. Is this Debian 12, Ubuntu 24.04 or later, with the 'universe' packages?"
}

install_packages() {
  local word missing=() names=()
  for word in "$@"; do
    is_satisfied "$word" || missing+=("$word")
  done
  if [ "${#missing[@]}" -eq 0 ]; then return 0; fi
  command -v apt-get >/dev/null || die "Without apt, install these yourself: ${missing[*]}"
  say "installing ${missing[*]}"
  as_root apt-get update --quiet=2
  for word in "${missing[@]}"; do
    names+=("$(installable_name "$word")")
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
    --option Dpkg::Use-Pty=0 "${names[@]}" </dev/null >/dev/null
}

# PYTHON, else the system's own where it is new enough (python3-venv goes with that one), else another on the PATH.
find_python() {
  local name
  for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$name" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  die "Python 3.11 or later is needed; ${PYTHON:-python3} is older."
}

# Whether .venv works, and was made with PYTHON if that is given.
has_environment() {
  .venv/bin/python -c 'import pip' 2>/dev/null || return 1
  [ -z "${PYTHON:-}" ] || [ "$(realpath .venv/bin/python)" = "$(realpath "$(find_python)")" ]
}

# make_environment EXTRAS: the project in .venv, with "[dev]" or nothing. Quick where pyproject.toml has not changed.
make_environment() {
  local extras="$1" python stamp wanted
  if ! has_environment; then
    python="$(find_python)"
    say "creating .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
  fi
  stamp=".venv/installed${extras}"
  wanted="$(sha256sum pyproject.toml)"
  # What was installed for ./test will do for ./demo.
  if ! grep --quiet --no-messages --fixed-strings --line-regexp "$wanted" "$stamp" ".venv/installed[dev]"; then
    say "installing the project${extras:+ with $extras} into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${extras}"
    printf '%s\n' "$wanted" >"$stamp"
  fi
  # The process that reads volumes cannot write bytecode: what only it loads would be compiled at each start.
  .venv/bin/python -m compileall -q src
}
