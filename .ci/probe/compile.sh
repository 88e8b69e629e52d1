# shellcheck shell=bash
# Small C programs, compiled, linked and run as the build does it. A probe is a function that succeeds where the thing works, and
# else prints on stdout, in one line, what it saw.

# compiles NAME COMPILER [FLAG...]: the program on stdin becomes $scratch/NAME
compiles() {
  local name=$1 said
  shift
  cat >"$scratch/$name.c"
  if ! command -v "$1" >/dev/null; then
    echo "there is no $1"
  elif ! said=$("$1" "$scratch/$name.c" -o "$scratch/$name" "${@:2}" 2>&1); then
    gist <<<"$said"
  elif ! said=$("$scratch/$name" 2>&1); then
    gist <<<"${said:-a program of $1 does not run}"
  else
    return 0
  fi
  return 1
}

probe_cc() { compiles cc cc <<<$'#include <stdio.h>\nint main(void) { return puts("") < 0; }'; }

# A library that is only ever opened, such as the Vulkan loader: opened as the program does it, so that no list of ldconfig is asked,
# which is not on everybody's PATH.
opens() {
  local said
  compiles open cc -ldl <<'END' || return
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
  if (count > 1 && !dlopen(words[1], RTLD_NOW)) return puts(dlerror()), 1;
  return 0;
}
END
  said=$("$scratch/open" "$1" 2>&1) || { gist <<<"$said"; return 1; }
}
