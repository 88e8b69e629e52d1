# shellcheck shell=bash
# Where is built, and whether this user may: asked of cargo, which knows CARGO_TARGET_DIR and its own configuration.

owner_of() { stat -c "$1" "$2" 2>/dev/null; }

# With `sudo make` all that is built would belong to root, and the user's own cargo is not on root's PATH.
refuse_sudo_make() {
  if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] && [ "$(owner_of %u .)" != 0 ]; then
    fail "call make without sudo: it asks for sudo itself, for packages alone; with it ${SUDO_USER:-you} could not build here any more"
  fi
}

# Compilers and tests make files there, and complain of it late and in words of their own.
refuse_tmpdir() {
  local file said where="TMPDIR=${TMPDIR:-}" cure='set it to another folder, or leave it unset'
  [ -n "${TMPDIR:-}" ] || where='/tmp' cure='set TMPDIR to another folder, as in TMPDIR=~ make demo'
  file=$(mktemp 2>/dev/null) || fail "cannot write in $where: $cure"
  said=$(fill "$file" 16384) || fail "no room in $where ($said): $cure"
}

# Whether a file can have this many bytes, or else why not; the file is gone afterwards.
fill() { # fill FILE BYTES
  local said code=0
  said=$({ head -c "$2" /dev/zero >"$1"; } 2>&1) || code=$?
  rm -f "$1"
  [ $code = 0 ] || gist <<<"$said"
  return $code
}

# Sets `target`, cargo's folder for what it makes on the way (the tests find it too), and `scratch`, an empty folder in it where
# probes are compiled and run.
find_places() {
  local answer folder
  answer=$("$cargo" metadata --no-deps --format-version 1 2>&1) || fail "cargo does not read Cargo.toml: $(gist <<<"$answer")"
  target=$(sed -n 's/.*"build_directory":"\([^"]*\)".*/\1/p' <<<"$answer")
  target=${target:-$(sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p' <<<"$answer")}
  [ -n "$target" ] || fail "cargo metadata tells no target directory: is $cargo cargo?"
  for folder in "$target" "$target"/*/; do
    if [ -d "$folder" ] && [ "$(id -u)" != 0 ] && [ "$(owner_of %u "$folder")" = 0 ] && [ ! -w "$folder" ]; then
      fail "${folder%/} belongs to root, perhaps of a call with sudo: sudo chown -R $(id -un) '$target'"
    fi
  done
  scratch=$target/setup.$$
  trap 'rm -rf "$scratch"' EXIT
  mkdir -p "$scratch" 2>/dev/null || refuse_target "cannot write in $target" 'you may write'
  refuse_full_target
  refuse_target_without_programs
}

refuse_target() { # refuse_target WHY WHERE
  fail "$1: set CARGO_TARGET_DIR to a folder that $2, as in CARGO_TARGET_DIR=~/hybrid-target make demo"
}

# A folder can be made on a file system in which there is no room for a program, or none left of the user's share.
refuse_full_target() {
  local said
  said=$(fill "$scratch/room" 1048576) || refuse_target "no room in $target ($said)" 'has room'
}

# As on a file system that is mounted noexec. Not asked of a compiled program, since a compiler may be missing yet.
refuse_target_without_programs() {
  printf '#!/bin/sh\n' >"$scratch/runs"
  chmod +x "$scratch/runs"
  "$scratch/runs" 2>/dev/null ||
    refuse_target "programs in $target cannot be run, as where noexec is mounted" 'programs can be run in'
}
