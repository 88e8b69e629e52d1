//! Runs a program with some ranks, notices that it hangs, and ends it then. Knows nothing of what is right.
//!
//! A job hangs where for some seconds no rank has made a step: entered or left one of MPI's calls that wait. So a slow computer is
//! not taken for a hang, and a hang is noticed soon.

use std::{
    env,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::state::State;

/// Without a step of any rank for so long, a job hangs; a job that has just been started may take longer.
const STILL: Duration = Duration::from_secs(8);
const START: Duration = Duration::from_secs(60);
/// A job that makes steps all the time and comes to no end.
const ENDLESS: Duration = Duration::from_secs(90);
/// So long a rank's panic may take to end the others.
const AFTER_A_PANIC: Duration = Duration::from_secs(2);

/// How a job has ended.
#[derive(Debug)]
pub enum End {
    /// By itself.
    Itself(ExitStatus),
    /// It made no step any more.
    Hangs,
    /// It did not stop to make steps.
    Endless,
}

/// What a job has left behind.
#[derive(Debug)]
pub struct Outcome {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
    /// Where each rank was last; empty where that cannot be known.
    pub states: Vec<State>,
}

/// A folder that is gone with the job.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("exercise-{}", process::id()));
        fs::create_dir_all(path.join("ranks"))?;
        Ok(Self(path))
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.0.join(name)).unwrap_or_default()).replace('\0', "")
    }

    /// What the ranks have told, a line for each.
    fn ranks(&self, ranks: usize) -> Vec<String> {
        (0..ranks).map(|rank| self.read(&format!("ranks/{rank}"))).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The library that tells where ranks are; none where it cannot be built.
fn watch(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("watch.so");
    let mpicc = env::var("MPICC").unwrap_or_else(|_| "mpicc".to_owned());
    let mut compiler = Command::new(mpicc);
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library);
    compiler.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/watch.c")).stderr(Stdio::null());
    compiler.status().is_ok_and(|status| status.success()).then_some(library)
}

/// Runs `program` with `ranks` ranks to its end, or until it hangs.
///
/// # Errors
/// The launcher cannot be started, or there is no room for temporary files.
pub fn run(program: &Path, ranks: usize) -> Result<Outcome, String> {
    let folder = Folder::new().map_err(|error| format!("no folder for temporary files: {error}"))?;
    let file = |name: &str| File::create(folder.0.join(name)).map_err(|error| format!("{name}: {error}"));
    let launcher = env::var("HYBRID_MPIEXEC").unwrap_or_else(|_| "mpiexec".to_owned());
    let mut words = launcher.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("mpiexec"));
    command.args(words).args(["-n", &ranks.to_string()]).arg(program);
    // More ranks than cores are meant, and take turns.
    command.env("OMPI_MCA_rmaps_base_oversubscribe", "1").env("OMPI_MCA_mpi_yield_when_idle", "1");
    command.env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe").env("RUST_BACKTRACE", "0");
    // What MPICH's transport remarks of messages that nobody took would stand among what the program prints.
    command.env("UCX_LOG_LEVEL", "error");
    if let Some(library) = watch(&folder.0) {
        command.env("LD_PRELOAD", library).env("EXERCISE_WATCH", folder.0.join("ranks"));
    }
    command.stdin(Stdio::null()).stdout(file("stdout")?).stderr(file("stderr")?).process_group(0);
    let child = command.spawn().map_err(|error| format!("{launcher}: {error}: is an MPI installed?"))?;
    let end = wait(child, &folder, ranks);
    let states: Vec<State> = folder.ranks(ranks).iter().filter_map(|line| State::of_line(line)).collect();
    let states = if states.len() == ranks { states } else { Vec::new() };
    Ok(Outcome { end, stdout: folder.read("stdout"), stderr: folder.read("stderr"), states })
}

fn wait(mut child: Child, folder: &Folder, ranks: usize) -> End {
    let started = Instant::now();
    let (mut last, mut moved, mut panicked) = (folder.ranks(ranks), started, None);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return End::Itself(status);
        }
        let now = folder.ranks(ranks);
        if now != last {
            (last, moved) = (now, Instant::now());
        }
        if panicked.is_none() && folder.read("stderr").contains("panicked at") {
            panicked = Some(Instant::now());
        }
        let limit = if last.iter().any(String::is_empty) { START } else { STILL };
        let hangs = moved.elapsed() > limit || panicked.is_some_and(|since: Instant| since.elapsed() > AFTER_A_PANIC);
        if hangs || started.elapsed() > ENDLESS {
            end(&mut child);
            return if hangs { End::Hangs } else { End::Endless };
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Ends the launcher, which ends its ranks; and whatever is left of them.
fn end(child: &mut Child) {
    // The shell's own `kill`: a container may have no program of that name.
    let signal = |name: &str, process: String| {
        Command::new("sh").args(["-c", "kill -s \"$0\" -- \"$1\"", name, &process]).stderr(Stdio::null()).status()
    };
    let _ = signal("TERM", child.id().to_string());
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_secs(5) && child.try_wait().is_ok_and(|status| status.is_none()) {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = signal("KILL", format!("-{}", child.id()));
    let _ = child.wait();
}
