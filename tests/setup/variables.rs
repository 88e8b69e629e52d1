//! Variables that name what is not there. Everything seems to be missing then, and no package would mend it.

use super::{System, assert_installs, assert_refuses, assert_says};

/// The set-up names the variable, on a system that lacks a package besides, which is not installed. The value is the last.
#[track_caller]
fn assert_names(scope: &str, variables: &[(&str, &str)], line: &str) {
    let mut system = System::complete();
    system.remove("include/mpi.h");
    for (name, value) in variables {
        system.variable(name, Some(value));
    }
    let (name, value) = variables.last().unwrap();
    assert_refuses(&system, scope, &format!("setup: {name}={value} {line}, or leave it unset"));
}

#[test]
fn libclang() {
    let line = "names neither libclang nor a folder with it: mend it";
    for value in ["", "~/nowhere", "~/include", "~/lib/libhwloc.so"] {
        assert_names("build", &[("LIBCLANG_PATH", value)], line);
    }
    assert_names("build", &[("LIBCLANG_PATH", "~/clang:~/lib")], "is a list: name one folder");
}

#[test]
fn mpicc() {
    for value in ["", "mpicc.nope", "/nowhere/mpicc", "mpicc.mpich", "no such mpicc"] {
        assert_names("build", &[("MPICC", value)], "names no program: mend it");
    }
    for value in ["mpicc -m64", "cc mpicc"] {
        assert_names("build", &[("MPICC", value)], "has arguments: name a program alone");
    }
    let mut system = System::complete();
    system.program("mpicc.broken", "echo 'perl: not found' >&2; exit 127");
    system.variable("MPICC", Some("mpicc.broken"));
    let line = "does not run (perl: not found): mend it, or leave it unset";
    assert_refuses(&system, "build", &format!("setup: MPICC=mpicc.broken {line}"));
}

#[test]
fn mpicc_that_a_package_of_the_scope_brings_may_be_missing() {
    let mut system = System::complete();
    assert_eq!(system.setup("test").code, Some(0));
    std::fs::remove_file(system.path("log")).unwrap();
    for program in ["mpicc", "mpiexec"] {
        std::fs::copy(system.path(&format!("bin/{program}")), system.path(&format!("{program}.copy"))).unwrap();
    }
    system.script("bin/mpiexec.mpich", "echo HYDRA");
    system.write("mpi_library", "MPICH Version: 4.0.2");
    system.installed("libopenmpi-dev");
    system.variable("MPICC", Some("mpicc.mpich"));
    assert_installs(&system, "mpich", "libmpich-dev", "cp \"$world/mpicc.copy\" \"$world/bin/mpicc.mpich\"");
}

#[test]
fn pkg_config() {
    assert_names("build", &[("PKG_CONFIG", "pkg-config.nope")], "names no program: mend it");
    for value in ["", "/nowhere", "/nowhere:~/nor here"] {
        assert_names("build", &[("PKG_CONFIG_LIBDIR", value)], "names no folder: mend it");
    }
    let mut system = System::complete();
    system.variable("MPI_PKG_CONFIG", Some("ompi-nope"));
    let answer = system.setup("build");
    let begun = "setup: MPI_PKG_CONFIG=ompi-nope is no package that pkg-config knows (";
    assert!(
        answer.printed.starts_with(begun) && answer.printed.ends_with("): mend it, or leave it unset"),
        "{answer:?}"
    );
    assert_eq!((answer.code, system.changes().len()), (Some(1), 0));
}

#[test]
fn folders_beside_those_of_pkg_config_may_be_missing() {
    let mut system = System::complete();
    system.variable("PKG_CONFIG_PATH", Some("/nowhere"));
    let libraries = system.path("lib").display().to_string();
    system.variable("PKG_CONFIG_LIBDIR", Some(&format!("/nowhere:{libraries}")));
    assert_says(&system.setup("build"), 0, "");
}

#[test]
fn the_compiler_of_mpicc() {
    let line = "names no compiler that is there: mend it";
    for (name, value) in [("OMPI_CC", "gcc-99"), ("OMPI_CC", ""), ("MPICH_CC", "/nowhere/icx -m64")] {
        assert_names("build", &[(name, value)], line);
    }
    let mut system = System::complete();
    for (name, value) in [("OMPI_CC", "cc -m64"), ("MPICH_CC", "")] {
        system.variable(name, Some(value));
    }
    assert_says(&system.setup("build"), 0, "");
}

#[test]
fn drivers_of_vulkan() {
    let line = "names no lvp_icd*.json that is there, and the tests draw with lavapipe: add its file";
    for value in ["/nowhere/lvp_icd.json", "~/certificates.pem", "/nowhere:/nor/here.json"] {
        assert_names("test", &[("VK_DRIVER_FILES", value)], line);
        assert_names("test", &[("VK_DRIVER_FILES", ""), ("VK_ICD_FILENAMES", value)], line);
    }
    // To build takes no driver.
    let mut system = System::complete();
    system.variable("VK_DRIVER_FILES", Some("/nowhere/lvp_icd.json"));
    assert_says(&system.setup("build"), 0, "");
}

#[test]
fn drivers_of_vulkan_may_be_a_folder_or_one_of_many() {
    let mut system = System::complete();
    assert_eq!(system.setup("test").code, Some(0));
    for value in ["~/", "/nowhere/lvp_icd.json:~/lvp_icd.json"] {
        system.variable("VK_DRIVER_FILES", Some(value));
        assert_says(&system.setup("test"), 0, "");
    }
}
