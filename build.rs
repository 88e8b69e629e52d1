//! Has the program find its MPI where the MPI's own compiler says that programs find it.
//!
//! An MPI in a folder of its own, as a virtual environment or an administrator's `/opt` is, has its compiler write that folder into
//! programs. The crate that links MPI asks the compiler for libraries alone, and cargo lets no crate tell another's linker more.
//!
//! Beside that it has the program know what it was built from, see `build/sources.rs`.

#[path = "build/sources.rs"]
pub(crate) mod sources;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    for watched in ["build.rs", "build", sources::LOCK].into_iter().chain(sources::FOLDERS) {
        println!("cargo::rerun-if-changed={watched}");
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells where the package is"));
    let all = sources::read(&root).expect("the sources can be read");
    // A program that uses this library has the lock file in its own folder.
    let lock = fs::read_to_string(root.join(sources::LOCK)).unwrap_or_default();
    println!("cargo::rustc-env=HYBRID_SOURCES={:016x}", sources::digest_of_all(&all, &lock));
    println!("cargo::rustc-env=HYBRID_WIRE={:016x}", sources::digest_of_wire(&all, &lock));
    for folder in run_paths(&link_line()) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}

/// The words that link MPI, asked of the program that the crate `mpi` asks; none where there is none, which is for that crate to say.
fn link_line() -> String {
    let variable = |name: &str| env::var(name).ok();
    let cray = || {
        variable("CRAY_MPICH_DIR")
            .map(|folder| Path::new(&folder).join("lib/pkgconfig/mpich.pc"))
            .filter(|file| file.exists())
    };
    let mut command = match variable("MPI_PKG_CONFIG").map(PathBuf::from).or_else(cray) {
        Some(package) => {
            let mut command = Command::new(variable("PKG_CONFIG").as_deref().unwrap_or("pkg-config"));
            command.arg("--libs").arg(package);
            command
        }
        None => {
            let mut command = Command::new(variable("MPICC").as_deref().unwrap_or("mpicc"));
            command.arg("-show");
            command
        }
    };
    command.output().map(|told| String::from_utf8_lossy(&told.stdout).into_owned()).unwrap_or_default()
}

/// The folders in which a program linked with these words looks for libraries when it starts, in the linker's order.
pub(crate) fn run_paths(link_line: &str) -> Vec<String> {
    let words = shell_words::split(link_line).unwrap_or_default();
    let mut for_linker = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.strip_prefix("-Wl,") {
            Some(several) => for_linker.extend(several.split(',').map(str::to_owned)),
            None if word == "-Xlinker" => for_linker.extend(rest.next().cloned()),
            None => {}
        }
    }
    let mut folders = Vec::new();
    let mut rest = for_linker.into_iter();
    while let Some(word) = rest.next() {
        let option = word.trim_start_matches('-');
        if option == "rpath" {
            folders.extend(rest.next());
        } else if let Some(folder) = option.strip_prefix("rpath=") {
            folders.push(folder.to_owned());
        }
    }
    folders
}
