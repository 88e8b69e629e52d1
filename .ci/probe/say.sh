# shellcheck shell=bash
# How the set-up speaks: on stderr, each line opened by its name, since make and cargo speak on the same screen.

say() { printf 'setup: %s\n' "$*" >&2; }

fail() { # fail LINE: the last word
  say "$@"
  exit 1
}

# The line of a program's complaint (on stdin) that tells most: the first that says error, else the last.
gist() {
  awk '/^E:|[Ee]rror|ERROR/ && !found { line = $0; found = 1 } !found && NF { line = $0 } END { sub(/^ +/, "", line); print line }'
}
