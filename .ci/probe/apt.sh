# shellcheck shell=bash
# Packages by apt. All that can be known to go wrong is found before anything is installed: who may install, whether apt knows the
# packages and gets them.

installed() { dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed'; }

terminal() { { : </dev/tty; } 2>/dev/null; }

# Sets `as_root`, or else `why` not.
find_root() {
  as_root=() why=''
  if [ "$(id -u)" = 0 ]; then return; fi
  as_root=(sudo)
  if ! command -v sudo >/dev/null; then
    why='there is no sudo'
  elif sudo -n true 2>/dev/null; then
    return
  elif ! terminal; then
    why='sudo wants a password, and there is no terminal to ask for it'
  elif sudo -v; then
    return
  else
    why='sudo refuses'
  fi
  return 1
}

# Nothing is removed for what is installed: that is the user's to say.
get_options=(-y --no-install-recommends --no-remove)

# Ends with the line for root where sudo lets the user call something, and not this, or wants the password once more. sudo itself
# ends with 1 then, apt-get with 100.
apt() { # apt LOG WORD...
  local log=$1 code=0
  ${as_root[@]+"${as_root[@]}"} env LC_ALL=C LANGUAGE= DEBIAN_FRONTEND=noninteractive apt-get -qq "${@:2}" >"$log" 2>&1 || code=$?
  if [ $code = 1 ] && [ ${#as_root[@]} -gt 0 ] && ! grep -q '^E: ' "$log"; then
    why="sudo refuses ($(gist <"$log"))"
    ask_for_root
  fi
  return $code
}

apt_gist() { # the line that tells most: an error before a warning
  { grep -h '^E: ' "$1" || grep -h '^W: ' "$1" || gist <"$1"; } | head -n 1
}

# Packages that apt would remove for others, which `-qq` does not tell.
removed_for() { # removed_for PACKAGE...
  apt-get -qq -s install --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p' | tr '\n' ' '
}

apt_install() { # apt_install PACKAGE...
  local update=$scratch/apt.update get=$scratch/apt.get complaint='' conflict=''
  say "installing $*"
  apt "$update" update || true
  if grep -q '^[EW]: ' "$update"; then complaint=$(apt_gist "$update"); fi
  if ! apt "$get" install "${get_options[@]}" --download-only "$@"; then
    conflict=$(removed_for "$@") || conflict=''
    if [ -n "$conflict" ]; then
      fail "$* cannot be installed beside ${conflict% }, and nothing is removed unasked, so nothing was installed:" \
        "remove that yourself if it can be spared, then call this again"
    fi
    if grep -qE "resolving|[Cc]ould not (resolve|connect)|unreachable|[Cc]onnection (timed|refused)|Cannot initiate" "$update" "$get"; then
      fail "there is no network, nothing was installed: connect, then call this again (apt-get: $(apt_gist "$get"))"
    elif [ -n "$complaint" ]; then
      fail "a source of apt is broken, nothing was installed: mend it in /etc/apt, or remove it (apt-get: $complaint; $(apt_gist "$get"))"
    fi
    fail "apt-get cannot get the packages, nothing was installed ($(apt_gist "$get"))"
  fi
  [ -z "$complaint" ] || say "apt cannot read one of its sources, which is not needed here ($complaint)"
  apt "$get" install "${get_options[@]}" "$@" || fail "apt-get install failed: $(apt_gist "$get")"
}
