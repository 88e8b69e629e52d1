# shellcheck shell=bash
# Which cargo builds here. It is looked for where rustup puts it too: a shell that was open before has not got it on its PATH.
# Versions are compared first, since an old cargo stumbles over Cargo.toml itself and blames some key in it.

rust_wanted() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

at_least() { # at_least 1.89 1.90.2
  local wanted_major wanted_minor major minor
  IFS=. read -r wanted_major wanted_minor _ <<<"$1"
  IFS=. read -r major minor _ <<<"$2"
  [ "$major" -gt "$wanted_major" ] || { [ "$major" -eq "$wanted_major" ] && [ "$minor" -ge "${wanted_minor:-0}" ]; }
}

version_of() { # version_of PROGRAM: "1.89.0", or status 1 and what it complains of
  local words
  words=$("$1" --version 2>&1) && [[ $words =~ ([0-9]+\.[0-9]+[0-9.]*) ]] && echo "${BASH_REMATCH[1]}" && return
  gist <<<"$words"
  return 1
}

# Sets `cargo`, or ends with a line that says what to do.
find_cargo() {
  local wanted version program found='' unfit=''
  wanted=$(rust_wanted)
  for program in cargo "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo"; do
    found=$(command -v "$program") || continue
    if ! version=$(version_of "$found"); then
      unfit=${unfit:-"$found does not run: $version: mend it, or install Rust $wanted or newer: https://rustup.rs"}
    elif ! at_least "$wanted" "$version"; then
      unfit=${unfit:-"Rust $version ($found) is too old, hybrid needs $wanted or newer: rustup update, or https://rustup.rs"}
    else
      cargo=$found
      return
    fi
  done
  fail "${unfit:-"Rust is missing: install $wanted or newer (https://rustup.rs), then call this again"}"
}
