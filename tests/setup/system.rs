//! A made-up system for `.ci/setup`: a PATH of programs that only seem to install, compile and build, and a copy of the files that
//! the set-up reads. Nothing outside the folder is written, nothing is installed, no network is asked. What is broken in a test is
//! broken as on a person's machine: a program answers otherwise, a file is missing, a variable is set.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, lchown, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Tools that the set-up may take from the real system: none of them changes anything outside the folder.
const TOOLS: &str = "bash sh env sed grep awk cat cut tr head tail od getconf ls mkdir rm cp mv mktemp chmod stat id dirname touch true pkg-config make";
/// An ordinary user without a name of consequence: as root, who may write everywhere, half of the faults could not be made.
const NOBODY: u32 = 65534;

/// What came of a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: Option<i32>,
    /// Both streams, with the system's folder written as `~`.
    pub printed: String,
}

/// The made-up system. Fresh from [`System::complete`] it lacks nothing.
#[derive(Debug)]
pub struct System {
    folder: TempDir,
    variables: Vec<(String, Option<String>)>,
}

impl System {
    /// A Debian on which everything is there.
    pub fn complete() -> Self {
        let system = Self { folder: Self::folder(), variables: Vec::new() };
        for folder in ["bin", "home", "lib", "include", "clang", "packages", "puts", "checkout"] {
            fs::create_dir(system.path(folder)).unwrap();
        }
        for tool in TOOLS.split(' ') {
            let real = real(tool).unwrap_or_else(|| panic!("{tool} is not on the PATH"));
            symlink(real, system.path(&format!("bin/{tool}"))).unwrap();
        }
        system.check_out();
        for header in ["stdio.h", "stddef.h", "dlfcn.h", "hwloc.h", "libudev.h", "mpi.h"] {
            system.write(&format!("include/{header}"), "");
        }
        for library in ["libdl.so", "libhwloc.so", "libudev.so", "libvulkan.so.1", "libvulkan_lvp.so"] {
            system.write(&format!("lib/{library}"), "");
        }
        system.hwloc("2.9.0");
        system.write("certificates.pem", "");
        system.write("lvp_icd.json", r#"{"ICD": {"library_path": "libvulkan_lvp.so"}}"#);
        system.write("clang/libclang-14.so.1", "\x7fELF\x02");
        for (program, text) in PROGRAMS {
            system.program(program, text);
        }
        for program in ["pgrep", "ip", "unshare", "mount"] {
            system.program(program, "");
        }
        system.mpi("Open MPI v4.1.4, package: Debian", "mpiexec (OpenRTE) 4.1.4");
        system
    }

    /// Every system has a space in its path, as a person's folder may have.
    fn folder() -> TempDir {
        tempfile::Builder::new().prefix("made up ").tempdir().unwrap()
    }

    fn check_out(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in [".ci", ".ci/probe", "tests", "tests/reference", "benches", "benches/peers"] {
            fs::create_dir(self.path("checkout").join(folder)).unwrap();
        }
        let listed = |folder: &str| fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let scripts = listed(".ci").chain(listed(".ci/probe")).filter(|path| path.is_file());
        let others = ["Makefile", "Cargo.toml", "tests/reference/requirements.txt", "benches/peers/requirements.txt"];
        for path in scripts.chain(others.map(|name| root.join(name))) {
            fs::copy(&path, self.path("checkout").join(path.strip_prefix(root).unwrap())).unwrap();
        }
    }

    /// A path in the system.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Takes a file away.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Puts a shell script on the PATH, which knows the system's folder as `$world`.
    pub fn program(&self, name: &str, script: &str) {
        self.script(&format!("bin/{name}"), script);
    }

    /// Puts a shell script anywhere.
    pub fn script(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.is_symlink() {
            fs::remove_file(&path).unwrap();
        }
        let world = self.folder.path().display();
        fs::write(&path, format!("#!/bin/sh\nworld='{world}'\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What the MPI library and the launcher say of themselves.
    pub fn mpi(&self, library: &str, launcher: &str) {
        self.write("mpi_library", library);
        let script = format!("if [ \"$1\" = --version ]; then echo '{launcher}'; else printf '[%s]' \"$@\"; fi");
        self.program("mpiexec", &script);
    }

    /// The hwloc that pkg-config knows.
    pub fn hwloc(&self, version: &str) {
        let lines =
            format!("Name: hwloc\nDescription: hwloc\nVersion: {version}\nLibs: -lhwloc\nLibs.private: -ludev\n");
        self.write("lib/hwloc.pc", &lines);
    }

    /// What a package brings once it is installed: a shell command.
    pub fn package_brings(&self, package: &str, command: &str) {
        self.script(&format!("puts/{package}"), command);
    }

    /// Says that a package is installed, whatever its files are worth.
    pub fn installed(&self, package: &str) {
        self.write(&format!("packages/{package}"), "");
    }

    /// Sets a variable for the calls to come, or takes it away.
    pub fn variable(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(|value| value.replace('~', &self.folder.path().display().to_string()));
        self.variables.push((name.to_owned(), value));
    }

    /// Calls `.ci/setup SCOPE` as an ordinary user who sits at no terminal.
    pub fn setup(&self, scope: &str) -> Answer {
        self.call(&[".ci/setup", scope])
    }

    /// Calls a program in the checkout as [`System::setup`] does.
    pub fn call(&self, words: &[&str]) -> Answer {
        let mut command = Command::new(real("setsid").expect("setsid, from util-linux"));
        command.arg("--wait").args(words);
        command.current_dir(self.path("checkout")).env_clear().stdin(Stdio::null());
        command.env("PATH", self.path("bin")).env("HOME", self.path("home"));
        command.env("LIBCLANG_PATH", self.path("clang")).env("SSL_CERT_FILE", self.path("certificates.pem"));
        command.env("PKG_CONFIG_LIBDIR", self.path("lib"));
        command.env("VK_DRIVER_FILES", self.path("lvp_icd.json")).env("LC_ALL", "C");
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if rustix::process::getuid().is_root() {
            self.hand_over(self.folder.path());
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        Answer {
            code: output.status.code(),
            printed: printed.replace(&self.folder.path().display().to_string(), "~").trim_end().to_owned(),
        }
    }

    /// The calls of programs that would have changed the system: apt-get and pip, one a line.
    pub fn changes(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// What root has made here is given to the ordinary user, links themselves and never what they lead to.
    fn hand_over(&self, path: &Path) {
        lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        if path.is_dir() && !path.is_symlink() {
            fs::read_dir(path).unwrap().for_each(|entry| self.hand_over(&entry.unwrap().path()));
        }
    }
}

fn real(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|program| program.is_file())
}

/// The programs of a complete system.
const PROGRAMS: [(&str, &str); 8] = [
    ("cc", include_str!("made_up/cc")),
    ("mpicc", include_str!("made_up/mpicc")),
    ("cargo", include_str!("made_up/cargo")),
    ("python3", include_str!("made_up/python3")),
    ("apt-get", include_str!("made_up/apt-get")),
    ("dpkg-query", "if [ -e \"$world/packages/$4\" ]; then echo 'install ok installed'; else exit 1; fi"),
    ("sudo", "[ \"$1\" = -n ] && shift\nexec \"$@\""),
    ("llvm-config", "exit 1"),
];
