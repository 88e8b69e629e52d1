//! Plans made by chance, told to each launcher that is here and started by it: every rank is where the plan says, or the launcher
//! cannot be told, and the reason is said. And programs of any kind behind `hybrid run`.
//!
//! `make test-launchers` runs this in a fresh system with every launcher that can be installed, over 200 plans each; `make test` with
//! those that are here, over a few. Hosts are those of `tests/cluster/run`, of Slurm those of `tests/launchers/slurm`.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use hybrid::inside::{
    rankfile::{NodeShape, Reading, parse_counting, resolve},
    topology::{Node, SlotUnit},
};
use support::{HYBRID, Job, Launcher, mpiexec_of, not_run, on_path, topology};
use tempfile::TempDir;

const CLUSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/run");
const EMULATED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/launchers/emulated");
const SLURM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/launchers/slurm");

/// A rank that says where it is.
const WHERE_AM_I: &str = "#!/bin/sh\n\
    echo rank ${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-$SLURM_PROCID}} $(hostname) $(grep Cpus_allowed_list /proc/self/status | cut -f2)\n";

/// Runs a command within a minute, and once more where it has not ended then: on a machine that is slow, as an emulated one, launchers
/// may wait for each other for ever.
const TRY: &str = "once() { timeout 60 sh -c \"$1\" </dev/null 2>&1; status=$?; }\n\
    try() { once \"$1\"; if [ $status = 124 ]; then echo once more; once \"$1\"; fi; echo status $status; }\n";

/// A launcher on the hosts that it is tried on.
struct Trial {
    name: &'static str,
    launcher: Launcher,
    program: PathBuf,
    hosts: &'static [&'static str],
}

/// The launchers that are here, under the names of their options.
fn trials() -> Vec<Trial> {
    let hosts: &[&str] = &["node1", "node2", "node3"];
    let by_mpiexec = [
        ("openmpi4", Launcher::OpenMpi4),
        ("openmpi5", Launcher::OpenMpi5),
        ("openmpi6", Launcher::OpenMpi6),
        ("mpich", Launcher::Mpich),
        ("intelmpi", Launcher::IntelMpi),
    ];
    // As for the tests of tests/cluster.rs, where a system lets nobody make the hosts.
    let is_off = env::var("HYBRID_TEST_NO_CLUSTER").is_ok_and(|value| value == "1");
    if is_off {
        not_run("the hosts of tests/cluster/run are turned off by HYBRID_TEST_NO_CLUSTER=1");
    }
    let mut all: Vec<Trial> = by_mpiexec
        .into_iter()
        .filter(|_| !is_off)
        .filter_map(|(name, launcher)| Some(Trial { name, launcher, program: mpiexec_of(launcher)?, hosts }))
        .collect();
    match env::var("HYBRID_TEST_SLURM") {
        Ok(srun) => {
            let hosts = &["n1", "n2"];
            all.push(Trial { name: "slurm", launcher: Launcher::Slurm, program: on_path(&srun), hosts });
        }
        Err(_) => not_run("needs Slurm, whose daemons run in a fresh system alone: make test-launchers"),
    }
    all
}

/// A folder that every host sees: those of Slurm have a /tmp of their own.
fn shared_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("launchers").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write_program(&folder.path().join("whereami"), WHERE_AM_I);
    folder
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    assert!(Command::new("chmod").args(["755".as_ref(), path.as_os_str()]).status().unwrap().success());
}

/// Numbers from a fixed sequence.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A kind of machine that plans are made for: each host is this one.
struct Machine {
    /// The stored topology that describes it.
    topology: &'static str,
    /// Slot lists that fit it, of cores and of hardware threads; none of the latter where each core has one.
    lists: [&'static [&'static str]; 2],
}

/// What plans are made of here: two cores are everywhere, the other machine is that of tests/launchers/emulated.
const MACHINES: [Machine; 2] = [
    Machine {
        topology: "two-by-two-by-two.xml",
        lists: [&["0", "1", "3", "0-1", "0,2", "1:0", "1:*", "0-3"], &["0", "3", "5", "1-2", "0,7", "4-6"]],
    },
    Machine { topology: "raspberry-pi.xml", lists: [&["0", "1", "0-1"], &[]] },
];

impl Machine {
    /// The one that this machine is; says where it is none.
    fn here() -> Option<&'static Self> {
        let node = Node::of_this_machine(Path::new("/")).unwrap();
        let pus =
            |node: &Node, count: usize| node.cores.iter().take(count).map(|core| core.pus.clone()).collect::<Vec<_>>();
        let is_here = |machine: &&Self| match machine.lists[1] {
            // Two of the cores, however many there are.
            [] => pus(&machine.node(), 2) == pus(&node, 2),
            _ => pus(&machine.node(), usize::MAX) == pus(&node, usize::MAX),
        };
        let found = MACHINES.iter().find(is_here);
        if found.is_none() {
            not_run("needs two cores of one hardware thread each, numbered alike");
        }
        found
    }

    fn node(&self) -> Node {
        Node::from_xml_file(Path::new(&topology(self.topology))).unwrap()
    }

    /// The PUs that a slot list means, as the kernel lists them.
    fn pus(&self, slots: &str, unit: SlotUnit) -> String {
        let node = Node { slot_unit: unit, ..self.node() };
        let parsed = parse_counting(format!("rank 0=a slot={slots}\n").as_bytes(), unit);
        let slots = resolve(&parsed.rankfile.entries[0].slots, Reading::Meant, &NodeShape::of_node(&node)).unwrap();
        node.pus_of_slots(&slots).to_string()
    }
}

/// The host and the slots of each rank: hosts in any order, and at times to and fro between them.
fn plan(chance: &mut Chance, hosts: &[&'static str], lists: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let mut order: Vec<&str> = hosts.to_vec();
    for index in (1..order.len()).rev() {
        order.swap(index, chance.below(index + 1));
    }
    // Equal nodes are what clusters have; unequal ones and loose orders are what goes wrong.
    match chance.below(3) {
        0 => {
            let each: Vec<&str> = (0..=chance.below(3)).map(|_| lists[chance.below(lists.len())]).collect();
            order
                .iter()
                .take(1 + chance.below(hosts.len()))
                .flat_map(|host| each.iter().map(|cores| (*host, *cores)))
                .collect()
        }
        1 => {
            let mut ranks = Vec::new();
            for host in order.iter().take(1 + chance.below(hosts.len())) {
                ranks.extend((0..=chance.below(3)).map(|_| (*host, lists[chance.below(lists.len())])));
            }
            ranks
        }
        _ => (0..=chance.below(6))
            .map(|_| (order[chance.below(hosts.len())], lists[chance.below(lists.len())]))
            .collect(),
    }
}

fn rankfile(plan: &[(&str, &str)]) -> String {
    (0..).zip(plan).map(|(rank, (host, cores)): (u32, _)| format!("rank {rank}={host} slot={cores}\n")).collect()
}

/// What each plan is told as: the command, or why there is none.
fn told(folder: &Path, trial: &Trial, machine: &Machine, (file, unit): (&str, SlotUnit)) -> Result<String, String> {
    let described: String =
        trial.hosts.iter().map(|host| format!(" --topology {host}={}", topology(machine.topology))).collect();
    let threads = if unit == SlotUnit::Thread { " --use-hwthread-cpus" } else { "" };
    let words = format!("rankfile command {file} --launcher {}{threads}{described} -- ./whereami", trial.name);
    let job = Job::alone(folder, &words).run();
    match job.code {
        Some(0) => Ok(job.stdout.trim_end().to_owned()),
        _ => {
            assert_eq!(job.error_lines().len(), 1, "{job:#?}");
            Err(job.stderr)
        }
    }
}

/// Runs all commands on the launcher's hosts, one after the other, and returns what the ranks of each said.
fn run(folder: &Path, trial: &Trial, commands: &[String]) -> Vec<BTreeMap<usize, (String, String)>> {
    // As many as end within the time limit of a job wherever they run.
    commands.chunks(40).flat_map(|some| run_some(folder, trial, some)).collect()
}

fn run_some(folder: &Path, trial: &Trial, commands: &[String]) -> Vec<BTreeMap<usize, (String, String)>> {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let name = if trial.launcher == Launcher::Slurm { "srun" } else { "mpiexec" };
    write_program(&bin.join(name), &format!("#!/bin/sh\nexec {} \"$@\"\n", trial.program.display()));
    let lines: String = (0..)
        .zip(commands)
        .map(|(number, command): (u32, _)| format!("echo plan {number}\ntry {}\n", in_quotes(command)))
        .collect();
    fs::write(folder.join("all.sh"), format!("PATH={}:$PATH\n{TRY}{lines}", bin.display())).unwrap();
    let is_root = is_root_here();
    let start: Vec<&str> = match (trial.launcher, is_root) {
        (Launcher::Slurm, true) => vec![SLURM],
        (Launcher::Slurm, false) => vec!["sudo", "-n", SLURM],
        _ => vec![CLUSTER],
    };
    let mut command = Command::new(start[0]);
    command.args(&start[1..]).args(["sh", "all.sh"]);
    let job = Job::of(command, folder).run().succeeded();
    let mut said: Vec<BTreeMap<usize, (String, String)>> = Vec::new();
    for line in job.stdout.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["plan", _] => said.push(BTreeMap::new()),
            ["rank", rank, host, pus] => {
                let place = (host.to_owned(), pus.to_owned());
                said.last_mut().unwrap().insert(rank.parse().unwrap(), place);
            }
            ["status", "0"] => {}
            // Shown where the comparison fails.
            _ => println!("{}: {line}", trial.name),
        }
    }
    said
}

/// A word for a shell.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_root_here() -> bool {
    String::from_utf8_lossy(&Command::new("id").arg("-u").output().unwrap().stdout).trim() == "0"
}

/// Ranks that are elsewhere than planned, or nowhere; a plan has the PUs of each.
fn differences(plan: &[(&str, String)], said: &BTreeMap<usize, (String, String)>) -> Vec<String> {
    let missing = |rank: &usize| !said.contains_key(rank);
    let mut found: Vec<String> =
        (0..plan.len()).filter(missing).map(|rank| format!("rank {rank} did not start")).collect();
    for (rank, (host, pus)) in said {
        match plan.get(*rank) {
            Some((asked_host, asked)) if (*asked_host, asked) == (host.as_str(), pus) => {}
            asked => found.push(format!("rank {rank} was to be at {asked:?} and is at {host} {pus}")),
        }
    }
    found
}

#[test]
fn ranks_are_where_plans_made_by_chance_put_them_or_the_launcher_cannot_be_told() {
    let Some(machine) = Machine::here() else { return };
    let count: usize = env::var("HYBRID_TEST_PLANS").map_or(8, |count| count.parse().unwrap());
    let mut table = Vec::new();
    for trial in trials() {
        let folder = shared_folder();
        let mut chance = Chance(7);
        let (mut started, mut commands, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let unit = if number % 4 == 3 && !machine.lists[1].is_empty() { SlotUnit::Thread } else { SlotUnit::Core };
            let plan = plan(&mut chance, trial.hosts, machine.lists[usize::from(unit == SlotUnit::Thread)]);
            // Open MPI 5.0.7 takes no `-` in the name of a rankfile.
            let file = format!("plan{number}");
            fs::write(folder.path().join(&file), rankfile(&plan)).unwrap();
            match told(folder.path(), &trial, machine, (&file, unit)) {
                Ok(command) => {
                    started.push((plan, unit));
                    commands.push(command);
                }
                Err(reason) => refused.push(reason),
            }
        }
        let said = run(folder.path(), &trial, &commands);
        assert_eq!(said.len(), commands.len(), "{}", trial.name);
        for (((plan, unit), command), said) in started.iter().zip(&commands).zip(&said) {
            let asked: Vec<(&str, String)> =
                plan.iter().map(|(host, slots)| (*host, machine.pus(slots, *unit))).collect();
            let found = differences(&asked, said);
            assert!(found.is_empty(), "{}: {found:?}\n{}{command}", trial.name, rankfile(plan));
        }
        let threads = started.iter().filter(|(_, unit)| *unit == SlotUnit::Thread).count();
        table.push(format!(
            "result: {:10} {count} plans: {} as asked ({threads} of them in hardware threads), {} refused",
            trial.name,
            started.len(),
            refused.len()
        ));
    }
    println!("\n{}", table.join("\n"));
}

#[test]
fn a_rank_that_is_elsewhere_is_found_by_the_comparison() {
    let Some(machine) = Machine::here() else { return };
    for trial in trials() {
        let folder = shared_folder();
        let plan = [(trial.hosts[0], "0"), (trial.hosts[1], "1")];
        let commands: Vec<String> = [[plan[0], plan[1]], [plan[1], plan[0]], [(plan[0].0, "1"), plan[1]]]
            .iter()
            .enumerate()
            .map(|(number, told_instead)| {
                let file = format!("plan{number}");
                fs::write(folder.path().join(&file), rankfile(told_instead)).unwrap();
                told(folder.path(), &trial, machine, (&file, SlotUnit::Core)).unwrap()
            })
            .collect();
        let said = run(folder.path(), &trial, &commands);
        let asked = plan.map(|(host, slots)| (host, machine.pus(slots, SlotUnit::Core)));
        let found: Vec<usize> = said.iter().map(|said| differences(&asked, said).len()).collect();
        assert_eq!(found, [0, 2, 1], "{}: {said:?}", trial.name);
    }
}

/// The two tests above on a machine whose cores have two hardware threads each, which Linux numbers apart.
#[test]
fn plans_hold_on_an_emulated_machine_whose_numbers_differ() {
    let Ok(plans) = env::var("HYBRID_TEST_EMULATED") else {
        return not_run("needs a machine that qemu makes, which takes minutes: make test-launchers");
    };
    let program = env::current_exe().unwrap();
    let mut machine = Command::new(EMULATED);
    machine.arg(program).args(["--exact", "--nocapture", "--test-threads", "1"]).args([
        "ranks_are_where_plans_made_by_chance_put_them_or_the_launcher_cannot_be_told",
        "a_rank_that_is_elsewhere_is_found_by_the_comparison",
        "what_is_asked_in_hardware_threads_is_told_apart_by_where",
    ]);
    machine.env("HYBRID_TEST_PLANS", plans).env_remove("HYBRID_TEST_EMULATED").env_remove("HYBRID_TEST_SLURM");
    machine.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    // Of this system's /tmp nothing is seen there.
    let folder = shared_folder();
    let job = Job::of(machine, folder.path()).limit(Duration::from_secs(3600)).run().succeeded();
    assert!(job.stdout.contains("test result: ok. 3 passed"), "{job:#?}");
    println!("on the emulated machine:\n{}", job.stdout);
}

/// What Open MPI 4.1 tells its ranks of how it counts, and what is compared with it.
#[test]
fn what_is_asked_in_hardware_threads_is_told_apart_by_where() {
    let Some(machine) = Machine::here().filter(|machine| !machine.lists[1].is_empty()) else {
        return not_run("needs cores with two hardware threads each: make test-launchers makes some");
    };
    let Some(mpiexec) = mpiexec_of(Launcher::OpenMpi4) else { return };
    let folder = shared_folder();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    fs::write(folder.path().join("plan"), format!("rank 0={host} slot=1\nrank 1={host} slot=2\n").replace("\n ", " "))
        .unwrap();
    let findings = |options: &[&str], words: &[&str]| {
        let words = [options, &["-rf", "plan", HYBRID, "where", "--format", "json"], words].concat();
        let job = Job::launcher(folder.path(), &mpiexec, &words).run().succeeded();
        job.stdout.matches("asked-is-not-actual").count()
    };
    assert_eq!(machine.pus("1", SlotUnit::Thread), "4");
    assert_eq!(findings(&["--use-hwthread-cpus"], &[]), 0, "the launcher tells that it counts hardware threads");
    assert_eq!(findings(&[], &[]), 0, "cores");
    assert!(findings(&[], &["--use-hwthread-cpus"]) > 0, "a wrong word is found out");
}

/// A program that knows nothing of this one, and its launchers: mpi4py's rank and what it was given.
const PYTHON: &str = "import os; from mpi4py import MPI; w = MPI.COMM_WORLD; \
    print('rank', w.rank, w.size, ','.join(map(str, sorted(os.sched_getaffinity(0)))), os.environ['OMP_NUM_THREADS'], flush=True)";

#[test]
fn a_python_program_takes_its_place_behind_each_mpi() {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv-mpi4py/bin");
    let pythons = [
        (Launcher::OpenMpi4, PathBuf::from("/usr/bin/python3"), ["--bind-to", "none"]),
        (Launcher::Mpich, venv.join("python"), ["-bind-to", "none"]),
    ];
    for (launcher, python, unbound) in pythons {
        let has_mpi4py =
            Command::new(&python).args(["-c", "import mpi4py"]).output().is_ok_and(|job| job.status.success());
        let Some(program) = mpiexec_of(launcher).filter(|_| has_mpi4py) else {
            not_run(&format!("needs mpi4py for {launcher:?}: make test-launchers"));
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("program.py"), PYTHON).unwrap();
        let python = python.display().to_string();
        let words = [&unbound[..], &["-n", "2", HYBRID, "run", "--", &python, "program.py"]].concat();
        let job = Job::launcher(folder.path(), &program, &words).run().succeeded();
        let mut lines: Vec<&str> = job.stdout.lines().filter(|line| line.starts_with("rank ")).collect();
        lines.sort_unstable();
        let fields: Vec<Vec<&str>> = lines.iter().map(|line| line.split(' ').collect()).collect();
        assert_eq!(fields.len(), 2, "{launcher:?} {job:#?}");
        for (rank, fields) in fields.iter().enumerate() {
            let cores = fields[3].split(',').count().to_string();
            assert_eq!([fields[1], fields[2], fields[4]], [&*rank.to_string(), "2", &*cores], "{launcher:?} {job:#?}");
        }
        assert_ne!(fields[0][3], fields[1][3], "{launcher:?} {job:#?}");
    }
}

#[test]
fn steps_of_slurm_give_each_process_its_cores_and_keep_the_order_of_hosts() {
    if env::var_os("HYBRID_TEST_SLURM").is_none() {
        return not_run("needs Slurm, whose daemons run in a fresh system alone: make test-launchers");
    }
    let node = Node::of_this_machine(Path::new("/")).unwrap();
    let machine = Machine::here();
    let Some(machine) = machine.filter(|machine| machine.lists[1].is_empty() && node.cores.len() == 2) else {
        return not_run("the places that are compared are those of a machine of two cores");
    };
    let folder = shared_folder();
    let trial = trials().pop().unwrap();
    let env = "env | grep -E '^(SLURM_PROCID|OMP_NUM_THREADS|OMP_PLACES)=' | sort | tr '\\n' ' '";
    let ordered = told(folder.path(), &trial, machine, ("hosts.rf", SlotUnit::Core));
    assert!(ordered.is_err(), "there is no such file yet");
    fs::write(folder.path().join("hosts.rf"), "rank 0=n2 slot=0\nrank 1=n2 slot=1\nrank 2=n1 slot=0\n").unwrap();
    fs::write(folder.path().join("env.sh"), format!("echo said $({env})\n")).unwrap();
    let commands = [
        told(folder.path(), &trial, machine, ("hosts.rf", SlotUnit::Core)).unwrap(),
        format!("srun -N 2 -n 4 --cpu-bind=none {HYBRID} run -- ./whereami"),
        format!("srun -N 2 -n 4 {HYBRID} run -- sh env.sh"),
        format!("srun -N 2 -n 3 {HYBRID} run -- ./missing; [ $? = 1 ]"),
    ];
    let said = run(folder.path(), &trial, &commands);
    let places = |said: &BTreeMap<usize, (String, String)>| {
        said.values().map(|(host, pus)| format!("{host} {pus}")).collect::<Vec<_>>()
    };
    assert_eq!(places(&said[0]), ["n2 0", "n2 1", "n1 0"]);
    assert_eq!(places(&said[1]), ["n1 0", "n1 1", "n2 0", "n2 1"]);
}
