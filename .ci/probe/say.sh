# shellcheck shell=bash
# How the set-up speaks: on stderr, each line opened by its name, since make and cargo speak on the same screen.

say() { printf 'setup: %s\n' "$*" >&2; }

fail() { # fail LINE: the last word
  say "$@"
  exit 1
}

# The line of a program's complaint (on stdin) that tells most: the first that says error; else the sentence that opens a box of
# dashes, as Open MPI draws them; else the last. Not a line without letters, nor the compiler's word on its linker, which has spoken
# before. That it was a line of a script is left out: nobody else wrote that script.
gist() {
  awk '
    /^-----+$/ || !NF { boxed = /^-/ && !boxed && box == ""; next }
    !/[A-Za-z]/ || /^collect2: / { if (rest == "") rest = $0; next }
    boxed { box = box (box == "" ? "" : " ") $0 }
    /^E:|[Ee]rror|ERROR/ && error == "" { error = $0 }
    { last = $0 }
    END {
      line = error != "" ? error : box != "" ? box : last != "" ? last : rest
      sub(/^ +/, "", line)
      sub(/^[^:]+: line [0-9]+: /, "", line)
      print line
    }'
}
