//! Starting the real launchers over a rankfile, and what came of it. Knows nothing of what this program says of the file.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hybrid::inside::launcher::{Dialect, Launcher};
use hybrid::inside::topology::SlotUnit;

use super::support::{mpiexec_of, started_at_last};

const LIMIT: Duration = Duration::from_secs(20);

/// The dialects whose launchers are here; what is not run is said.
pub(crate) fn here() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().filter(|dialect| found(*dialect).is_some())
}

/// The launcher that reads rankfiles in a dialect, if it is here.
pub(crate) fn found(dialect: Dialect) -> Option<PathBuf> {
    let launcher = Launcher::ALL.into_iter().find(|launcher| launcher.dialect() == Some(dialect));
    mpiexec_of(launcher.expect("each dialect has a launcher"))
}

/// What came of one start.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) timed_out: bool,
    pub(crate) output: String,
}

/// One start of a launcher over a rankfile.
pub(crate) struct Run<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) text: &'a [u8],
    /// A node in hwloc's synthetic notation; `None` is this machine.
    pub(crate) node: Option<&'a str>,
    pub(crate) ranks: Option<u32>,
    /// What the launcher is to count.
    pub(crate) unit: SlotUnit,
    pub(crate) extra: &'a [&'a str],
}

impl<'a> Run<'a> {
    pub(crate) fn new(dialect: Dialect, text: &'a str) -> Self {
        Self { dialect, text: text.as_bytes(), node: None, ranks: None, unit: SlotUnit::Core, extra: &[] }
    }

    pub(crate) fn on(dialect: Dialect, node: &'a str, text: &'a str) -> Self {
        Self { node: Some(node), ..Self::new(dialect, text) }
    }

    fn program(&self) -> PathBuf {
        found(self.dialect).expect("only launchers that are here are started")
    }

    /// Starts it and waits, again where the launcher itself did not start.
    pub(crate) fn start(&self) -> Outcome {
        started_at_last(|| self.start_once(), |outcome| &outcome.output)
    }

    /// Starts it and waits; kills the whole process group at the limit.
    fn start_once(&self) -> Outcome {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Open MPI 5.0.7 refuses a name with a `-` in it.
        let file = std::env::temp_dir().join(format!("hybrid{}x{number}", std::process::id()));
        std::fs::write(&file, self.text).expect("the temporary folder can be written");
        let program = self.program();
        let mut command = Command::new(&program);
        self.environment(&mut command);
        let counts_threads = self.unit == SlotUnit::Thread;
        match self.dialect {
            Dialect::OpenMpi41 => {
                command.args(counts_threads.then_some("--use-hwthread-cpus"));
                command.args(["--mca", "plm_rsh_agent", "false", "--display-devel-map", "-rf"]).arg(&file)
            }
            Dialect::OpenMpi5 | Dialect::OpenMpi6 => command
                .args([
                    "--prtemca",
                    "plm_rsh_agent",
                    "false",
                    "--prtemca",
                    "plm_ssh_agent",
                    "false",
                    "--display",
                    "map-devel",
                    "--map-by",
                ])
                .arg(format!("rankfile:file={}{}", file.display(), if counts_threads { ":hwtcpus" } else { "" })),
        };
        command.args(self.extra);
        if let Some(ranks) = self.ranks {
            command.args(["-n", &ranks.to_string()]);
        }
        command.args([
            "sh",
            "-c",
            "echo \"CPUS $OMPI_COMM_WORLD_RANK $(grep Cpus_allowed_list /proc/self/status | cut -f2)\"",
        ]);
        let outcome = wait(command, &program);
        std::fs::remove_file(&file).expect("the file was written above");
        outcome
    }

    /// A clean environment: variables of another Open MPI would lead this one astray.
    fn environment(&self, command: &mut Command) {
        let folder = self.program().parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        command.env_clear().env("PATH", format!("{folder}:/usr/local/bin:/usr/bin:/bin"));
        for variable in ["HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        for variable in ["OMPI_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT"] {
            command.env(variable, "1").env(format!("{variable}_CONFIRM"), "1");
        }
        if let Some(node) = self.node {
            command.env("HWLOC_SYNTHETIC", node);
        }
    }
}

fn wait(mut command: Command, program: &std::path::Path) -> Outcome {
    let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().expect("a pipe can be shared"))
        .stderr(writer)
        .process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!(
            "cannot start {} ({error}): install Open MPI or name its mpiexec, see the top of this file",
            program.display()
        )
    });
    drop(command);
    let collected = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A launcher that was killed may leave the pipe in any state; what came until then counts.
        let _ = reader.read_to_end(&mut bytes);
        // Open MPI 5 puts a NUL byte before lines of a rank.
        String::from_utf8_lossy(&bytes).replace('\0', "")
    });
    let start = Instant::now();
    let mut timed_out = false;
    let status = loop {
        match child.try_wait().expect("the child is ours") {
            Some(status) => break status,
            None if start.elapsed() > LIMIT => {
                timed_out = true;
                kill_group(child.id());
                break child.wait().expect("the child is ours");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    Outcome {
        code: status.code(),
        signal: status.signal(),
        timed_out,
        output: collected.join().expect("the reader does not panic"),
    }
}

/// Ends a launcher with all that it started; the standard library can end single processes only.
fn kill_group(leader: u32) {
    let group = format!("-{leader}");
    let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
    assert!(killed.is_ok_and(|status| status.success()), "process group {leader} could not be killed");
}

impl Outcome {
    /// Cores (logical, by the order of the map's text) of each rank on a node of 2 packages of 4.
    pub(crate) fn mapped(&self) -> BTreeMap<u32, Vec<u32>> {
        self.mapped_slots(SlotUnit::Core)
    }

    /// The same in what slots count.
    pub(crate) fn mapped_slots(&self, unit: SlotUnit) -> BTreeMap<u32, Vec<u32>> {
        let mut ranks = BTreeMap::new();
        let mut rank = None;
        for line in self.output.lines().map(str::trim) {
            if line.starts_with("Data for proc: [") {
                let number = line.rsplit(',').next().unwrap_or_default();
                rank = number.trim_end_matches(']').parse().ok();
            } else if let (Some(of), Some(binding)) = (rank, line.strip_prefix("Binding:")) {
                ranks.insert(of, bound_slots(binding.trim(), unit));
                rank = None;
            }
        }
        ranks
    }

    /// What each rank saw as its own processors.
    pub(crate) fn seen(&self) -> BTreeMap<u32, String> {
        let lines = self.output.lines().filter_map(|line| line.split_once("CPUS "));
        lines
            .filter_map(|(_, rest)| rest.trim().split_once(' '))
            .map(|(rank, cpus)| (rank.parse().expect("a rank"), cpus.to_owned()))
            .collect()
    }

    pub(crate) fn accepted(&self) -> bool {
        self.code == Some(0)
    }
}

/// `[BB/../..][../..]` of 4.1 and `package[0][core:L0-1] package[1][core:L6]` of 5.x and 6.x, with `hwt` for hardware threads.
fn bound_slots(binding: &str, unit: SlotUnit) -> Vec<u32> {
    if binding.starts_with('[') && unit == SlotUnit::Thread {
        let threads = binding.chars().filter(|sign| matches!(sign, 'B' | '.'));
        return (0..).zip(threads).filter(|(_, sign)| *sign == 'B').map(|(number, _)| number).collect();
    }
    if binding.starts_with('[') {
        let cores = binding.split(['[', ']', '/']).filter(|core| !core.is_empty());
        return (0..).zip(cores).filter(|(_, core)| core.contains('B')).map(|(number, _)| number).collect();
    }
    let lists = binding
        .split(if unit == SlotUnit::Core { "[core:" } else { "[hwt:" })
        .skip(1)
        .filter_map(|rest| rest.trim_start_matches('L').split(']').next());
    let ranges = lists.flat_map(|list| list.split(','));
    ranges
        .flat_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            first.parse::<u32>().expect("a core")..=last.parse().expect("a core")
        })
        .collect()
}
