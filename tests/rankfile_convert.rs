//! `hybrid rankfile convert`: places go from any launcher to any other and come back the same, or are refused with the reason.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{fs, path::Path};

use support::{Finished, Job, topology};

/// Launchers that read no rankfile, as `--to` calls them.
const BY_COMMAND: [&str; 5] = ["mpich", "intelmpi", "slurm", "flux", "pals"];

fn convert(folder: &Path, words: &str) -> Finished {
    Job::alone(folder, &format!("rankfile convert {words}")).run()
}

/// The ranks' lines of a rankfile.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("rank ")).collect()
}

/// The options that describe a host by a stored topology.
fn described(hosts: &[(&str, &str)]) -> String {
    hosts.iter().map(|(host, name)| format!(" --topology {host}={}", topology(&format!("{name}.xml")))).collect()
}

#[test]
fn a_rankfile_comes_back_from_every_launcher_that_can_carry_it() {
    let all =
        ["part-of-a-node", "crossed-numbering", "laptop", "eight-gpus-one-socket", "smt-four", "forbidden-threads"];
    for name in all {
        let folder = tempfile::tempdir().unwrap();
        let nodes = described(&[("a", name)]);
        let file = format!("rankfile write{nodes} --launcher openmpi6 -o plan.rankfile");
        Job::alone(folder.path(), &file).run().succeeded();
        let plan = fs::read_to_string(folder.path().join("plan.rankfile")).unwrap();
        for launcher in BY_COMMAND {
            let told = convert(folder.path(), &format!("plan.rankfile --to {launcher}{nodes}")).succeeded();
            assert_eq!(told.stdout.lines().count(), 1, "{told:#?}");
            fs::write(folder.path().join("command"), &told.stdout).unwrap();
            let back = convert(folder.path(), &format!("command --from {launcher} --to openmpi6{nodes}")).succeeded();
            // Devices come back with the rankfile that the command tells its ranks of.
            assert!(told.stdout.contains("HYBRID_RANKFILE"), "{name} {launcher}: {}", told.stdout);
            assert_eq!(lines(&back.stdout), lines(&plan), "{name} {launcher}: {}", told.stdout);
        }
    }
}

#[test]
fn places_go_from_each_launcher_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = described(&[("b", "laptop"), ("a", "laptop")]);
    let text = "rank 0=b slot=0\nrank 1=b slot=1-3\nrank 2=a slot=0\nrank 3=a slot=1-3\n";
    fs::write(folder.path().join("file"), text).unwrap();
    let all = ["openmpi4", "openmpi5", "openmpi6"].into_iter().chain(BY_COMMAND);
    for from in all.clone() {
        let given = convert(folder.path(), &format!("file --to {from}{nodes} -o given.{from} -- ./app -x")).succeeded();
        assert!(given.stdout.is_empty(), "{given:#?}");
        for to in all.clone() {
            let told = convert(folder.path(), &format!("given.{from} --from {from} --to {to}{nodes}")).succeeded();
            fs::write(folder.path().join("told"), &told.stdout).unwrap();
            let back = convert(folder.path(), &format!("told --from {to} --to openmpi4{nodes}")).succeeded();
            assert_eq!(lines(&back.stdout).join("\n") + "\n", text, "{from} {to}: {}", told.stdout);
            let keeps_program = from != "openmpi4" && from != "openmpi5" && from != "openmpi6";
            assert!(!keeps_program || told.stdout.contains("./app -x"), "{from} {to}: {}", told.stdout);
        }
    }
}

#[test]
fn the_order_of_hosts_and_unequal_nodes_are_told_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = described(&[("a", "laptop"), ("b", "raspberry-pi")]);
    for (text, refusing) in [
        ("rank 0=b slot=0\nrank 1=a slot=0\n", &["flux", "pals"][..]),
        ("rank 0=b slot=0\nrank 1=a slot=0\nrank 2=b slot=1\n", &["flux", "pals"]),
        ("rank 0=a slot=0\nrank 1=a slot=1\nrank 2=b slot=2\n", &["flux", "pals"]),
    ] {
        fs::write(folder.path().join("file"), text).unwrap();
        for launcher in BY_COMMAND {
            let told = convert(folder.path(), &format!("file --to {launcher}{nodes}"));
            if refusing.contains(&launcher) {
                assert_eq!((told.code, told.error_lines().len(), told.stdout.as_str()), (Some(1), 1, ""), "{told:#?}");
                assert!(told.stderr.contains("hybrid run") || told.stderr.contains("in a row"), "{told:#?}");
                continue;
            }
            let told = told.succeeded();
            fs::write(folder.path().join("command"), &told.stdout).unwrap();
            let back = convert(folder.path(), &format!("command --from {launcher} --to openmpi4{nodes}")).succeeded();
            assert_eq!(lines(&back.stdout).join("\n") + "\n", text, "{launcher}: {}", told.stdout);
        }
    }
}

#[test]
fn hosts_without_a_topology_are_taken_as_the_rankfile_counts_them_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "rank 0=far slot=0-1\nrank 1=far slot=2\n").unwrap();
    let told = convert(folder.path(), "file --to mpich -- ./app").succeeded();
    assert_eq!(told.stdout, "mpiexec -n 2 -hosts far:2 -bind-to user:0+1,2 ./app\n");
    assert!(told.stderr.contains("note: far is not described"), "{told:#?}");
    fs::write(folder.path().join("file"), "rank 0=far slot=1:0\n").unwrap();
    let refused = convert(folder.path(), "file --to mpich");
    assert_eq!((refused.code, refused.error_lines().len()), (Some(1), 1), "{refused:#?}");
    assert!(refused.stderr.contains("--topology far=FILE.xml"), "{refused:#?}");
    let refused = convert(folder.path(), "file --to openmpi5");
    assert_eq!((refused.code, refused.error_lines().len()), (Some(1), 1), "{refused:#?}");
    assert!(refused.stderr.contains("--topology far=FILE.xml"), "{refused:#?}");
}

#[test]
fn a_dialect_as_the_source_is_what_that_version_makes_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = described(&[("a", "two-sockets-four-gpus")]);
    fs::write(folder.path().join("file"), "rank 0=a slot=P1\n").unwrap();
    for (from, expected) in [("openmpi4", "rank 0=a slot=0"), ("openmpi5", "rank 0=a slot=8-15")] {
        let back = convert(folder.path(), &format!("file --from {from} --to openmpi4{nodes}")).succeeded();
        assert_eq!(lines(&back.stdout), [expected], "{from}");
    }
    let meant = convert(folder.path(), &format!("file --to openmpi4{nodes}"));
    assert!(meant.code == Some(1) && meant.stderr.contains("rankfile check file"), "{meant:#?}");
}

#[test]
fn what_cannot_be_converted_is_one_line_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("half", "srun -n 1 -w a --cpu-bind=map_cpu:4 ./app\n");
    write("gone", "srun -n 1 -w a --cpu-bind=map_cpu:99 ./app\n");
    write("free", "srun -n 1 -w a ./app\n");
    let nodes = described(&[("a", "laptop")]);
    for (words, expected) in [
        (format!("half --from slurm --to openmpi5{nodes} -o out"), "a part of the cores that have 0,4"),
        (format!("gone --from slurm --to mpich{nodes} -o out"), "which has 0-7"),
        (format!("free --from slurm --to mpich{nodes} -o out"), "which hardware threads rank 0 gets"),
        ("half --from mpich --to slurm -o out".to_owned(), "a command of mpiexec is expected"),
        ("missing --to slurm -o out".to_owned(), "No such file"),
        ("half --to slurm -o out".to_owned(), "rankfile check half"),
    ] {
        let refused = convert(folder.path(), &words);
        assert!(refused.code != Some(0) && refused.error_lines().len() == 1, "{words}: {refused:#?}");
        assert!(refused.stderr.contains(expected), "{words}: {refused:#?}");
        assert!(!folder.path().join("out").exists(), "{words}");
    }
    // Half a core can be told to launchers that count hardware threads.
    let told = convert(folder.path(), &format!("half --from slurm --to mpich{nodes}")).succeeded();
    assert!(told.stdout.contains("-bind-to user:4 ./app"), "{told:#?}");
    let unknown = convert(folder.path(), "half --to lam");
    assert!(
        unknown.code == Some(2) && unknown.stderr.contains("openmpi4, openmpi5, openmpi6, intelmpi"),
        "{unknown:#?}"
    );
}
