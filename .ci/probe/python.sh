# shellcheck shell=bash
# Python environments of the tests, in cargo's folder. The list of what was asked for is written last, so that one whose making was
# stopped is made again; so is one that does not run any more, as after a new Python or in a folder that was moved.

venv_works() { # venv_works FOLDER MODULE... [PROGRAM]: the last word is a program in it, or empty
  local folder=$1 modules=("${@:2:$#-2}") program="${*: -1}"
  "$folder/bin/python" -c 'import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))' \
    ${modules[@]+"${modules[@]}"} >/dev/null 2>&1 || return
  [ -z "$program" ] || "$folder/bin/$program" --version >/dev/null 2>&1
}

make_venv() { # make_venv NAME WHAT MODULE... PROGRAM: of the requirements on stdin
  local folder=$target/$1 what=$2 wanted log=$scratch/pip
  wanted=$(cat)
  if [ "$(cat "$folder/requirements.txt" 2>/dev/null)" = "$wanted" ] && venv_works "$folder" "${@:3}"; then return; fi
  say "installing $what in $folder"
  rm -rf "$folder"
  python3 -m venv "$folder" >"$log" 2>&1 || fail "python3 cannot make $folder: $(gist <"$log")"
  printf '%s\n' "$wanted" >"$scratch/requirements.txt"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 -r "$scratch/requirements.txt" >"$log" 2>&1 ||
    fail "pip cannot install $what: is there a network? behind a proxy set https_proxy ($(gist <"$log"))"
  venv_works "$folder" "${@:3}" || fail "$folder was made, but does not run: $("$folder/bin/${*: -1}" --version 2>&1 | gist)"
  cp "$scratch/requirements.txt" "$folder/requirements.txt"
}
