# shellcheck shell=bash
# What is needed, and for what: a probe, Debian's package, and the name for people without apt. Each scope has those before it.

need() { # need PACKAGE NAME PROBE [WORD...]
  local said
  if ! said=$("${@:3}"); then packages+=("$1") names+=("$2${said:+ ($said)}"); fi
}

probe_command() { command -v "$1" >/dev/null || { echo "there is no $1"; return 1; }; }

probe_venv() {
  local said
  said=$(python3 -c 'import venv, ensurepip' 2>&1) || { gist <<<"$said"; return 1; }
}

probe_mpi4py() { /usr/bin/python3 -c 'import mpi4py' 2>&1; }

# Where cargo and pip look for the authorities they trust.
probe_certificates() {
  local place
  for place in ${SSL_CERT_FILE:+"$SSL_CERT_FILE"} ${SSL_CERT_DIR:+"$SSL_CERT_DIR"} ${CARGO_HTTP_CAINFO:+"$CARGO_HTTP_CAINFO"} \
    /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    if [ -e "$place" ]; then return; fi
  done
  echo 'no file of certificates'
  return 1
}

# Fills `packages` and `names` with what is missing for a scope.
ask_all() { # ask_all SCOPE
  packages=() names=()
  need build-essential 'a C compiler and linker' probe_cc
  need ca-certificates 'certificates, for downloads by cargo and pip' probe_certificates
  need pkg-config 'pkg-config' probe_pkg_config
  if [ "$1" != arm64 ]; then # whose libraries are not this machine's
    need_mpi "${MPICC:-mpicc}" mpiexec
    need libhwloc-dev 'hwloc 2, with headers' probe_hwloc
    need libudev-dev 'libudev, with headers (hwloc is linked with it)' probe_udev
  fi
  need libclang-dev 'libclang, with its headers (the MPI bindings are generated with it)' probe_libclang
  case $1 in
    build) return 0 ;;
    arm64)
      need gcc-aarch64-linux-gnu 'a C compiler and linker for arm64' probe_cross_compiler
      return 0
      ;;
    emulator)
      need debootstrap 'debootstrap' probe_command debootstrap
      need qemu-user-static 'qemu for programs of arm64' probe_command qemu-aarch64-static
      need binfmt-support 'update-binfmts (binfmt-support)' probe_command update-binfmts
      return 0
      ;;
    pages)
      need chromium 'Chromium, a browser' probe_command chromium
      return 0
      ;;
    container)
      need buildah 'buildah' probe_command buildah
      need debootstrap 'debootstrap' probe_command debootstrap
      need git 'git' probe_command git
      return 0
      ;;
    fresh)
      need debootstrap 'debootstrap' probe_command debootstrap
      need git 'git' probe_command git
      need util-linux 'unshare and pivot_root (util-linux)' probe_command pivot_root
      return 0
      ;;
  esac
  need libvulkan1 'the Vulkan loader' probe_vulkan
  need mesa-vulkan-drivers 'lavapipe, the software Vulkan driver of Mesa' probe_lavapipe
  need procps 'pgrep (procps)' probe_command pgrep
  need iproute2 'ip (iproute2)' probe_command ip
  need util-linux 'unshare and nsenter (util-linux)' probe_command unshare
  need mount 'mount' probe_command mount
  need python3-venv 'Python 3 with venv and pip' probe_venv
  if [ "$1" = launchers ]; then
    need slurm-wlm 'Slurm' probe_command srun
    need munge 'munge, by which the daemons of Slurm trust each other' probe_command munge
    need python3-mpi4py 'mpi4py' probe_mpi4py
    need qemu-system-x86 'qemu, which makes a machine with other numbers' probe_command qemu-system-x86_64
    need busybox-static 'busybox, which starts that machine' probe_command busybox
  fi
  [ "$1" = mpich ] || return 0
  need_mpi mpicc.mpich mpiexec.mpich MPICH
}
