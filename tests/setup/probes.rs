//! Things that are there by name only, or not at all: each is found missing, its package and no other is installed, and is asked
//! for again.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{System, assert_installs, assert_refuses, assert_says};

#[test]
fn mpicc_without_a_header_lacks_its_package() {
    let system = System::complete();
    system.remove("include/mpi.h");
    assert_installs(&system, "build", "libopenmpi-dev", "touch \"$world/include/mpi.h\"");
}

#[test]
fn mpich_alone_will_do() {
    let system = System::complete();
    system.mpi("MPICH Version: 4.0.2", "HYDRA build details: Version: 4.0.2");
    assert_says(&system.setup("build"), 0, "");
}

#[test]
fn mpich_without_a_header_lacks_mpichs_package() {
    let system = System::complete();
    system.mpi("MPICH Version: 4.0.2", "HYDRA build details: Version: 4.0.2");
    system.remove("include/mpi.h");
    assert_installs(&system, "build", "libmpich-dev", "touch \"$world/include/mpi.h\"");
}

#[test]
fn mpich_without_a_launcher_lacks_mpichs_launcher() {
    let system = System::complete();
    system.write("mpi_library", "MPICH Version: 4.0.2");
    system.remove("bin/mpiexec");
    let launcher = "printf '#!/bin/sh\\necho HYDRA' >\"$world/bin/mpiexec\"; chmod +x \"$world/bin/mpiexec\"";
    assert_installs(&system, "build", "mpich", launcher);
}

#[test]
fn a_compiler_in_a_path_is_not_open_mpi() {
    let system = System::complete();
    system.remove("bin/mpiexec");
    system.remove("include/mpi.h");
    let shown = "echo 'gcc -I/opt/compilers/include -L/opt/compilers/lib -lmpich'";
    system.program("mpicc", &format!("if [ \"$1\" = -show ]; then {shown}; else exec cc \"$@\"; fi"));
    system.package_brings("libmpich-dev", "touch \"$world/include/mpi.h\"; echo MPICH >\"$world/mpi_library\"");
    let launcher = "printf '#!/bin/sh\\necho HYDRA' >\"$world/bin/mpiexec\"; chmod +x \"$world/bin/mpiexec\"";
    system.package_brings("mpich", launcher);
    assert_says(&system.setup("build"), 0, "setup: installing libmpich-dev mpich");
}

#[test]
fn a_launcher_of_another_mpi_is_refused() {
    let system = System::complete();
    system.mpi("Open MPI v4.1.4, package: Debian", "HYDRA build details: Version: 4.0.2");
    assert_refuses(
        &system,
        "build",
        "setup: mpicc is of Open MPI and mpiexec of MPICH: put both of one MPI first on the PATH; Debian's are chosen by \
         sudo update-alternatives --config mpi (mpicc) and --config mpirun (mpiexec)",
    );
}

#[test]
fn a_launcher_of_another_open_mpi_is_refused() {
    let system = System::complete();
    system.mpi("Open MPI v4.1.4, package: Debian", "mpiexec (Open MPI) 5.0.11");
    assert_refuses(
        &system,
        "build",
        "setup: mpicc is of Open MPI 4 and mpiexec of Open MPI 5: put both of one MPI first on the PATH; Debian's are chosen by \
         sudo update-alternatives --config mpi (mpicc) and --config mpirun (mpiexec)",
    );
}

#[test]
fn a_compiler_that_cannot_link_lacks_its_package() {
    let system = System::complete();
    for package in ["pkg-config", "libopenmpi-dev", "libhwloc-dev", "libudev-dev", "libclang-dev"] {
        system.installed(package);
    }
    fs::copy(system.path("bin/cc"), system.path("cc")).unwrap();
    system.program("cc", "echo '/usr/bin/ld: cannot find Scrt1.o: No such file or directory' >&2; exit 1");
    assert_installs(&system, "build", "build-essential", "cp \"$world/cc\" \"$world/bin/cc\"");
}

#[test]
fn an_mpi_of_ones_own_is_enough_where_the_compiler_is_missing() {
    let system = System::complete();
    for package in ["pkg-config", "libhwloc-dev", "libudev-dev", "libclang-dev"] {
        system.installed(package);
    }
    let own = tempfile::tempdir().unwrap();
    fs::set_permissions(own.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(own.path().join("mpi.h"), "").unwrap();
    let folder = own.path().display();
    let shown = format!("if [ \"$1\" = -show ]; then echo \"gcc -I{folder} -lmpi\"; else exec cc \"$@\"; fi");
    system.program("mpicc", &shown);
    fs::rename(system.path("bin/cc"), system.path("cc")).unwrap();
    assert_installs(&system, "build", "build-essential", "cp \"$world/cc\" \"$world/bin/cc\"");
}

#[test]
fn hwloc_of_debian_11_will_do() {
    let system = System::complete();
    system.hwloc("2.4.1");
    assert_says(&system.setup("build"), 0, "");
}

#[test]
fn hwloc_that_is_installed_and_too_old_is_not_installed_again() {
    let system = System::complete();
    system.hwloc("1.11.12");
    system.installed("libhwloc-dev");
    let answer = system.setup("build");
    let lines: Vec<&str> = answer.printed.lines().collect();
    assert_eq!(lines[0], "setup: packages are installed (libhwloc-dev), and this still does not work:");
    assert!(lines[1].starts_with("  - hwloc 2, with headers (") && lines[1].contains("1.11.12"), "{lines:?}");
    assert_eq!((answer.code, lines.len(), system.changes().len()), (Some(1), 2, 0));
}

#[test]
fn libudev_is_not_hwlocs_fault() {
    let system = System::complete();
    system.remove("lib/libudev.so");
    assert_installs(&system, "build", "libudev-dev", "touch \"$world/lib/libudev.so\"");
}

#[test]
fn the_vulkan_loader_is_opened_and_no_ldconfig_asked() {
    let system = System::complete();
    system.setup("test");
    fs::remove_file(system.path("log")).unwrap();
    assert_says(&system.setup("test"), 0, "");
    system.remove("lib/libvulkan.so.1");
    assert_installs(&system, "test", "libvulkan1", "touch \"$world/lib/libvulkan.so.1\"");
}

#[test]
fn lavapipe_without_its_library_lacks_its_package() {
    let system = System::complete();
    system.setup("test");
    fs::remove_file(system.path("log")).unwrap();
    system.remove("lib/libvulkan_lvp.so");
    assert_installs(&system, "test", "mesa-vulkan-drivers", "touch \"$world/lib/libvulkan_lvp.so\"");
}

#[test]
fn what_does_not_work_after_installing_ends_the_set_up_and_is_not_installed_twice() {
    let system = System::complete();
    system.remove("include/mpi.h");
    let end = "setup: packages are installed (libopenmpi-dev), and this still does not work:\n  \
               - MPI headers and library (Open MPI or MPICH), by mpicc (probe.c:1:10: fatal error: mpi.h: No such file or directory)";
    assert_says(&system.setup("build"), 1, &format!("setup: installing libopenmpi-dev\n{end}"));
    assert_says(&system.setup("build"), 1, end);
    assert_eq!(system.changes(), ["apt libopenmpi-dev"]);
}
