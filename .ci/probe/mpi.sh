# shellcheck shell=bash
# MPI: headers and a library to link, by the compiler that the build takes (MPICC, else mpicc), and the launcher of the same MPI.
# Debian's openmpi-bin and mpich contain an mpicc but no header, so that there is one says nothing.

family_of() { # which MPI a text is of, by whole words, which numbers may follow: there is an ompi in compiler
  local open='Open MPI|OpenRTE|openmpi|ompi' mpich='MPICH|mpich|HYDRA|Intel\(R\) MPI|MVAPICH'
  local before='(^|[^[:alnum:]])(l|lib)?' after='([^[:alpha:]]|$)'
  if [[ $1 =~ $before($open)$after ]]; then
    echo 'Open MPI'
  elif [[ $1 =~ $before($mpich)$after ]]; then
    echo MPICH
  fi
}

# Without a C compiler mpicc can only tell where its header is: an MPI of somebody's own is not to get Debian's beside it. All is
# asked again when there is a compiler.
has_header() { # has_header MPICC
  local word words=()
  read -r -a words < <("$1" -show 2>/dev/null | tr '\n' ' ') || true
  for word in ${words[@]+"${words[@]}"}; do
    if [[ $word == -I* ]] && [ -e "${word#-I}/mpi.h" ]; then return; fi
  done
  return 1
}

probe_mpicc() { # probe_mpicc MPICC: leaves $scratch/mpi, which prints the library's name
  local program='#include <mpi.h>
#include <stdio.h>
int main(void) { char name[MPI_MAX_LIBRARY_VERSION_STRING]; int n; return MPI_Get_library_version(name, &n) || puts(name) < 0; }'
  local flags
  if ! probe_cc >/dev/null && has_header "$1"; then return; fi
  if [ -n "${MPI_PKG_CONFIG:-}" ]; then
    flags=$("${PKG_CONFIG:-pkg-config}" --cflags --libs "$MPI_PKG_CONFIG" 2>&1) || { gist <<<"$flags"; return 1; }
    # shellcheck disable=SC2086 # pkg-config's flags are words
    compiles mpi cc $flags <<<"$program"
  else
    compiles mpi "$1" <<<"$program"
  fi
}

probe_mpiexec() { # probe_mpiexec MPIEXEC
  local said
  command -v "$1" >/dev/null || { echo "there is no $1"; return 1; }
  said=$("$1" --version 2>&1) || { gist <<<"$said"; return 1; }
}

# Adds what MPICC and MPIEXEC lack. Which MPI: the one that links, else the one that starts, else the one whose mpicc is there.
need_mpi() {
  local mpicc=$1 mpiexec=$2 family=${3:-}
  probe_mpicc "$mpicc" >/dev/null && library=$("$scratch/mpi" 2>/dev/null | head -n 1) || library=''
  launcher=$("$mpiexec" --version 2>/dev/null | tr '\n' ' ' | cut -c 1-200) || launcher=''
  family=${family:-$(family_of "$library")}
  family=${family:-$(family_of "$launcher")}
  family=${family:-$(family_of "$("$mpicc" -show 2>/dev/null)")}
  if [ "$family" = MPICH ]; then
    need libmpich-dev "MPICH's headers and library, by $mpicc" probe_mpicc "$mpicc"
    need mpich "MPICH's launcher, $mpiexec" probe_mpiexec "$mpiexec"
  else
    need libopenmpi-dev "MPI headers and library (Open MPI or MPICH), by $mpicc" probe_mpicc "$mpicc"
    need openmpi-bin "an MPI launcher (Open MPI or MPICH), $mpiexec" probe_mpiexec "$mpiexec"
  fi
}

# A program of one MPI under the launcher of another is as many jobs of one rank. No package mends that.
refuse_two_mpis() { # refuse_two_mpis MPICC MPIEXEC
  local built started
  built=$(family_of "$library") started=$(family_of "$launcher")
  if [ "$built" = 'Open MPI' ] && [ "$started" = "$built" ]; then # 4 cannot be started by 5, nor 5 by 4
    [[ $library =~ v([0-9]+) ]] && built+=" ${BASH_REMATCH[1]}"
    [[ $launcher =~ \)\ ([0-9]+) ]] && started+=" ${BASH_REMATCH[1]}"
  fi
  if [ -n "$built" ] && [ -n "$started" ] && [ "$built" != "$started" ]; then
    fail "$1 is of $built and $2 of $started: put both of one MPI first on the PATH; Debian's are chosen by" \
      "sudo update-alternatives --config mpi (mpicc) and --config mpirun (mpiexec)"
  fi
}
