//! The build for arm64 on another machine: what it takes is made under cargo's target folder, and what cannot be had is said.

use std::{fs, os::unix::fs::PermissionsExt};

use tempfile::TempDir;

use super::{System, assert_installs, assert_refuses, assert_says};

const CROSS_COMPILER: &str = "for word; do :; done; cat >/dev/null; touch \"$word\"";
/// Packages are got into the folder that the call names, and no other.
const APT: &str = "case \" $* \" in *' update '*) exit 0 ;; esac
for word; do case $word in Dir::Cache=*) cache=${word#*=} ;; esac; done
[ -n \"$cache\" ] || exit 100
for package in libopenmpi-dev libhwloc-dev; do echo >\"$cache/archives/$package.deb\"; done";
/// Each package has a library, and a link from the root of its system.
const DPKG: &str = "lib=$3/usr/lib/aarch64-linux-gnu; mkdir -p \"$lib\" \"$3/lib\"
touch \"$3/lib/libm.so.6\"; ln -sfn /lib/libm.so.6 \"$lib/libm.so\"";

/// A machine of x86-64 that lacks nothing but the libraries, and its target folder, whose path has no blank.
fn complete() -> (System, TempDir) {
    let mut system = System::complete();
    let target = tempfile::tempdir().unwrap();
    fs::set_permissions(target.path(), fs::Permissions::from_mode(0o777)).unwrap();
    system.variable("CARGO_TARGET_DIR", target.path().to_str());
    for tool in ["find", "ln", "readlink"] {
        let path = std::env::var_os("PATH").unwrap();
        let real = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.exists()).unwrap();
        std::os::unix::fs::symlink(real, system.path("bin").join(tool)).unwrap();
    }
    system.program("uname", "echo x86_64");
    system.program("aarch64-linux-gnu-gcc", CROSS_COMPILER);
    system.program("rustc", "echo \"$world/std\"");
    fs::create_dir(system.path("std")).unwrap();
    system.write("std/libstd-1.rlib", "");
    system.program("apt-get", APT);
    system.program("dpkg-deb", DPKG);
    (system, target)
}

fn release() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or_default().to_owned()
}

fn unpacking(target: &TempDir, mpi: &str) -> String {
    format!(
        "setup: unpacking the libraries for arm64 of {} (about 500 MB) in {}/arm64/{mpi}",
        release(),
        target.path().display()
    )
}

#[test]
fn the_libraries_are_unpacked_once_and_their_links_stay_inside() {
    let (system, target) = complete();
    assert_says(&system.setup("arm64"), 0, &unpacking(&target, "openmpi"));
    assert_says(&system.setup("arm64"), 0, "");
    let link = target.path().join("arm64/openmpi/usr/lib/aarch64-linux-gnu/libm.so");
    assert_eq!(fs::read_link(link).unwrap().to_str().unwrap(), "../../../lib/libm.so.6");
    assert_eq!(system.changes(), [""; 0]);
}

#[test]
fn cargo_is_called_for_that_system() {
    let (mut system, target) = complete();
    system.variable("HYBRID_ARM64_MPI", Some("mpich"));
    let missing = format!(
        "setup: there are no libraries for arm64 of {} in {}/arm64/mpich: call HYBRID_ARM64_MPI=mpich .ci/setup arm64 first, as make \
         arm64 does",
        release(),
        target.path().display()
    );
    assert_says(&system.call(&[".ci/arm64", "build"]), 1, &missing);
    assert_says(&system.setup("arm64"), 0, &unpacking(&target, "mpich"));
    let script =
        "case $1 in --version) echo cargo 1.90.0 ;; metadata) echo '{\"target_directory\":\"'$CARGO_TARGET_DIR'\"}' ;;
        *) echo \"$CARGO_BUILD_TARGET $MPI_PKG_CONFIG $CFLAGS_aarch64_unknown_linux_gnu $CFLAGS $PKG_CONFIG_PATH.\" ;; esac";
    system.program("cargo", script);
    // What is this machine's own is not that one's.
    system.variable("CFLAGS", Some("-march=native"));
    system.variable("PKG_CONFIG_PATH", Some("~/lib"));
    let told = format!("aarch64-unknown-linux-gnu mpich --sysroot={}/arm64/mpich  .", target.path().display());
    assert_says(&system.call(&[".ci/arm64", "build"]), 0, &told);
}

#[test]
fn a_path_that_compilers_would_split_is_refused() {
    let (mut system, _target) = complete();
    system.variable("CARGO_TARGET_DIR", Some("~/checkout/target"));
    let word = "setup: the path ~/checkout/target/arm64/openmpi has a blank, a comma or a colon, which compilers split: \
                set CARGO_TARGET_DIR to another folder";
    assert_refuses(&system, "arm64", word);
}

/// A system of today has all libraries below /usr, and a link that no package here brings.
#[test]
fn libraries_are_found_below_usr_alone() {
    let (system, target) = complete();
    system.program("dpkg-deb", "mkdir -p \"$3/usr/lib/aarch64-linux-gnu\"");
    assert_says(&system.setup("arm64"), 0, &unpacking(&target, "openmpi"));
    assert_eq!(fs::read_link(target.path().join("arm64/openmpi/lib")).unwrap().to_str().unwrap(), "usr/lib");
}

#[test]
fn a_cross_compiler_is_installed() {
    let (system, _target) = complete();
    let apt = include_str!("made_up/apt-get");
    system.program("apt-get", &format!("case \" $* \" in *APT::Architecture*) {APT}\nexit ;; esac\n{apt}"));
    system.remove("bin/aarch64-linux-gnu-gcc");
    system.setup("arm64");
    assert_eq!(system.changes(), ["apt gcc-aarch64-linux-gnu"]);
    let (system, target) = complete();
    assert_says(&system.setup("arm64"), 0, &unpacking(&target, "openmpi"));
    system.program("apt-get", apt);
    system.remove("bin/aarch64-linux-gnu-gcc");
    let brings = format!(
        "printf '#!/bin/sh\\n%s\\n' '{CROSS_COMPILER}' >\"$world/bin/aarch64-linux-gnu-gcc\"
        chmod +x \"$world/bin/aarch64-linux-gnu-gcc\""
    );
    assert_installs(&system, "arm64", "gcc-aarch64-linux-gnu", &brings);
}

#[test]
fn rusts_standard_library_comes_by_rustup_or_is_asked_for() {
    let (system, target) = complete();
    system.remove("std/libstd-1.rlib");
    let without = "setup: Rust has no standard library for arm64 (~/std), and there is no rustup to add it: \
                   install Rust by https://rustup.rs";
    assert_refuses(&system, "arm64", without);
    system.program("rustup", "");
    let another = "setup: adding Rust's standard library for arm64\n\
                   setup: ~/bin/rustup has added the standard library to another Rust than ~/bin/rustc, which has none for arm64 (~/std): \
                   put rustup's own first on the PATH";
    assert_refuses(&system, "arm64", another);
    system.program("rustup", "echo 'error: could not download file' >&2; exit 1");
    let broken = "setup: adding Rust's standard library for arm64\n\
                  setup: rustup cannot add Rust's standard library for arm64: is there a network? behind a proxy set https_proxy \
                  (error: could not download file)";
    assert_refuses(&system, "arm64", broken);
    system
        .program("rustup", "[ \"$*\" = 'target add aarch64-unknown-linux-gnu' ] && touch \"$world/std/libstd-2.rlib\"");
    let adds = format!("setup: adding Rust's standard library for arm64\n{}", unpacking(&target, "openmpi"));
    assert_says(&system.setup("arm64"), 0, &adds);
}

#[test]
fn what_cannot_be_had_is_said() {
    let (system, target) = complete();
    system.program(
        "apt-get",
        "case \" $* \" in *' update '*) exit 0 ;; esac\necho 'E: Unable to locate package libhwloc-dev'\nexit 100",
    );
    let none = format!(
        "{}\nsetup: apt gets no packages for arm64 (E: Unable to locate package libhwloc-dev): is there a network? sources in /etc/apt \
         that are limited to another architecture ([arch=...], Architectures:) and those of Ubuntu have none: call this on a Debian, \
         or build on the arm64 machine itself",
        unpacking(&target, "openmpi")
    );
    assert_refuses(&system, "arm64", &none);
    system.remove("bin/dpkg-deb");
    let no_apt = "setup: the libraries for arm64 are taken from packages of Debian, and there is no dpkg-deb here: \
                  build on the arm64 machine itself";
    assert_refuses(&system, "arm64", no_apt);
    system.program("uname", "echo aarch64");
    assert_refuses(&system, "arm64", "setup: this machine is arm64 itself: make build");
}

#[test]
fn an_mpi_that_there_is_not_is_refused() {
    let (mut system, _target) = complete();
    system.variable("HYBRID_ARM64_MPI", Some("lam"));
    let word = "setup: HYBRID_ARM64_MPI=lam is neither openmpi nor mpich: mend it, or leave it unset";
    assert_refuses(&system, "arm64", word);
}
