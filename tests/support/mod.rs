//! Runs `hybrid` under `mpiexec` for the tests: always in a folder of its own, under a hard time limit, and killed with its
//! whole process group when the limit is over.
//!
//! A test never skips itself without a word: what `make setup-test` installs and is missing fails the test, and a launcher that
//! it does not install is named by [`not_run`].

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

mod launchers;
pub mod made_up;
mod quirks;

use std::{
    fs::File,
    io::{Read, Seek, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio, id},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

#[allow(unused_imports, reason = "each test binary uses its own part")]
pub use launchers::{Launcher, kind, launcher, mpiexec_of, not_run, on_path, runs_with};
#[allow(unused_imports, reason = "each test binary uses its own part")]
pub use quirks::{NO_MPI, started_at_last};

/// Words for pictures that take as long as their size and `--max-iter` say: around the fixed point of a Siegel disc, whose orbits neither
/// escape nor repeat.
#[allow(unused_macros, reason = "each test binary uses its own part")]
macro_rules! endless {
    () => {
        "--c -0.390540870218399,-0.586787907346969 --radius 2 --view -0.4687,-0.2687,-0.4377,-0.2377"
    };
}
#[allow(unused_imports, reason = "each test binary uses its own part")]
pub(crate) use endless;

/// The program under test.
pub const HYBRID: &str = env!("CARGO_BIN_EXE_hybrid");
/// No job of these tests needs longer, on a machine of two slow cores that is busy with other things: a hang is ended, nothing is timed.
pub const TIME_LIMIT: Duration = Duration::from_secs(600);

/// The options that `words` have. With `HYBRID_TEST_GPU=hardware` in the environment, jobs that would compute on a software GPU
/// compute on those in hardware.
fn options_of(words: &str) -> impl Iterator<Item = &str> {
    let hardware = std::env::var("HYBRID_TEST_GPU").is_ok_and(|value| value == "hardware");
    words.split_whitespace().filter(move |word| !hardware || *word != "--software-gpu")
}

/// What a finished job left behind.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Finished {
    /// Lines of stderr that `hybrid` printed, without the launcher's.
    pub fn error_lines(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.starts_with("error:")).collect()
    }

    /// The job's JSON report.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Passes the job on where it succeeded.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

/// A job to be run.
#[derive(Debug)]
pub struct Job {
    command: Command,
    limit: Duration,
}

impl Job {
    /// `hybrid` with `words`, without a launcher.
    pub fn alone(folder: &Path, words: &str) -> Self {
        let mut command = Command::new(HYBRID);
        command.args(options_of(words));
        Self::of(command, folder)
    }

    /// `mpiexec -n ranks hybrid words`.
    pub fn mpiexec(folder: &Path, ranks: usize, words: &str) -> Self {
        Self::launched(folder, &["-n", &ranks.to_string()], &[HYBRID], words)
    }

    /// `mpiexec options program words`; among the options `-rf FILE` stands for what the launcher has in its place.
    pub fn launched(folder: &Path, options: &[&str], program: &[&str], words: &str) -> Self {
        let launcher = launcher();
        let mut command = Command::new(&launcher[0]);
        command.args(&launcher[1..]).args(launchers::translated(folder, options)).args(program).args(options_of(words));
        Self::of(command, folder)
    }

    /// Any other command.
    pub fn of(mut command: Command, folder: &Path) -> Self {
        command.current_dir(folder).envs(launchers::ENVIRONMENT).stdin(Stdio::null()).process_group(0);
        Self { command, limit: TIME_LIMIT }
    }

    /// A launcher with these words, in an environment that no other launcher has left its marks in.
    pub fn launcher(folder: &Path, launcher: &Path, words: &[&str]) -> Self {
        let mut command = Command::new(launcher);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["OMPI_", "PMIX_", "PRTE_", "PMI_", "HYDRA_"].iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.args(words);
        let mut job = Self::of(command, folder);
        // The words alone have to do.
        job.command.env_remove("PRTE_MCA_rmaps_default_mapping_policy");
        job
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    /// Another time limit than the usual one.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Types a line into the job, or nothing at all.
    pub fn stdin(mut self, line: &str) -> Self {
        if !line.is_empty() {
            let mut file = tempfile::tempfile().unwrap();
            writeln!(file, "{line}").and_then(|()| file.rewind()).unwrap();
            self.command.stdin(file);
        }
        self
    }

    /// Runs the job to its end, again where the launcher itself did not start.
    pub fn run(mut self) -> Finished {
        started_at_last(|| self.started().finish(), |finished| &finished.stderr)
    }

    /// Starts the job. Output goes to files: a pipe that nobody reads could fill up and stop the job.
    pub fn start(mut self) -> Running {
        self.started()
    }

    fn started(&mut self) -> Running {
        let output = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let child = self.command.stdout(file("stdout")).stderr(file("stderr")).spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("{}: {error}: run `make setup-test`", self.command.get_program().to_string_lossy())
        });
        Running { child, output, started: Instant::now(), limit: self.limit }
    }
}

/// A job that is running.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: TempDir,
    started: Instant,
    limit: Duration,
}

impl Running {
    /// Process id of the launcher or of the program itself.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the job has printed on stderr so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.output.path().join("stderr")).unwrap()).into_owned()
    }

    /// Waits for the end, and kills the job's whole process group when the time limit is over.
    pub fn finish(mut self) -> Finished {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.started.elapsed() > self.limit {
                self.kill_group();
                self.child.wait().unwrap();
                panic!("no end after {:?}: {:#?}", self.limit, self.finished(ExitStatus::default()));
            }
            thread::sleep(Duration::from_millis(2));
        };
        self.finished(status)
    }

    /// Sends SIGKILL to every process of the job.
    pub fn kill_group(&self) {
        signal("KILL", &format!("-{}", self.child.id()));
    }

    fn finished(&self, status: ExitStatus) -> Finished {
        let read = |name: &str| {
            let mut bytes = Vec::new();
            File::open(self.output.path().join(name)).unwrap().read_to_end(&mut bytes).unwrap();
            // Open MPI 5 puts a NUL byte before what a rank prints on stderr.
            String::from_utf8_lossy(&bytes).replace('\0', "")
        };
        Finished {
            code: status.code(),
            stdout: read("stdout"),
            stderr: read("stderr"),
            elapsed: self.started.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.kill_group();
            let _ = self.child.wait();
        }
    }
}

/// Waits until `ready` says so.
pub fn wait_until(what: &str, ready: impl Fn() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until none of these processes runs any more; a launcher may end before the ranks that it has killed.
pub fn wait_for_end_of(ranks: &[u32]) {
    let is_gone = |rank: &u32| std::fs::read_link(format!("/proc/{rank}/exe")).is_err();
    wait_until("the end of the ranks", || ranks.iter().all(is_gone));
}

/// Sends a signal to a process or, with a minus sign, to a process group.
pub fn signal(name: &str, process: &str) {
    Command::new("kill").args(["-s", name, "--", process]).status().unwrap();
}

/// Process ids of the ranks that a launcher has started, found by the program they run.
pub fn ranks_of(launcher: u32) -> Vec<u32> {
    let children = |pid: u32| {
        let output = Command::new("pgrep").args(["-P", &pid.to_string()]).output().expect("pgrep, from procps");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.parse::<u32>().unwrap()).collect::<Vec<_>>()
    };
    let runs_hybrid =
        |pid: &u32| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == Path::new(HYBRID));
    children(launcher)
        .into_iter()
        .flat_map(|child| std::iter::once(child).chain(children(child)))
        .filter(runs_hybrid)
        .collect()
}

/// What `variable` names, or else what `make setup-test` has installed in cargo's folder, wherever that is.
fn installed(variable: &str, path: &str) -> PathBuf {
    let default = || {
        let folders = Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors().skip(1);
        let found = folders.map(|folder| folder.join(path)).find(|program| program.exists());
        found.unwrap_or_else(|| panic!("{path} is missing in cargo's target folder: run `make setup-test`"))
    };
    let program = std::env::var_os(variable).map_or_else(default, PathBuf::from);
    assert!(program.exists(), "{variable} names {}, which does not exist", program.display());
    program
}

/// Path of a stored topology, or with an empty name the folder of them.
pub fn topology(name: &str) -> String {
    format!("{}/tests/topologies/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The library that makes files slow and fail, built from `failing_files.c`, which tells what it does.
pub fn failing_files() -> &'static str {
    static LIBRARY: LazyLock<String> = LazyLock::new(|| library("failing_files"));
    &LIBRARY
}

/// The library that lets a few threads start, built from `failing_threads.c`, which tells what it does.
pub fn failing_threads() -> &'static str {
    static LIBRARY: LazyLock<String> = LazyLock::new(|| library("failing_threads"));
    &LIBRARY
}

/// The library that sends a process a signal as early as can be, built from `early_signal.c`, which tells more.
pub fn early_signal() -> &'static str {
    static LIBRARY: LazyLock<String> = LazyLock::new(|| library("early_signal"));
    &LIBRARY
}

/// A library to be loaded before the C library, built from the source of that name beside this file.
fn library(name: &str) -> String {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let (library, anew) = (format!("{folder}/{name}.so"), format!("{folder}/{name}.{}", id()));
    let source = format!("{}/tests/support/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o", &anew, &source, "-ldl"]);
    assert!(compiler.status().expect("cc: run `make setup-test`").success());
    std::fs::rename(anew, &library).unwrap();
    library
}

/// Python with the packages that the reference needs.
pub fn python() -> PathBuf {
    installed("HYBRID_PYTHON", "venv/bin/python")
}
