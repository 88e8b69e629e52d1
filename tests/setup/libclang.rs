//! libclang: files that are not it, headers that are not with it, and the variable that says where it is. The C program that opens
//! it is tested with a real compiler on a library made for that.

use std::{fs, process::Command};

use super::{System, assert_installs, assert_says};

const BRINGS_LIBCLANG: &str = "printf '\\177ELF\\002' >\"$world/clang/libclang.so.14\"";

#[test]
fn libclang_cpp_is_not_libclang() {
    let system = System::complete();
    fs::rename(system.path("clang/libclang-14.so.1"), system.path("clang/libclang-cpp.so.14")).unwrap();
    assert_installs(&system, "build", "libclang-dev", BRINGS_LIBCLANG);
}

#[test]
fn a_linkers_script_is_not_libclang() {
    let system = System::complete();
    system.write("clang/libclang-14.so.1", "INPUT(libclang.so.14)");
    assert_installs(&system, "build", "libclang-dev", BRINGS_LIBCLANG);
}

#[test]
fn libclang_without_headers_lacks_its_package() {
    let system = System::complete();
    system.remove("include/stddef.h");
    assert_installs(&system, "build", "libclang-dev", "touch \"$world/include/stddef.h\"");
}

#[test]
fn the_variable_may_name_the_file() {
    let mut system = System::complete();
    system.variable("LIBCLANG_PATH", Some("~/clang/libclang-14.so.1"));
    assert_says(&system.setup("build"), 0, "");
}

/// A library with libclang's functions that finds `faults` in the file it reads.
fn library(folder: &std::path::Path, faults: u32) -> String {
    let text = format!(
        "typedef struct {{ const void *data; unsigned flags; }} String;
        void *clang_createIndex(int a, int b) {{ return \"index\"; }}
        void *clang_parseTranslationUnit() {{ return \"unit\"; }}
        unsigned clang_getNumDiagnostics(void *unit) {{ return {faults}; }}
        void *clang_getDiagnostic(void *unit, unsigned i) {{ return \"fault\"; }}
        int clang_getDiagnosticSeverity(void *fault) {{ return 4; }}
        String clang_getDiagnosticSpelling(void *fault) {{ return (String){{\"'stddef.h' file not found\", 0}}; }}"
    );
    compile(folder, &text, &format!("libclang-{faults}.so"), &["-shared", "-fPIC", "-w"])
}

fn compile(folder: &std::path::Path, text: &str, name: &str, options: &[&str]) -> String {
    let (source, output) = (folder.join(name).with_extension("c"), folder.join(name));
    fs::write(&source, text).unwrap();
    let mut compiler = Command::new("cc");
    assert!(compiler.args(options).arg("-o").args([&output, &source]).arg("-ldl").status().unwrap().success());
    output.display().to_string()
}

#[test]
fn the_opener_loads_the_library_and_reports_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let opener = include_str!("../../.ci/probe/libclang.c");
    let opener = compile(folder.path(), opener, "opener", &["-Wall", "-Werror", "-Wno-pedantic"]);
    let (sound, blind) = (library(folder.path(), 0), library(folder.path(), 1));
    let text = compile(folder.path(), "int other;", "other.so", &["-shared", "-fPIC"]);
    let nowhere = "nowhere.so: cannot open shared object file: No such file or directory\n".to_owned();
    for (library, code, printed) in [
        (sound.as_str(), 0, String::new()),
        (blind.as_str(), 1, "'stddef.h' file not found\n".to_owned()),
        (text.as_str(), 1, format!("{text} is not libclang\n")),
        ("nowhere.so", 1, nowhere),
    ] {
        let output = Command::new(&opener).args([library, "headers.c"]).output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(code), printed));
    }
}
