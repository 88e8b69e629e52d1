//! The launchers that tests use: the one they run with, whichever MPI it is of, and others beside it that certain tests need.
//!
//! A test that needs a launcher which is nowhere says so by [`not_run`], and `make test` lists it at its end.

use std::{
    env,
    fs::OpenOptions,
    io::{Write, stderr},
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, OnceLock},
    thread,
};

pub use hybrid::inside::launcher::Launcher;
use hybrid::inside::{launcher::Following, topology::SlotUnit};

/// The launcher and its options: `HYBRID_MPIEXEC`, else `mpiexec`; Open MPI 4 wants to be told that ranks may share a core.
pub fn launcher() -> Vec<String> {
    let words = env::var("HYBRID_MPIEXEC").unwrap_or_else(|_| match kind() {
        Some(Launcher::OpenMpi4) => "mpiexec --oversubscribe".to_owned(),
        _ => "mpiexec".to_owned(),
    });
    words.split_whitespace().map(str::to_owned).collect()
}

/// What the launcher finds in its environment: as root it may start, and for Open MPI 5 ranks may share a core. There an option
/// would stand in the way of those of a rankfile.
/// Without the last one workers that 5.0.7 spawns do not reach each other where the machine has IPv6.
pub const ENVIRONMENT: [(&str, &str); 6] = [
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("PRTE_ALLOW_RUN_AS_ROOT", "1"),
    ("PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
    ("OMPI_MCA_reachable", "weighted"),
];

/// Which launcher tests run with.
pub fn kind() -> Option<Launcher> {
    static KIND: LazyLock<Option<Launcher>> = LazyLock::new(|| {
        let words = env::var("HYBRID_MPIEXEC").unwrap_or_else(|_| "mpiexec".to_owned());
        kind_of(Path::new(words.split_whitespace().next()?))
    });
    *KIND
}

fn kind_of(program: &Path) -> Option<Launcher> {
    let output = Command::new(program).arg("--version").output().ok()?;
    Launcher::of_version(&String::from_utf8_lossy(&output.stdout))
}

/// The `mpiexec` of `wanted`: the one that a variable names or that `make setup-test` has installed, or else the one that tests
/// run with. `None` is said.
pub fn mpiexec_of(wanted: Launcher) -> Option<PathBuf> {
    static FOUND: [OnceLock<Option<PathBuf>>; Launcher::ALL.len()] = [const { OnceLock::new() }; Launcher::ALL.len()];
    let found = FOUND[wanted as usize].get_or_init(|| find(wanted)).clone();
    if found.is_none() {
        not_run(&format!("needs {wanted:?}, which is neither here nor in {}", variable_of(wanted).0));
    }
    found
}

/// The variable that names such a launcher, and where `make setup-test` installs one.
fn variable_of(wanted: Launcher) -> (&'static str, Option<&'static str>) {
    match wanted {
        Launcher::OpenMpi4 => ("HYBRID_TEST_MPIEXEC41", None),
        Launcher::OpenMpi5 => ("HYBRID_TEST_MPIEXEC5", Some("venv/bin/mpiexec")),
        Launcher::OpenMpi6 => ("HYBRID_TEST_MPIEXEC6", None),
        Launcher::Mpich => ("HYBRID_TEST_MPICH", Some("venv-mpich/bin/mpiexec")),
        Launcher::IntelMpi => ("HYBRID_TEST_INTEL_MPI", None),
        Launcher::Flux => ("HYBRID_TEST_FLUX", None),
        Launcher::Pals => ("HYBRID_TEST_PALS", None),
        Launcher::Slurm => ("HYBRID_TEST_SRUN", None),
    }
}

fn find(wanted: Launcher) -> Option<PathBuf> {
    let (variable, installed) = variable_of(wanted);
    let named = env::var_os(variable).map(PathBuf::from);
    let folders = || Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors().skip(1);
    let installed = installed.into_iter().flat_map(|path| folders().map(move |folder| folder.join(path)));
    let own = launcher().first().map(|program| on_path(program)).filter(|_| kind() == Some(wanted));
    named.into_iter().chain(installed).chain(own).find(|program| kind_of(program) == Some(wanted))
}

/// The file that a shell would start by that name.
pub fn on_path(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let files = env::split_paths(&path).map(|folder| folder.join(program));
    let is_name = !program.contains('/');
    files.into_iter().find(|file| is_name && file.exists()).unwrap_or_else(|| program.into())
}

/// Whether the launcher that tests run with is one of these; says that the test is not run where it is not.
pub fn runs_with(kinds: &[Launcher]) -> bool {
    let is_one = kind().is_some_and(|kind| kinds.contains(&kind));
    if !is_one {
        not_run(&format!("needs {kinds:?} as mpiexec"));
    }
    is_one
}

/// Says, past what the test harness captures, that this test is not run, and notes it for the list at the end of `make test`.
pub fn not_run(reason: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("not run: {}: {test}: {reason}\n", env!("CARGO_CRATE_NAME"));
    stderr().write_all(line.as_bytes()).expect("stderr takes a line");
    if let Some(list) = env::var_os("HYBRID_TEST_NOT_RUN") {
        let list = OpenOptions::new().create(true).append(true).open(list);
        list.and_then(|mut list| list.write_all(line.as_bytes())).expect("there is room for a line");
    }
}

/// `options` with `-rf FILE`, which Open MPI 4.1 has, in the words of the launcher that tests run with.
pub fn translated(folder: &Path, options: &[&str]) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let Some(at) = options.iter().position(|option| *option == "-rf") else { return owned(options) };
    let file = options[at + 1];
    let instead: Vec<String> = match kind() {
        Some(of_prrte @ (Launcher::OpenMpi5 | Launcher::OpenMpi6)) => of_prrte
            .rankfile_options(Following { file, shares_cores: true, slot_unit: SlotUnit::Core })
            .expect("it reads rankfiles")
            .split(' ')
            .map(str::to_owned)
            .chain(["-x".to_owned(), format!("HYBRID_RANKFILE={file}")])
            .collect(),
        Some(Launcher::Mpich) => {
            let words = ["rankfile", "command", file, "--launcher", "mpich", "--", "program"];
            let told = Command::new(super::HYBRID).args(words).current_dir(folder).output().expect("it was built");
            let told = String::from_utf8(told.stdout).expect("a command is text");
            let binding = told.split_whitespace().skip_while(|word| *word != "-bind-to").take(2).map(str::to_owned);
            binding.chain(["-genv".to_owned(), "HYBRID_RANKFILE".to_owned(), file.to_owned()]).collect()
        }
        _ => owned(&options[at..at + 2]),
    };
    [owned(&options[..at]), instead, owned(&options[at + 2..])].concat()
}
