#!/bin/sh
# Builds the guide: checks the pages, then runs mdBook into book/build.
#
#   book/build.sh           check and build
#   book/build.sh --check   check only (needs no mdBook)
#
# mdBook is taken from PATH, else from build/tools/mdbook, else fetched there
# (on Debian: the package, unpacked, not installed). The system's own package
# state is never touched.
set -eu

book=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$book")
tools=$root/build/tools

say() { printf 'book: %s\n' "$*" >&2; }

# Where the unpacked Debian packages live, and how their mdBook is started:
# through its own loader, because it wants a newer libc than Debian 12 has.
unpacked=$tools/mdbook

run_unpacked() {
  for loader in "$unpacked"/usr/lib/*/ld-linux-*.so.* \
                "$unpacked"/usr/lib64/ld-linux-*.so.* \
                "$unpacked"/usr/lib/ld-linux-*.so.*; do
    [ -e "$loader" ] || continue
    for libraries in "$unpacked"/usr/lib/*-linux-gnu; do
      "$loader" --library-path "$libraries" "$unpacked/usr/bin/mdbook" "$@"
      return
    done
  done
  return 127
}

# Downloads mdBook and the libraries it needs from Debian, with source lists,
# lists and cache of our own in a temporary folder.
fetch_from_debian() {
  [ -r /etc/os-release ] || return 1
  distribution=$(. /etc/os-release && echo "${ID:-}")
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ "$distribution" = debian ] || return 1
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  case $release in
    bookworm) wanted=trixie ;;          # Debian 12 has no mdBook; 13 has
    *) wanted=$release ;;
  esac

  say "fetching mdBook from Debian $wanted into build/tools (not installed)"
  mkdir -p "$tools"
  work=$(mktemp -d "$tools/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/parts" "$work/state/lists/partial" \
    "$work/cache/archives/partial" "$work/packages" "$work/unpacked"
  : >"$work/sources.list"
  if [ -f /etc/apt/sources.list ]; then
    sed "s/$release/$wanted/g" /etc/apt/sources.list >"$work/sources.list"
  fi
  for list in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list
  do
    [ -f "$list" ] || continue
    sed "s/$release/$wanted/g" "$list" >"$work/parts/$(basename "$list")"
  done

  private_apt() {
    apt-get -qq -o Dir::State="$work/state" -o Dir::Cache="$work/cache" \
      -o Dir::State::status=/var/lib/dpkg/status \
      -o Dir::Etc::sourcelist="$work/sources.list" \
      -o Dir::Etc::sourceparts="$work/parts" \
      -o APT::Sandbox::User="$(id -un)" "$@"
  }
  # A foreign source list may fail the update; the download is what counts.
  private_apt update >"$work/log" 2>&1 || true
  if ! (cd "$work/packages" &&
        private_apt download mdbook libc6 libgcc-s1 >>"$work/log" 2>&1); then
    tail -n 5 "$work/log" >&2
    return 1
  fi
  for package in "$work"/packages/*.deb; do
    dpkg -x "$package" "$work/unpacked"
  done
  rm -rf "$unpacked"
  mv "$work/unpacked" "$unpacked"
  rm -rf "$work"
  trap - EXIT
}

build_with_mdbook() {
  if command -v mdbook >/dev/null; then
    mdbook build "$book"
    return
  fi
  if [ ! -x "$unpacked/usr/bin/mdbook" ] && ! fetch_from_debian; then
    say "mdBook is missing and could not be fetched here. Install it with one of"
    say "    apt-get install mdbook      (Debian 13, Ubuntu 25.04 and later)"
    say "    brew install mdbook         (macOS)"
    say "    pacman -S mdbook            (Arch)"
    say "    cargo install mdbook        (anywhere with Rust)"
    say "and run this again. The pages are also readable as they are: book/src."
    exit 1
  fi
  run_unpacked build "$book"
}

# The checker is one small program; it is compiled when its source is newer.
checker=$tools/book-check
source=$book/check/check.cpp
if [ ! -x "$checker" ] ||
   [ -n "$(find "$book/check" -name 'check*' -newer "$checker")" ]; then
  compiler=${CXX:-}
  for candidate in g++ clang++ c++; do
    [ -n "$compiler" ] && break
    if command -v "$candidate" >/dev/null; then compiler=$candidate; fi
  done
  [ -n "$compiler" ] || { say "no C++ compiler found (g++, clang++)"; exit 1; }
  mkdir -p "$tools"
  "$compiler" -std=c++20 -O1 -o "$checker.$$" "$source"
  mv "$checker.$$" "$checker"
fi
"$checker" "$book/src"

[ "${1:-}" = --check ] && exit 0
build_with_mdbook
say "built: $book/build/index.html"
