//! The fenced blocks of a page as things to try, and the trying. Knows nothing of what the pages say.
//!
//! Words behind the language of a fence say what is done with it; no block is without:
//!
//! | mark | meaning |
//! |---|---|
//! | `sh run` | the lines are run, in order, in one folder for the page; they succeed |
//! | `fails=1` | they end with this code instead |
//! | `cluster` | they are run on the first of the three hosts of `tests/cluster/run` |
//! | `disk=4M` | the folder is a file system of this size |
//! | `sh make` | targets of the Makefile |
//! | `sh shown` | only the words for `hybrid` are tried |
//! | `text` | behind a block that is run: what it prints to the letter, on stdout or on both streams |
//! | `text like` | the same but for figures, see `like` |
//! | `cores=2` | run, or compared, on a machine with so many cores only; elsewhere it is named as not run |
//! | `text console` | lines that begin with `$` are commands, what follows them is like what they print, stderr included; of a launched job one stream only, since a launcher keeps no order between the two |
//!
//! What is like what `mpiexec` starts is compared with Open MPI 4.1 alone, whose binding it shows.
//!
//! | mark | meaning |
//! |---|---|
//! | `rankfile name=F` | is saved as F, and `hybrid rankfile check` finds nothing in it, or with `trap=RF040` that alone |
//! | `yaml shown`, `text shown` | not tried |
//! | `example=ring`, `checker=ring` | tried by `tests/examples.rs` and `tests/exercises.rs` |
//! | `sh class`, `sh slurm` | tried by `tests/container/run` and `tests/class/slurm`, and named as not run |

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use hybrid::inside::cli::{Parsed, parse};
use tempfile::TempDir;

use crate::{
    like,
    support::{Finished, HYBRID, Job, Launcher, kind, python},
};

/// Where a page's folder has programs that pages call and that are not this project's.
const TOOLS: &str = "tools";

/// A fenced block: the words behind the fence, and what is in it.
struct Block {
    marks: Vec<String>,
    text: String,
}

impl Block {
    fn mark(&self, name: &str) -> Option<&str> {
        self.marks.iter().find_map(|mark| mark.strip_prefix(name)?.strip_prefix('='))
    }

    fn is(&self, mark: &str) -> bool {
        self.marks.iter().any(|known| known == mark)
    }
}

/// What was found on a page.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What is not as the page says, in words.
    pub(crate) faults: Vec<String>,
    /// What could not be tried here, and why.
    pub(crate) not_run: Vec<String>,
    /// How many blocks were tried.
    pub(crate) tried: usize,
}

/// Tries a page.
pub(crate) fn try_page(page: &str) -> Outcome {
    let folder = folder();
    let mut outcome = Outcome::default();
    let mut printed: Option<(String, Finished)> = None;
    for block in blocks(page) {
        let before = printed.take();
        if block.is("run") {
            if let Some(reason) = obstacle(&block) {
                outcome.not_run.push(reason);
                continue;
            }
            let job = run(folder.path(), &block);
            let code = block.mark("fails").map_or(0, |code| code.parse().unwrap());
            outcome.tried += 1;
            if job.code != Some(code) {
                outcome.faults.push(format!("{}ends with {:?}:\n{}{}", block.text, job.code, job.stdout, job.stderr));
            }
            printed = Some((block.text, job));
        } else if block.mark("example").is_some() || block.mark("checker").is_some() {
            outcome.tried += 1; // elsewhere, and always
        } else if let Some(script) = script_of(&block) {
            outcome.not_run.push(format!("{}: {script} runs it", block.text.lines().next().unwrap_or_default()));
        } else if block.is("console") {
            console(folder.path(), &block, &mut outcome);
        } else if block.is("make") {
            outcome.tried += 1;
            outcome.faults.extend(unknown_targets(&block.text));
        } else if block.is("text") && !block.is("shown") {
            match before {
                Some((command, job)) => outcome.faults.extend(compare(&block, &command, &job, &mut outcome.not_run)),
                None if outcome.not_run.is_empty() => panic!("nothing prints this: {}", block.text),
                None => {}
            }
        } else if let Some(name) = block.mark("name") {
            outcome.tried += 1;
            outcome.faults.extend(rankfile(folder.path(), name, &block));
        } else {
            assert!(block.is("shown"), "a block that nothing tries: {:?}\n{}", block.marks, block.text);
            let lines = block.text.lines().filter(|line| line.contains("hybrid ") && block.is("sh"));
            let wrong = lines.filter(|line| !line.contains("cargo") && !is_command(line));
            outcome.faults.extend(wrong.map(|line| format!("no command of this program: {line}")));
        }
    }
    outcome
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(marks) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { marks: marks.split_whitespace().map(str::to_owned).collect(), text });
        }
    }
    blocks
}

/// A folder that looks like a checkout in which the programs were built and papermill is at hand.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rankfiles", "tests", "examples"] {
        symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), folder.path().join(name)).unwrap();
    }
    for (kept_in, link, place) in [
        ("target", "release", Path::new(HYBRID).parent().unwrap()),
        (TOOLS, "papermill", &python().with_file_name("papermill")),
    ] {
        fs::create_dir(folder.path().join(kept_in)).unwrap();
        symlink(place, folder.path().join(kept_in).join(link)).unwrap();
    }
    folder
}

/// Why a block cannot be run here: it is for another launcher, or namespaces are turned off.
fn obstacle(block: &Block) -> Option<String> {
    let first = block.text.lines().next().unwrap_or_default();
    if block.is("cluster") && env::var("HYBRID_TEST_NO_CLUSTER").is_ok_and(|value| value == "1") {
        return Some(format!("{first}: turned off by HYBRID_TEST_NO_CLUSTER=1"));
    }
    if let Some(wanted) = missing_cores(block) {
        return Some(format!("{first}: needs {wanted} cores"));
    }
    let has = |option: &str| block.text.contains(option);
    if (has(" -rf ") || has("--oversubscribe")) && !is_open_mpi_4() {
        return Some(format!("{first}: needs the launcher of Open MPI 4.1"));
    }
    let is_open_mpi = matches!(kind(), Some(Launcher::OpenMpi4 | Launcher::OpenMpi5 | Launcher::OpenMpi6));
    (has("mpiexec") && has(" -H ") && !is_open_mpi).then(|| format!("{first}: needs a launcher of Open MPI"))
}

/// What tries a block that needs more than a folder: a system in which all is compiled, or a Slurm.
fn script_of(block: &Block) -> Option<&'static str> {
    let scripts = [("class", "tests/container/run"), ("slurm", "tests/class/slurm")];
    scripts.into_iter().find_map(|(mark, script)| block.is(mark).then_some(script))
}

/// How many cores a block is for, where this machine has another number.
fn missing_cores(block: &Block) -> Option<&str> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    block.mark("cores").filter(|wanted| **wanted != *cores.to_string())
}

fn is_open_mpi_4() -> bool {
    kind() == Some(Launcher::OpenMpi4)
}

fn run(folder: &Path, block: &Block) -> Finished {
    let script = match block.mark("disk") {
        None => block.text.clone(),
        // The file system lives as long as the shell's namespace.
        Some(size) => format!("mkdir -p disk; mount -t tmpfs -o size={size} disk disk; cd disk\n{}", block.text),
    };
    let mut words: Vec<String> = Vec::new();
    if block.is("cluster") {
        words.push(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/run").to_owned());
    }
    if block.mark("disk").is_some() {
        words.extend(["unshare", "--user", "--map-root-user", "--mount"].map(str::to_owned));
    }
    words.extend(["sh", "-e", "-c"].map(str::to_owned));
    shell(folder, &words, &script)
}

fn shell(folder: &Path, words: &[String], script: &str) -> Finished {
    let mut command = Command::new(&words[0]);
    let own: PathBuf = Path::new(HYBRID).parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap();
    let path = env::join_paths([own, folder.join(TOOLS)].into_iter().chain(env::split_paths(&path))).unwrap();
    command.args(&words[1..]).arg(script).env("PATH", path);
    Job::of(command, folder).run()
}

/// Commands with what they print, as seen in a terminal.
fn console(folder: &Path, block: &Block, outcome: &mut Outcome) {
    let mut parts = block.text.split("$ ");
    assert_eq!(parts.next(), Some(""), "a console block begins with a command: {}", block.text);
    for part in parts {
        let (command, shown) = part.split_once('\n').unwrap();
        let single = Block { marks: vec!["run".to_owned()], text: command.to_owned() };
        if let Some(reason) = obstacle(&single) {
            outcome.not_run.push(reason);
            continue;
        }
        let words = ["sh", "-c"].map(str::to_owned);
        let job = shell(folder, &words, &format!("exec 2>&1\n{command}"));
        outcome.tried += 1;
        outcome.faults.extend(compare_with(block, command, shown, &job.stdout, &mut outcome.not_run));
    }
}

fn compare(block: &Block, command: &str, printed: &Finished, not_run: &mut Vec<String>) -> Option<String> {
    let both = format!("{}{}", printed.stdout, printed.stderr);
    if block.is("like") {
        return compare_with(block, command, &block.text, &both, not_run);
    }
    let is_shown = printed.stdout == block.text || both == block.text;
    (!is_shown).then(|| format!("printed:\n{both}\nshown:\n{}", block.text))
}

/// Saves a rankfile of the page, and tells where `check` finds something else in it than the page says.
fn rankfile(folder: &Path, name: &str, block: &Block) -> Option<String> {
    fs::write(folder.join(name), &block.text).unwrap();
    let found = Job::alone(folder, &format!("rankfile check {name}")).run().stdout;
    let as_told = match block.mark("trap") {
        None => found.is_empty(),
        Some(code) => found.contains(&format!("[{code}]")) && found.matches("see:").count() == 1,
    };
    (!as_told).then(|| format!("{name}: {found}"))
}

fn compare_with(block: &Block, command: &str, shown: &str, printed: &str, not_run: &mut Vec<String>) -> Option<String> {
    if let Some(wanted) = missing_cores(block) {
        not_run.push(format!("'{}' compared: needs {wanted} cores", shown.lines().next().unwrap_or_default()));
        return None;
    }
    if command.contains("mpiexec") && !is_open_mpi_4() {
        not_run.push(format!("'{}' compared: needs Open MPI 4.1", command.lines().next().unwrap_or_default()));
        return None;
    }
    // The machine on which the pages were written is called vm there.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let shown = shown.replace(" vm:", &format!(" {}:", host.trim()));
    like::difference(&shown, printed).map(|difference| format!("{difference}\nall that was printed:\n{printed}"))
}

/// Whether what stands from `hybrid` on is a command of this program.
pub(crate) fn is_command(line: &str) -> bool {
    let line = line.split(" #").next().and_then(|line| line.split(" &&").next()).unwrap_or_default();
    let words = line.split_whitespace().skip_while(|word| *word != "hybrid").map(std::ffi::OsString::from);
    matches!(parse(words), Parsed::Run(_))
}

fn unknown_targets(text: &str) -> Vec<String> {
    let makefile = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Makefile")).unwrap();
    let named = text.lines().filter_map(|line| line.strip_prefix("make ")?.split_whitespace().next());
    let missing = named.filter(|target| !makefile.lines().any(|line| line.starts_with(&format!("{target}:"))));
    missing.map(|target| format!("no target {target} in the Makefile")).collect()
}
