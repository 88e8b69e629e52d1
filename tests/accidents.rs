//! Accidents by the hundred: any process of a job is killed at any time, and jobs are started twice. Whatever happens, who goes on
//! ends in the same bytes. These tests take long and are run by `.ci/long`.
//!
//! `HYBRID_TEST_KILLS` and `HYBRID_TEST_PAIRS` are how many; the seed is fixed, what it comes to depends on the machine.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[path = "support/random.rs"]
mod random;
mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use random::Random;
use support::{Finished, HYBRID, Job, Running, failing_files, signal};

const CLUSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/run");
/// All processes of a job whose launcher or rank is killed are gone after this.
const END: Duration = Duration::from_secs(10);

fn number(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |number| number.parse().unwrap())
}

/// A process and its name.
type Process = (u32, String);

/// All processes that `root` has started, and those that they have.
fn started_by(root: u32) -> Vec<Process> {
    let mut children = BTreeMap::<u32, Vec<Process>>::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let Ok(pid) = entry.unwrap().file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let fields: Vec<_> = rest.split_whitespace().collect();
        if fields[0] != "Z" {
            children.entry(fields[1].parse().unwrap()).or_default().push((pid, name.to_owned()));
        }
    }
    let mut found = Vec::new();
    let mut of = vec![root];
    while let Some(parent) = of.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            of.push(child.0);
            found.push(child);
        }
    }
    found
}

fn is_there(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}

/// What is computed, and where its state is.
struct Work {
    words: &'static str,
    state: &'static str,
    /// What it ends in.
    result: fn(&Path, &Finished) -> Vec<u8>,
}

const WORKS: [Work; 2] = [
    Work {
        words: "julia --size 640x480 --precision f64 --counts counts.npy --timings json --resume",
        state: "julia.png.journal",
        result: |folder, _| ["julia.png", "counts.npy"].map(|name| fs::read(folder.join(name)).unwrap()).concat(),
    },
    Work {
        words: "pi --darts 1e10 --seed 7 --timings json --resume pi.json",
        state: "pi.json",
        result: |_, job| job.json()["hits"].to_string().into_bytes(),
    },
];

/// A way to start a job, drawn anew for each.
fn started(folder: &Path, work: &Work, random: &mut Random) -> (Running, String) {
    let ranks = (1 + random.below(4)).to_string();
    let in_cluster = random.below(8) == 0;
    let devices = ["--device cpu", "--device cpu", "--device cpu", "--software-gpu"][random.below(4)];
    let words: Vec<_> = work.words.split(' ').chain(devices.split(' ')).collect();
    let mut command = if in_cluster {
        let mut command = Command::new(CLUSTER);
        command.args(["mpiexec", "-H", "node1:4,node2:4,node3:4", "--map-by", "node"]);
        command.args(["-x", "LD_PRELOAD", "-x", "HYBRID_TEST_SLOW_WRITES"]);
        command
    } else {
        let launcher = support::launcher();
        let mut command = Command::new(&launcher[0]);
        command.args(&launcher[1..]);
        command
    };
    command.args(["-n", &ranks, HYBRID]).args(words);
    let job = Job::of(command, folder).env("LD_PRELOAD", failing_files()).env("HYBRID_TEST_SLOW_WRITES", "400");
    (job.start(), format!("{ranks} ranks, {devices}, cluster: {in_cluster}"))
}

/// Kills a process of `job` at some time. Returns whether there was one, and its name.
fn kill(job: &Running, state: &Path, random: &mut Random) -> Option<String> {
    let begun = Instant::now();
    let before = fs::read(state).ok();
    // Most die after they have noted something new, the others at any time from their start on.
    if random.below(10) > 0 {
        while fs::read(state).ok() == before && is_there(job.pid()) && begun.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(5));
        }
    }
    thread::sleep(Duration::from_millis(random.next() % 1500));
    let mut victims = started_by(job.pid());
    victims.retain(|(_, name)| ["hybrid", "orted", "mpiexec", "orterun"].contains(&name.as_str()));
    victims.push((job.pid(), "launcher".to_owned()));
    let (pid, name) = victims.swap_remove(random.below(victims.len()));
    let all: Vec<_> = started_by(job.pid()).into_iter().map(|(pid, _)| pid).collect();
    let killed = Instant::now();
    if !is_there(pid) {
        return None;
    }
    signal("KILL", &pid.to_string());
    while is_there(job.pid()) || all.iter().any(|pid| is_there(*pid)) {
        assert!(killed.elapsed() < END, "{name} was killed, and after {END:?} there are {:?}", started_by(job.pid()));
        thread::sleep(Duration::from_millis(5));
    }
    Some(name)
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn whatever_is_killed_whenever_a_resumed_job_ends_in_the_same_bytes() {
    let mut random = Random(number("HYBRID_TEST_SEED", 1) as u64);
    let wanted = number("HYBRID_TEST_KILLS", 300);
    let expected = WORKS.map(|work| {
        let folder = tempfile::tempdir().unwrap();
        let job = Job::alone(folder.path(), &format!("{} --device cpu", work.words)).run().succeeded();
        (work.result)(folder.path(), &job)
    });
    let (mut kills, mut between, mut completed) = (BTreeMap::<String, usize>::new(), 0, 0);
    // As many as are wanted, and two thirds of them between two entries of a journal.
    while kills.values().sum::<usize>() < wanted || between * 3 < wanted * 2 {
        let which = usize::from(random.below(5) == 0);
        let work = &WORKS[which];
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join(work.state);
        // A job after the other until one comes to its end; from time to time one is left alone.
        for round in 0.. {
            let (job, how) = started(folder.path(), work, &mut random);
            let spared = round > 8;
            if let Some(name) = (!spared).then(|| kill(&job, &state, &mut random)).flatten() {
                *kills.entry(name).or_default() += 1;
                between += usize::from(which == 0 && state.exists());
            }
            let job = job.finish();
            if job.code == Some(0) {
                assert!((work.result)(folder.path(), &job) == expected[which], "{how}: {job:#?}");
                completed += 1;
                break;
            }
            assert!(!spared, "{how}: {job:#?}");
            assert!(!job.stderr.contains("panicked") && !job.stderr.contains("damaged"), "{how}: {job:#?}");
        }
    }
    eprintln!("{kills:?} killed, {between} between two entries of a journal; {completed} came to their end");
}

/// Starts the same job twice at once, in `folders`, which are one, and returns how both end.
fn pair(folders: [&Path; 2], words: &str, no_locks: Option<i32>) -> [Finished; 2] {
    // Slow, since a job that ends within some seconds is waited for.
    let start = |folder: &Path| {
        let job = Job::alone(folder, words).env("LD_PRELOAD", failing_files()).env("HYBRID_TEST_SLOW_WRITES", "150");
        no_locks
            .map(|number| number.to_string())
            .into_iter()
            .fold(job, |job, number| job.env("HYBRID_TEST_NO_LOCKS", &number))
            .start()
    };
    folders.map(start).map(Running::finish)
}

/// One of two must win. Where they met, the other was told so; else it came later and found everything done.
fn assert_one_wins(ended: &[(Option<i32>, String); 2]) -> bool {
    let refused = |(code, said): &(Option<i32>, String)| *code == Some(1) && said.contains("another job (process ");
    let won = |(code, _): &(Option<i32>, String)| *code == Some(0);
    let [first, second] = ended;
    assert!(won(first) && (won(second) || refused(second)) || won(second) && refused(first), "{ended:#?}");
    !(won(first) && won(second))
}

#[test]
#[ignore = "takes some ten minutes"]
fn of_two_jobs_at_once_with_the_same_names_one_wins() {
    const WORDS: &str = "julia --size 640x480 --device cpu --counts counts.npy -q";
    let expected = {
        let folder = tempfile::tempdir().unwrap();
        Job::alone(folder.path(), WORDS).run().succeeded();
        ["julia.png", "counts.npy"].map(|name| fs::read(folder.path().join(name)).unwrap())
    };
    // What an unfinished job has left, for both to go on with.
    let folder = tempfile::tempdir().unwrap();
    let left = Job::alone(folder.path(), &format!("{WORDS} --time-limit 1"))
        .env("LD_PRELOAD", failing_files())
        .env("HYBRID_TEST_SLOW_WRITES", "400")
        .run();
    assert_eq!(left.code, Some(4), "{left:#?}");
    let left: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into(), fs::read(entry.path()).unwrap()))
        .collect();
    let wanted = number("HYBRID_TEST_PAIRS", 200);
    let mut met = 0;
    for pairs in 0..wanted {
        let folder = tempfile::tempdir().unwrap();
        let resumes = pairs % 2 == 0;
        if resumes {
            left.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
        }
        let words = if resumes { format!("{WORDS} --resume") } else { WORDS.to_owned() };
        let no_locks = [None, Some(95), Some(37)][pairs / 2 % 3];
        let ended = if pairs % 5 == 0 {
            two_mounts(folder.path(), &words, no_locks)
        } else {
            pair([folder.path(); 2], &words, no_locks).map(|job| (job.code, job.stderr))
        };
        met += usize::from(assert_one_wins(&ended));
        let files = ["julia.png", "counts.npy"].map(|name| fs::read(folder.path().join(name)).unwrap());
        assert!(files == expected, "{words} {no_locks:?}");
        let unfinished = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(unfinished.filter(|name| name != "julia.png" && name != "counts.npy").count(), 0);
    }
    eprintln!("{met} of {wanted} pairs met");
    assert!(met * 10 >= wanted * 9, "too few pairs met: {met} of {wanted}");
}

/// The same job twice at once, each with another mount of `folder`.
fn two_mounts(folder: &Path, words: &str, no_locks: Option<i32>) -> [(Option<i32>, String); 2] {
    let around = tempfile::tempdir().unwrap();
    let at = |name: &str| around.path().join(name);
    fs::create_dir(at("a")).unwrap();
    fs::create_dir(at("b")).unwrap();
    let job = |mount: &str| format!("(cd {mount} && {HYBRID} {words} 2>../{mount}.said; echo $? >../{mount}.code)");
    let script = format!("mount --bind \"$0\" a && mount --bind \"$0\" b && {{ {} & {} & wait; }}", job("a"), job("b"));
    let mut command = Command::new("unshare");
    command.args(["--mount", "--user", "--map-root-user", "sh", "-c", &script]).arg(folder);
    let mut both =
        Job::of(command, around.path()).env("LD_PRELOAD", failing_files()).env("HYBRID_TEST_SLOW_WRITES", "150");
    if let Some(number) = no_locks {
        both = both.env("HYBRID_TEST_NO_LOCKS", &number.to_string());
    }
    both.run().succeeded();
    let read = |name: String| fs::read_to_string(at(&name)).unwrap();
    ["a", "b"].map(|mount| (read(format!("{mount}.code")).trim().parse().ok(), read(format!("{mount}.said"))))
}
