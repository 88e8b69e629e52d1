# shellcheck shell=bash
# Variables that the build and the tests read. One that names what is not there makes all look as if a package were missing, which
# is then installed in vain: so each is refused before. What the packages of a scope bring may be named before it is there.

refuse_variables() { # refuse_variables SCOPE
  refuse_libclang_path
  refuse_pkg_config_program
  if [ "$1" = arm64 ]; then return; fi # what is on this machine is not linked
  refuse_pkg_config_folders
  refuse_mpicc "$1"
  refuse_compiler_of_mpicc
  case $1 in test | mpich | peers) refuse_driver_files ;; esac
}

refuse_variable() { # refuse_variable NAME WHY [CURE]
  fail "$1=${!1} $2: ${3:-mend it}, or leave it unset"
}

refuse_pkg_config_program() {
  if [ -n "${PKG_CONFIG+set}" ] && [ "$PKG_CONFIG" != pkg-config ] && ! command -v "$PKG_CONFIG" >/dev/null; then
    refuse_variable PKG_CONFIG 'names no program'
  fi
}

refuse_pkg_config_folders() {
  local folder
  # It stands for all folders that pkg-config knows by itself; PKG_CONFIG_PATH is searched before those.
  if [ -n "${PKG_CONFIG_LIBDIR+set}" ]; then
    while read -r folder; do
      case $folder in /usr/lib/*pkgconfig | /usr/share/pkgconfig) return 0 ;; esac
      if [ -d "$folder" ]; then return 0; fi
    done < <(tr : '\n' <<<"$PKG_CONFIG_LIBDIR")
    refuse_variable PKG_CONFIG_LIBDIR 'names no folder'
  fi
}

# As the build asks: MPI_PKG_CONFIG where it is set, else MPICC, as one program.
refuse_mpicc() { # refuse_mpicc SCOPE
  local said code=0
  if [ -n "${MPI_PKG_CONFIG+set}" ]; then
    probe_pkg_config >/dev/null || return 0
    said=$("${PKG_CONFIG:-pkg-config}" --print-errors --exists "$MPI_PKG_CONFIG" 2>&1) ||
      refuse_variable MPI_PKG_CONFIG "is no package that pkg-config knows ($(gist <<<"$said"))"
    return 0
  fi
  if [ "${MPICC-mpicc}" = mpicc ] || [ "$1 $MPICC" = 'mpich mpicc.mpich' ]; then return 0; fi
  if ! command -v "$MPICC" >/dev/null; then
    if command -v "${MPICC%% *}" >/dev/null; then refuse_variable MPICC 'has arguments' 'name a program alone'; fi
    refuse_variable MPICC 'names no program'
  fi
  # Without a C compiler it may well not run yet.
  probe_cc >/dev/null || return 0
  said=$("$MPICC" -show 2>&1) || code=$?
  case $code in 126 | 127) refuse_variable MPICC "does not run ($(gist <<<"$said"))" ;; esac
}

# The compiler that mpicc calls.
refuse_compiler_of_mpicc() {
  local name program
  for name in OMPI_CC MPICH_CC I_MPI_CC; do
    [ -n "${!name+set}" ] || continue
    # Nothing is nothing, but for Open MPI.
    if [ -z "${!name}" ] && [ $name != OMPI_CC ]; then continue; fi
    read -r program _ <<<"${!name}"
    case $program in cc | gcc) continue ;; esac
    command -v "$program" >/dev/null || refuse_variable $name 'names no compiler that is there'
  done
}

# A folder with something of LLVM may get libclang by its package; any other never does.
refuse_libclang_path() {
  local file
  [ -n "${LIBCLANG_PATH+set}" ] || return 0
  if [ -f "$LIBCLANG_PATH" ] && libclang_name "$LIBCLANG_PATH"; then return 0; fi
  for file in "${LIBCLANG_PATH:-.}"/libclang* "${LIBCLANG_PATH:-.}"/libLLVM*; do
    if [ -e "$file" ]; then return 0; fi
  done
  if [[ $LIBCLANG_PATH == *:* ]]; then refuse_variable LIBCLANG_PATH 'is a list' 'name one folder'; fi
  refuse_variable LIBCLANG_PATH 'names neither libclang nor a folder with it'
}

# The loader reads no other drivers than those, and one of them has to be lavapipe.
refuse_driver_files() {
  local name=VK_DRIVER_FILES file
  [ -n "${VK_DRIVER_FILES:-}" ] || name=VK_ICD_FILENAMES
  [ -n "${!name:-}" ] || return 0
  while read -r file; do
    case $file in /usr/share/vulkan/icd.d/*) return 0 ;; esac
    if [ -e "$file" ]; then return 0; fi
  done < <(lavapipe_manifests)
  refuse_variable "$name" 'names no lvp_icd*.json that is there, and the tests draw with lavapipe' 'add its file'
}
