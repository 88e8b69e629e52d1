//! Has the program find its MPI where the MPI's own compiler says that programs find it.
//!
//! An MPI in a folder of its own, as a virtual environment or an administrator's `/opt` is, has its compiler write that folder into
//! programs. The crate that links MPI asks the compiler for libraries alone, and cargo lets no crate tell another's linker more.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
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
