# shellcheck shell=bash
# Where is built, and whether this user may: asked of cargo, which knows CARGO_TARGET_DIR and its own configuration.

owner_of() { stat -c "$1" "$2" 2>/dev/null; }

# With `sudo make` all that is built would belong to root, and the user's own cargo is not on root's PATH.
refuse_sudo_make() {
  if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] && [ "$(owner_of %u .)" != 0 ]; then
    fail "call make without sudo: it asks for sudo itself, for packages alone; with it ${SUDO_USER:-you} could not build here any more"
  fi
}

# Sets `target`, cargo's folder for what it makes on the way (the tests find it too), and `scratch`, an empty folder in it where probes are compiled and run.
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
  if ! mkdir -p "$scratch" 2>/dev/null; then
    fail "cannot write in $target: set CARGO_TARGET_DIR to a folder that you may write, as in CARGO_TARGET_DIR=~/hybrid-target make demo"
  fi
  trap 'rm -rf "$scratch"' EXIT
}
