# shellcheck shell=bash
# What it takes to build for arm64 on another machine, beside a compiler: Rust's standard library for arm64, and the libraries that
# the program is linked with, from the packages of this machine's own release. Those are unpacked under cargo's target directory and
# never installed, so that they need no right and leave the system as it is.

arm64=aarch64-unknown-linux-gnu

# MPI's package with headers, and the name that pkg-config knows it by.
arm64_mpi() {
  case ${HYBRID_ARM64_MPI:-openmpi} in
    openmpi) echo libopenmpi-dev ompi-c ;;
    mpich) echo libmpich-dev mpich ;;
    *) return 1 ;;
  esac
}

# What no package mends.
refuse_arm64_for_nothing() {
  local tool
  if [ "$(uname -m)" = aarch64 ]; then fail 'this machine is arm64 itself: make build'; fi
  arm64_mpi >/dev/null || refuse_variable HYBRID_ARM64_MPI 'is neither openmpi nor mpich'
  for tool in apt-get dpkg-deb; do
    command -v $tool >/dev/null ||
      fail "the libraries for arm64 are taken from packages of Debian, and there is no $tool here: build on the arm64 machine itself"
  done
}

# Sets `sysroot`, the folder that stands for / of an arm64 system, `sysroot_packages`, and `sysroot_of`, what it has to be made of to be
# whole.
name_arm64_sysroot() {
  local release package
  read -r package _ < <(arm64_mpi)
  release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null) || release=''
  [ -n "$release" ] || fail 'there is no VERSION_CODENAME in /etc/os-release: the libraries for arm64 are those of a release of Debian'
  sysroot=$target/arm64/${HYBRID_ARM64_MPI:-openmpi}
  sysroot_packages=("$package" libhwloc-dev libudev-dev)
  sysroot_of="$release ${sysroot_packages[*]} 2" # a number more where something is made in another way
  case $sysroot in
    *[[:space:],:]*) fail "the path $sysroot has a blank, a comma or a colon, which compilers split: set CARGO_TARGET_DIR to another folder" ;;
  esac
}

is_arm64_sysroot() { [ "$(cat "$sysroot/.complete" 2>/dev/null)" = "$sysroot_of" ]; }

probe_cross_compiler() {
  local said
  command -v aarch64-linux-gnu-gcc >/dev/null || { echo 'there is no aarch64-linux-gnu-gcc'; return 1; }
  said=$(echo 'int one(void) { return 1; }' | aarch64-linux-gnu-gcc -x c -c - -o "$scratch/cross.o" 2>&1) || { gist <<<"$said"; return 1; }
}

has_arm64_std() { # has_arm64_std RUSTC: prints where it looks
  local folder
  folder=$("$1" --print target-libdir --target "$arm64" 2>/dev/null) || fail "$1 does not know $arm64"
  echo "$folder"
  [ -n "$(compgen -G "$folder/libstd-*.rlib")" ]
}

# Rust's own, of the same version as the compiler.
add_arm64_std() {
  local rustc folder rustup said
  rustc=${cargo%cargo}rustc
  [ -x "$rustc" ] || rustc=rustc
  if folder=$(has_arm64_std "$rustc"); then return; fi
  [ -n "$folder" ] || exit 1 # that was said
  rustup=${cargo%cargo}rustup
  [ -x "$rustup" ] || rustup=$(command -v rustup) ||
    fail "Rust has no standard library for arm64 ($folder), and there is no rustup to add it: install Rust by https://rustup.rs"
  say "adding Rust's standard library for arm64"
  said=$("$rustup" target add "$arm64" 2>&1) ||
    fail "rustup cannot add Rust's standard library for arm64: is there a network? behind a proxy set https_proxy ($(gist <<<"$said"))"
  has_arm64_std "$rustc" >/dev/null ||
    fail "$rustup has added the standard library to another Rust than $rustc, which has none for arm64 ($folder): put rustup's own first on the PATH"
}

# Makes the sysroot with what the program is linked with.
make_arm64_sysroot() {
  local package log=$scratch/sysroot.log apt link
  if is_arm64_sysroot; then return; fi
  say "unpacking the libraries for arm64 of ${sysroot_of%% *} (about 500 MB) in $sysroot"
  rm -rf "$sysroot"
  mkdir -p "$sysroot" "$scratch/apt/lists/partial" "$scratch/apt/cache/archives/partial"
  : >"$scratch/apt/status"
  apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State=$scratch/apt" -o "Dir::Cache=$scratch/apt/cache"
    -o "Dir::State::status=$scratch/apt/status" -o APT::Install-Recommends=false -o Acquire::Languages=none
    -o "APT::Sandbox::User=$(id -un 2>/dev/null || id -u)")
  "${apt[@]}" update >"$log" 2>&1 || true # a source that has nothing for arm64 is not needed
  if ! "${apt[@]}" install -y --download-only "${sysroot_packages[@]}" >>"$log" 2>&1; then
    fail "apt gets no packages for arm64 ($(apt_gist "$log")): is there a network? sources in /etc/apt that are limited to another" \
      'architecture ([arch=...], Architectures:) and those of Ubuntu have none: call this on a Debian, or build on the arm64 machine itself'
  fi
  for package in "$scratch"/apt/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$sysroot" 2>"$log" || fail "cannot unpack $package: $(gist <"$log")"
  done
  rm -rf "$scratch/apt"
  # The package that has this link on a system of today is not among them.
  [ -e "$sysroot/lib" ] || ln -s usr/lib "$sysroot/lib"
  # Links to the root of the file system mean the root of that system.
  while read -r link; do
    ln -sfr "$sysroot$(readlink "$link")" "$link"
  done < <(find "$sysroot" -path '*/lib/*' -lname '/*')
  echo "$sysroot_of" >"$sysroot/.complete"
}
