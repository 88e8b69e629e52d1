//! `hybrid rankfile write` for the nodes of a running job, and the real launchers of Open MPI 4.1, Open MPI 5 and MPICH on what
//! it writes: they take every file, and bind each rank where the file says.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use support::{Finished, HYBRID, Job, Launcher, NO_MPI, mpiexec_of};

/// A rank that says where it is: its number and its PUs.
const WHERE_AM_I: &str = "echo rank ${OMPI_COMM_WORLD_RANK:-$PMI_RANK} $(grep Cpus_allowed_list /proc/self/status)";

/// The PUs of each rank, from what ranks that ran [`WHERE_AM_I`] printed.
fn bindings(job: &Finished) -> BTreeMap<u64, String> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let binding = |line: &str| match words(line).as_slice() {
        [rank, number, _, pus] if rank == "rank" => Some((number.parse().unwrap(), pus.clone())),
        _ => None,
    };
    job.stdout.lines().filter_map(binding).collect()
}

/// Runs the command that `rankfile write` advised to start, with `launcher` in the place of `mpiexec` and ranks that say where
/// they are in the place of the program.
fn start_as_advised(folder: &Path, advice: &str, launcher: &Path) -> Job {
    let line = advice.lines().find_map(|line| line.strip_prefix("start with: ")).unwrap();
    let options = line.strip_prefix("mpiexec ").unwrap();
    assert!(options.contains("hybrid julia"), "{line}");
    fs::write(folder.join("where"), format!("#!/bin/sh\n{WHERE_AM_I}\n")).unwrap();
    let words = options.replace("hybrid julia", "sh where");
    Job::launcher(folder, launcher, &words.split_whitespace().collect::<Vec<_>>())
}

/// The launchers that are here, by the names that `--launcher` has for them.
fn launchers() -> Vec<(&'static str, PathBuf)> {
    let names = [
        ("openmpi4", Launcher::OpenMpi4),
        ("openmpi5", Launcher::OpenMpi5),
        ("openmpi6", Launcher::OpenMpi6),
        ("mpich", Launcher::Mpich),
    ];
    names.into_iter().filter_map(|(name, launcher)| Some((name, mpiexec_of(launcher)?))).collect()
}

/// What `rankfile write` planned for this machine: the PUs of each rank.
fn planned(folder: &Path, ranks: u32) -> BTreeMap<u64, String> {
    let words = format!("rankfile write --ranks-per-node {ranks} --format json");
    let plan = Job::mpiexec(folder, 1, &words).run().succeeded().json();
    let entry =
        |rank: &serde_json::Value| (rank["rank"].as_u64().unwrap(), rank["cpuset"].as_str().unwrap().to_owned());
    plan.as_array().unwrap().iter().map(entry).collect()
}

/// The cores that this machine lets jobs use.
fn cores() -> u32 {
    u32::try_from(hybrid::inside::topology::Node::of_this_machine(Path::new("/")).unwrap().allowed_cores().count())
        .unwrap()
}

#[test]
fn every_launcher_takes_what_is_written_here_and_binds_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let launchers = launchers();
    for ranks in [1, cores(), cores() + 1] {
        let plan = planned(folder.path(), ranks);
        assert_eq!(plan.len(), usize::try_from(ranks).unwrap());
        for (name, launcher) in &launchers {
            let file = format!("{name}-{ranks}.rankfile");
            let words = format!("rankfile write --ranks-per-node {ranks} --launcher {name} -o {file}");
            let advice = Job::mpiexec(folder.path(), 2, &words).run().succeeded().stdout;
            let checked = Job::alone(folder.path(), &format!("rankfile check -n {ranks} {file}")).run().succeeded();
            assert!(!checked.stdout.contains("error["), "{checked:#?}");
            let job = start_as_advised(folder.path(), &advice, launcher).run().succeeded();
            assert_eq!(bindings(&job), plan, "{name}, {ranks} ranks: {advice} {job:#?}");
            // As the guide has it for all commands of a shell; Open MPI 5 then binds nothing unless told.
            let job = start_as_advised(folder.path(), &advice, launcher);
            let job = job.env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe").run().succeeded();
            assert_eq!(bindings(&job), plan, "{name}, {ranks} ranks: {advice} {job:#?}");
        }
    }
}

#[test]
fn the_comparison_of_bindings_finds_a_rank_that_is_elsewhere() {
    assert!(cores() >= 2, "this test needs two cores");
    let folder = tempfile::tempdir().unwrap();
    let plan = planned(folder.path(), 2);
    let advice = "start with: mpiexec -n 2 --bind-to none hybrid julia";
    let job = start_as_advised(folder.path(), advice, Path::new(&support::launcher()[0])).run().succeeded();
    assert_eq!(bindings(&job).len(), 2, "{job:#?}");
    assert_ne!(bindings(&job), plan);
}

#[test]
fn several_ranks_of_a_node_read_it_once_and_one_file_comes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = |ranks: usize| {
        let words = "rankfile write --ranks-per-node 2";
        Job::mpiexec(folder.path(), ranks, words).run().succeeded().stdout
    };
    let alone = Job::alone(folder.path(), "rankfile write --ranks-per-node 2").run().succeeded().stdout;
    assert_eq!(alone.matches("\nrank ").count(), 2, "{alone}");
    assert_eq!(text(1), alone);
    assert_eq!(text(3), alone);
}

#[test]
fn a_file_that_cannot_be_written_is_one_line_for_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 2, "rankfile write -o missing/file").run();
    assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
    assert!(job.stderr.contains("mkdir -p missing"), "{job:#?}");
}

#[test]
fn under_a_launcher_one_process_speaks_and_mpi_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "rank 0=a slot=P1\n").unwrap();
    let job = Job::mpiexec(folder.path(), 3, "rankfile check file").run();
    assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
    assert_eq!(job.stdout.matches("error[RF040]").count(), 1, "{job:#?}");
    let job = Job::mpiexec(folder.path(), 3, "rankfile explain file").run().succeeded();
    assert_eq!(job.stdout.matches("1 rank on 1 host").count(), 1, "{job:#?}");
    let alone = Job::alone(folder.path(), "rankfile explain file").envs(&NO_MPI).run();
    assert_eq!((alone.code, alone.stderr.as_str()), (Some(0), ""), "{alone:#?}");
    let started = Job::alone(folder.path(), "rankfile write").envs(&NO_MPI).run();
    assert_ne!(started.code, Some(0), "{HYBRID} starts MPI to read live nodes: {started:#?}");
}

#[test]
fn the_rankfile_for_one_machine_starts_its_ranks_under_every_launcher() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("{}/rankfiles/laptop.rankfile", env!("CARGO_MANIFEST_DIR"));
    for (name, launcher) in launchers() {
        let words = format!("rankfile command {file} --launcher {name}");
        let advice = format!("start with: {}", Job::alone(folder.path(), &words).run().succeeded().stdout);
        let job = start_as_advised(folder.path(), &advice, &launcher).run().succeeded();
        let bound = bindings(&job);
        assert_eq!(bound.len(), 4, "{job:#?}");
        assert_eq!((&bound[&0], &bound[&1]), (&bound[&2], &bound[&3]), "{job:#?}");
        assert_ne!(bound[&0], bound[&1], "{job:#?}");
    }
}
