# shellcheck shell=bash
# libclang as clang-sys finds and loads it for the generator of the MPI bindings: the same names in the same folders, the highest
# version, then that one alone. It also has to find its builtin headers, such as stddef.h, which are a package of their own.

# Files that clang-sys takes for libclang, the preferred folders first.
libclang_files() {
  local folders=() folder file prefix
  if [ -n "${LIBCLANG_PATH+set}" ]; then
    if [ -f "$LIBCLANG_PATH" ] && libclang_name "$LIBCLANG_PATH"; then
      echo "$LIBCLANG_PATH"
      return
    fi
    folders=("$LIBCLANG_PATH")
  else
    prefix=$("${LLVM_CONFIG_PATH:-llvm-config}" --prefix 2>/dev/null) || prefix=''
    [ -z "$prefix" ] || folders=("$prefix/bin" "$prefix/lib" "$prefix/lib64")
    IFS=: read -r -a more <<<"${LD_LIBRARY_PATH:-}:${LIBRARY_PATH:-}"
    folders+=(${more[@]+"${more[@]}"})
    folders+=(/usr/local/llvm*/lib* /usr/local/lib*/*/* /usr/local/lib*/* /usr/local/lib* /usr/lib*/*/* /usr/lib*/* /usr/lib*)
  fi
  for folder in "${folders[@]}"; do
    [ -n "$folder" ] || continue
    for file in "$folder"/libclang[-.]*; do
      if [ -e "$file" ] && libclang_name "$file" && right_class "$file"; then echo "$file"; fi
    done
  done
}

# libclang-cpp is another library.
libclang_name() {
  local name=${1##*/}
  case $name in
    *-cpp.*) return 1 ;;
    libclang.so | libclang.so.* | libclang-*.so | libclang-*.so.*) return 0 ;;
    *) return 1 ;;
  esac
}

# Whether it is a library of this machine's word length: a 32-bit one, or a linker's script, is passed over.
right_class() {
  local class=1
  [ "$(getconf LONG_BIT)" = 32 ] || class=2
  [ "$(head -c 5 "$1" 2>/dev/null | od -An -tx1 | tr -d ' ')" = "7f454c460$class" ]
}

# The numbers that clang-sys reads in a name, one word each: libclang.so.13 is 13, libclang-14.so is 14.
libclang_version() {
  local name=${1##*/} part numbers=()
  case $name in
    libclang.so.*) name=${name#libclang.so.} ;;
    libclang-*) name=${name#libclang-} name=${name%???} ;;
    *) return 0 ;;
  esac
  IFS=. read -r -a numbers <<<"$name"
  for part in "${numbers[@]}"; do
    if [[ $part =~ ^[0-9]+$ ]]; then printf '%d ' "$((10#$part))"; else printf '0 '; fi
  done
}

higher() { # higher "14 0" "13": compared number by number; the longer wins among equals
  local -a one two
  local i
  read -r -a one <<<"$1" || true
  read -r -a two <<<"$2" || true
  for ((i = 0; i < ${#one[@]}; i++)); do
    if [ $i -ge ${#two[@]} ] || [ "${one[i]}" -gt "${two[i]}" ]; then return 0; fi
    if [ "${one[i]}" -lt "${two[i]}" ]; then return 1; fi
  done
  return 1
}

libclang_chosen() {
  local file best='' version best_version=''
  while read -r file; do
    version=$(libclang_version "$file")
    if [ -z "$best" ] || higher "$version" "$best_version"; then best=$file best_version=$version; fi
  done < <(libclang_files)
  [ -n "$best" ] && echo "$best"
}

# Folders of headers that a clang on the PATH knows, which the generator takes along.
clang_headers() {
  local clang bin
  clang=${CLANG_PATH:-}
  if [ ! -x "$clang" ]; then
    bin=$("${LLVM_CONFIG_PATH:-llvm-config}" --bindir 2>/dev/null) || bin=''
    for clang in "$bin/clang" "$(command -v clang || true)" "$(compgen -c clang- | grep -m 1 -x 'clang-[0-9][0-9]*' || true)" ''; do
      if [ -n "$clang" ] && command -v "$clang" >/dev/null; then break; fi
    done
  fi
  [ -z "$clang" ] || "$clang" -E -x c - -v </dev/null 2>&1 |
    sed -n '/^#include <...> search starts here/,/^End of search list/s/^ //p'
}

probe_libclang() {
  local chosen said folder words=()
  if ! chosen=$(libclang_chosen); then
    if [ -n "${LIBCLANG_PATH+set}" ]; then
      echo "LIBCLANG_PATH=$LIBCLANG_PATH names neither libclang nor a folder with it: mend it, or leave it unset"
    else
      echo 'there is no libclang.so'
    fi
    return 1
  fi
  compiles libclang cc -ldl <.ci/probe/libclang.c || return
  printf '#include <stddef.h>\n#include <stdio.h>\n' >"$scratch/headers.c"
  while read -r folder; do words+=(-isystem "$folder"); done < <(clang_headers)
  # shellcheck disable=SC2086 # the user's words
  said=$("$scratch/libclang" "$chosen" "$scratch/headers.c" ${words[@]+"${words[@]}"} ${BINDGEN_EXTRA_CLANG_ARGS:-} 2>&1) && return
  echo "$chosen: $(gist <<<"${said:-it crashes}")"
  return 1
}
