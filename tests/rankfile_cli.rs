//! `hybrid rankfile` without a launcher: every trap is named, clean files are silent, bad input is one clear line, and what is
//! written is what was planned.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{fs, path::Path};

use support::{Finished, HYBRID, Job, topology};

/// Checks `text`, given the options; `TOPOLOGIES/` in them is the folder of the stored topologies.
fn check(text: &[u8], options: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), text).unwrap();
    let options = options.replace("TOPOLOGIES/", &topology(""));
    Job::alone(folder.path(), &format!("rankfile check file {options}")).run()
}

/// The codes that a check printed, in order.
fn codes(checked: &Finished) -> Vec<String> {
    let code = |line: &str| Some(line.split_once('[')?.1.split_once("]: ")?.0.to_owned());
    let is_finding = |line: &&str| ["error[", "warning[", "note["].iter().any(|start| line.starts_with(start));
    checked.stdout.lines().filter(is_finding).filter_map(code).collect()
}

/// A file with a trap, the options it is checked with, what is found, and the same file mended.
type Trap = (&'static str, &'static str, &'static str, &'static str);

const ONE_SOCKET: &str = "--topology a=TOPOLOGIES/raspberry-pi.xml";

/// What Open MPI 4.1 and 5.x refuse, misread or die of, row by row as they were seen to.
const TRAPS: &[Trap] = &[
    ("rank 1=a slot=1\nrank 0=a slot=0\n", "", "RF060", "rank 0=a slot=0\nrank 1=a slot=1\n"),
    (
        "rank 0=a slot=0\nrank 1=a slot=1\nrank 1=a slot=2\n",
        "",
        "RF062",
        "rank 0=a slot=0\nrank 1=a slot=1\nrank 2=a slot=2\n",
    ),
    ("rank 0=a slot=P1\n", "", "RF040", "rank 0=a slot=1:*\n"),
    ("rank 0=a slot=p1\n", "", "RF040", "rank 0=a slot=1:*\n"),
    ("rank 0=a slot=C1\n", "", "RF041", "rank 0=a slot=1\n"),
    ("rank 0=a slot=*\n", "", "RF042", "rank 0=a slot=0:*\n"),
    ("rank 0=a slot=0x3\n", "", "RF043", "rank 0=a slot=0,1\n"),
    ("rank 0=a slot=0, 1\n", "", "RF018", "rank 0=a slot=0,1\n"),
    ("rank 0=a slot=0:0,1\n", ONE_SOCKET, "RF044", "rank 0=a slot=0:0-1\n"),
    ("rank 0=a slot=9\n", ONE_SOCKET, "RF080", "rank 0=a slot=3\n"),
    ("rank 0=a slot=0:9\n", ONE_SOCKET, "RF080", "rank 0=a slot=0:3\n"),
    ("rank 0=a slot=1:0\n", ONE_SOCKET, "RF081", "rank 0=a slot=0:0\n"),
    ("rank 0=a slot=0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40\n", "", "RF051", "rank 0=a slot=0-40\n"),
    ("rank 0=a slot=0\n# the end", "", "RF006", "rank 0=a slot=0\n# the end\n"),
    ("rank 0=a slot=0 # the end", "", "RF006", "rank 0=a slot=0"),
    ("rank 0=a slot=0\r\nrank 1=a slot=1\r\n", "", "RF005", "rank 0=a slot=0\nrank 1=a slot=1\n"),
    ("rank 0=a slot=0\r\nrank 1=a slot=1", "", "RF005", "rank 0=a slot=0\nrank 1=a slot=1"),
    ("rank 0=a slot=0\rrank 1=a slot=1\r", "", "RF005", "rank 0=a slot=0\nrank 1=a slot=1\n"),
    (
        "rank 0=a slot=0\r\nrank 1=a slot=1\rrank 2=a slot=2\n",
        "",
        "RF005",
        "rank 0=a slot=0\nrank 1=a slot=1\nrank 2=a slot=2\n",
    ),
    ("RANK 0=a slot=0\n", "", "RF011", "rank 0=a slot=0\n"),
    ("rank 0=+n0 slot=0\n", "", "RF034", "rank 0=a slot=0\n"),
    ("rank 0=a.site.org slot=0\n", "", "RF036", "rank 0=a slot=0\n"),
    ("rank 0=\"a\" slot=0\n", "", "RF033", "rank 0=a slot=0\n"),
    ("rank 0=a slot=0\n", "-n 2", "RF063", "rank 0=a slot=0\nrank 1=a slot=1\n"),
    ("rank 0=a slot=0\nrank 2=a slot=2\n", "", "RF061", "rank 0=a slot=0\nrank 1=a slot=2\n"),
    ("rank 0=a slot=0\nrank 1=a slot=0\n", "", "RF083", "rank 0=a slot=0\nrank 1=a slot=1\n"),
    ("rank 0=a slot=0\nrank 1=a slot=0:0\n", ONE_SOCKET, "RF083", "rank 0=a slot=0\nrank 1=a slot=0:1\n"),
    ("rank 0=a slot=0-3\n", ONE_SOCKET, "RF085", "rank 0=a slot=0-2\n"),
    // Bad input of other kinds.
    ("", "", "RF008", "rank 0=a slot=0\n"),
    ("rank 0=a slot=0\n\0\n", "", "RF002", "rank 0=a slot=0\n\n"),
    ("\u{feff}rank 0=a slot=0\n", "", "RF004", "rank 0=a slot=0\n"),
    ("rank -1=a slot=0\n", "", "RF012", "rank 0=a slot=0\n"),
    ("rank 0=a slot=-1\n", "", "RF047", "rank 0=a slot=1\n"),
    ("rank 0=a slot=99999999999999999999\n", "", "RF049", "rank 0=a slot=9\n"),
    ("rank 0=a slot=0\nrank 4294967297=a slot=1\n", "", "RF013", "rank 0=a slot=0\nrank 1=a slot=1\n"),
    ("rank 0=b slot=0\n", ONE_SOCKET, "RF086", "rank 0=a slot=0\n"),
    (
        "rank 0=a slot=0\nrank 1=a slot=1\nrank 2=a slot=2\nrank 3=a slot=3\nrank 4=a slot=0\n",
        ONE_SOCKET,
        "RF084",
        "rank 0=a slot=0\nrank 1=a slot=1\nrank 2=a slot=2\nrank 3=a slot=3\n",
    ),
    (
        "rank 0=a slot=0 # gpu=0000:65:00.0\n",
        "--topology a=TOPOLOGIES/two-sockets-four-gpus.xml",
        "RF087",
        "rank 0=a slot=0 # gpu=0000:07:00.0\n",
    ),
    (
        "rank 0=a slot=0 # gpu=0000:07:00.0\nrank 1=a slot=1 # gpu=0000:07:00.0\n",
        "--topology a=TOPOLOGIES/two-sockets-four-gpus.xml",
        "RF088",
        "rank 0=a slot=0 # gpu=0000:07:00.0\nrank 1=a slot=1 # gpu=0000:0b:00.0\n",
    ),
    ("rank 0=a slot=0 # gpu=7\n", "", "RF070", "rank 0=a slot=0 # gpu=07:00.0\n"),
];

#[test]
fn check_names_every_trap_and_is_silent_once_it_is_mended() {
    for (text, options, code, mended) in TRAPS {
        let found = check(text.as_bytes(), options);
        assert_eq!(codes(&found), [*code], "{text} {options} {found:#?}");
        let is_error = found.stdout.starts_with("error[");
        assert_eq!(found.code, Some(i32::from(is_error)), "{text} {found:#?}");
        assert_eq!(found.error_lines().len(), usize::from(is_error), "{found:#?}");
        let silent = check(mended.as_bytes(), options);
        assert_eq!(
            (silent.code, silent.stdout.as_str(), silent.stderr.as_str()),
            (Some(0), "", ""),
            "{mended} {options}"
        );
    }
}

#[test]
fn what_both_launchers_take_as_it_is_meant_is_silent() {
    for text in [
        "rank 0=localhost slot=0\n",
        "rank 0=192.0.2.7 slot=0\nrank 1=me@node1 slot=0-1,3\n",
        "// from the site\n/* two\nlines */\nrank 0=a slots=0:0;0:2\n\nrank 1=a slot=1:0-3 # gpu=0000:65:00.0\n",
    ] {
        let found = check(text.as_bytes(), "--topology localhost=TOPOLOGIES/laptop.xml").stdout;
        let found = if text.contains("localhost") { found } else { check(text.as_bytes(), "").stdout };
        assert_eq!(found, "", "{text}");
    }
}

#[test]
fn a_finding_stands_with_its_place_what_happens_and_the_corrected_line() {
    let found = check(b"# mine\nrank 0=a slot=P1\n", "");
    let expected =
        "  |\n2 | rank 0=a slot=P1\n  |               ^^\n  |\n  = Open MPI 4.1: binds core 0, without a word\n";
    assert!(found.stdout.contains(" --> file:2:15\n") && found.stdout.contains(expected), "{}", found.stdout);
    assert!(found.stdout.contains("= write: rank 0=a slot=1:*\n"), "{}", found.stdout);
    assert_eq!(found.stderr, "error: file: 1 error\n");
}

#[test]
fn one_dialect_alone_can_be_asked_for() {
    let text = b"rank 0=a slot=P1\n";
    assert_eq!(check(text, "--dialect 4.1").code, Some(1));
    assert_eq!(check(text, "--dialect 5").stdout, "");
    assert_eq!(check(text, "--dialect any").code, Some(1));
    assert_eq!(check(text, "--dialect both").code, Some(1), "its name before there was a third");
    assert_eq!(check(text, "--dialect 7").code, Some(2));
    let windows = b"rank 0=a slot=0\r\n";
    assert_eq!((check(windows, "--dialect 5").code, check(windows, "--dialect 6").stdout.as_str()), (Some(1), ""));
}

#[test]
fn a_host_that_is_this_machine_is_looked_at_unless_it_is_described() {
    let text = b"rank 0=localhost slot=99999\n";
    assert_eq!(codes(&check(text, "")), ["RF080"]);
    let described = check(text, "--topology localhost=TOPOLOGIES/laptop.xml");
    assert!(described.stdout.contains("the node has 4 cores"), "{}", described.stdout);
    assert_eq!(check(b"rank 0=elsewhere slot=99999\n", "").stdout, "");
}

#[test]
fn files_that_cannot_be_read_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::create_dir(file("folder")).unwrap();
    fs::File::create(file("huge")).unwrap().set_len(1 << 30).unwrap();
    fs::write(file("good"), "rank 0=a slot=0\n").unwrap();
    fs::write(file("no.xml"), "<xml/>").unwrap();
    fs::write(file("new.xml"), r#"<topology version="3.0"><object type="PU"/></topology>"#).unwrap();
    let pus_only = r#"<?xml version="1.0"?><!DOCTYPE topology SYSTEM "hwloc2.dtd"><topology version="2.0">
        <object type="Machine" os_index="0" cpuset="0x1" complete_cpuset="0x1" allowed_cpuset="0x1" nodeset="0x1"
            complete_nodeset="0x1" allowed_nodeset="0x1" gp_index="1"><object type="NUMANode" os_index="0" cpuset="0x1"
            complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="3"/><object type="PU" os_index="0"
            cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="2"/></object></topology>"#;
    fs::write(file("no-pus.xml"), pus_only.replace("type=\"PU\"", "type=\"Core\"")).unwrap();
    for (words, code, expected) in [
        ("check missing", 1, "cannot read missing: No such file"),
        ("check folder", 1, "cannot read folder: Is a directory"),
        ("check huge", 1, "1073741824 bytes, a rankfile may have 16777216"),
        ("check /dev/zero", 1, "a rankfile may have 16777216"),
        ("check /proc/self/mem", 1, "cannot read /proc/self/mem"),
        ("explain missing", 1, "cannot read missing"),
        ("check good --topology a=missing.xml", 1, "missing.xml: No such file"),
        ("check good --topology a=no.xml", 1, "no.xml: it is no XML of hwloc"),
        ("check good --topology a=no-pus.xml", 1, "no-pus.xml: "),
        ("write --topology a=new.xml", 1, "`lstopo --of v2xml new.xml`"),
        ("write --topology a=no.xml", 1, "no.xml: it is no XML of hwloc"),
        ("write --topology a=huge", 1, "huge: it is larger than 64 MiB"),
        ("check good --topology a=no.xml --topology a=no.xml", 1, "no.xml"),
        ("check good --topology a", 2, "HOST=FILE.xml"),
    ] {
        let refused = Job::alone(folder.path(), &format!("rankfile {words}")).run();
        assert_eq!(refused.code, Some(code), "{words} {refused:#?}");
        assert_eq!((refused.stdout.as_str(), refused.error_lines().len()), ("", 1), "{words} {refused:#?}");
        assert!(refused.stderr.contains(expected) && !refused.stderr.contains("panicked"), "{words} {refused:#?}");
    }
    let binary = Job::alone(folder.path(), "rankfile check /bin/sh").run();
    assert_eq!((binary.code, codes(&binary).len()), (Some(1), 1), "{binary:#?}");
}

/// Runs `rankfile write` with stored topologies, `host=name` for each.
fn written(topologies: &[&str], options: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let mut words = format!("rankfile write {options}");
    for given in topologies {
        let (host, name) = given.split_once('=').unwrap();
        words += &format!(" --topology {host}={}", topology(&format!("{name}.xml")));
    }
    Job::alone(folder.path(), &words).run()
}

/// The cores of the NUMA node that a GPU of the stored topology `crossed-numbering` hangs on.
fn crossed_cores(gpu: &str) -> [u64; 2] {
    let numa = match gpu {
        "0000:d1:00.0" | "0000:d6:00.0" => 0,
        "0000:c9:00.0" | "0000:ce:00.0" => 1,
        "0000:d9:00.0" | "0000:de:00.0" => 2,
        "0000:c1:00.0" | "0000:c6:00.0" => 3,
        other => panic!("{other} is no GPU of this topology"),
    };
    [4 * numa, 4 * numa + 4]
}

/// Ranks whose cores are not all on the NUMA node of their GPU.
fn far_ranks(plan: &serde_json::Value) -> Vec<u64> {
    let is_far = |rank: &&serde_json::Value| {
        let [first, end] = crossed_cores(rank["gpu"].as_str().unwrap());
        rank["cores"].as_array().unwrap().iter().any(|core| !(first..end).contains(&core.as_u64().unwrap()))
    };
    plan.as_array().unwrap().iter().filter(is_far).map(|rank| rank["rank"].as_u64().unwrap()).collect()
}

#[test]
fn each_gpu_is_on_its_ranks_numa_node_though_the_numbering_is_crossed() {
    let plan = written(&["a=crossed-numbering"], "--ranks-per-node 8 --format json").succeeded().json();
    assert_eq!(plan.as_array().unwrap().len(), 8);
    assert_eq!(far_ranks(&plan), [0; 0], "{plan}");
    let gpus: std::collections::BTreeSet<&str> =
        plan.as_array().unwrap().iter().map(|rank| rank["gpu"].as_str().unwrap()).collect();
    assert_eq!(gpus.len(), 8, "{plan}");
    assert_eq!(plan[0]["cpuset"], "12-13,28-29");
    // The usual `GPU number = rank` with cores in order is found out by the same comparison.
    let mut naive = plan.clone();
    for (rank, first) in (0..8).map(|rank| (rank, 2 * rank)) {
        naive[rank]["cores"] = serde_json::json!([first, first + 1]);
    }
    assert_eq!(far_ranks(&naive), [0, 1, 4, 5, 6, 7], "{naive}");
}

#[test]
fn json_has_one_entry_a_rank_with_nothing_else_on_stdout() {
    let plan = written(&["a=raspberry-pi", "b=laptop"], "--ranks-per-node 2 --format json").succeeded();
    let expected = serde_json::json!([
        {"rank": 0, "host": "a", "cpuset": "0-1", "cores": [0, 1], "gpu": null},
        {"rank": 1, "host": "a", "cpuset": "2-3", "cores": [2, 3], "gpu": null},
        {"rank": 2, "host": "b", "cpuset": "0-1,4-5", "cores": [0, 1], "gpu": null},
        {"rank": 3, "host": "b", "cpuset": "2-3,6-7", "cores": [2, 3], "gpu": null},
    ]);
    assert_eq!(plan.json(), expected);
}

#[test]
fn what_is_written_is_clean_on_the_nodes_it_was_written_for() {
    let all = fs::read_dir(topology("")).unwrap().map(|entry| entry.unwrap().path());
    let mut tried = 0;
    for file in all.filter(|file| file.extension().is_some_and(|extension| extension == "xml")) {
        let given = format!("node1={}", file.file_stem().unwrap().to_str().unwrap());
        for options in ["", "--ranks-per-node 3", "--ranks-per-node 1", "--ranks-per-gpu 2"] {
            let text = written(&[&given], options).succeeded().stdout;
            let checked = check(text.as_bytes(), &format!("--topology node1={}", file.display()));
            let found = codes(&checked);
            // One rank with all cores is worth a note, and what --ranks-per-gpu brought about a warning.
            let expected = if options.contains("per-gpu") { ["RF085", "RF088"] } else { ["RF085"; 2] };
            assert!(
                found.iter().all(|code| expected.contains(&code.as_str())),
                "{given} {options}:\n{text}{}",
                checked.stdout
            );
            tried += 1;
        }
    }
    assert!(tried >= 40, "{tried}");
}

#[test]
fn the_launch_line_is_printed_beside_the_file_for_the_launcher_asked_for() {
    for (launcher, expected) in [
        ("openmpi4", "start with: mpiexec -n 2 -rf my.rankfile hybrid julia\n"),
        (
            "openmpi5",
            "start with: mpiexec -n 2 -H a:2 --map-by rankfile:file=my.rankfile --bind-to core hybrid julia\n",
        ),
        ("mpich", "start with: mpiexec -n 2 -hosts a:2 -bind-to user:0+1+4+5,2+3+6+7 hybrid julia\n"),
        ("slurm", "start with: srun -w a -N 1 -n 2 --cpu-bind=mask_cpu:0x33,0xcc"),
    ] {
        let job = written(&["a=laptop"], &format!("--ranks-per-node 2 --launcher {launcher}")).succeeded();
        assert!(job.stderr.contains(expected), "{launcher}: {}", job.stderr);
        assert!(!job.stdout.contains("start with"), "{}", job.stdout);
    }
}

/// A folder with a program that says this whatever it is asked.
fn program_that_says(program: &str, says: &str) -> tempfile::TempDir {
    let bin = tempfile::tempdir().unwrap();
    let path = bin.path().join(program);
    fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&path).status().unwrap();
    bin
}

#[test]
fn the_launcher_is_found_on_the_path_and_asked_for_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let found = |program: &str, says: &str| {
        let bin = program_that_says(program, says);
        let words = format!("rankfile write --topology a={}", topology("raspberry-pi.xml"));
        Job::alone(folder.path(), &words).env("PATH", bin.path().to_str().unwrap()).run().succeeded().stderr
    };
    assert!(found("mpiexec", "mpiexec (OpenRTE) 4.1.4").contains(" -rf "));
    assert!(found("mpiexec", "mpiexec (Open MPI) 5.0.7").contains("rankfile:file="));
    assert!(found("mpiexec", "HYDRA build details:").contains("-bind-to user:"));
    assert!(found("srun", "slurm 23.11.4").contains("--cpu-bind=mask_cpu:0xf"));
    assert!(
        found("mpiexec", "something else")
            .contains("--launcher openmpi4|openmpi5|openmpi6|intelmpi|flux|pals|mpich|slurm")
    );
    assert!(found("nothing", "").contains("no launcher"));
}

#[test]
fn plans_that_cannot_be_written_are_refused_in_one_line_and_leave_no_file() {
    for (given, options, expected) in [
        (["a=laptop", "b_c=laptop"], "", "'b_c' is no host name"),
        (["a.x=laptop", "a.y=laptop"], "", "first dot"),
        (["a=laptop", "a=raspberry-pi"], "", "describes host a twice"),
        (["a=laptop", "b=laptop"], "-o missing/file", "mkdir -p missing"),
    ] {
        let refused = written(&given, options);
        assert!(refused.code != Some(0) && refused.error_lines().len() == 1, "{refused:#?}");
        assert!(refused.stderr.contains(expected) && refused.stdout.is_empty(), "{refused:#?}");
    }
}

#[test]
fn explain_tells_each_rank_draws_the_node_and_names_the_traps() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "rank 0=a slot=P1 # gpu=0000:88:00.0\nrank 1=a slot=0-6 # cpu\n").unwrap();
    let words = format!("rankfile explain file --topology a={}", topology("two-sockets-four-gpus.xml"));
    let text = Job::alone(folder.path(), &words).run().succeeded().stdout;
    for expected in [
        "rank 0: every core of package 1 (PUs 8-15), NUMA node 1, GPU 0000:88:00.0 next to its cores",
        "Open MPI 4.1: binds core 0, without a word",
        "rank 1: cores 0-6 (PUs 0-6), NUMA node 0, computes on its cores",
        "│ 0  │ 1  │ 2  │ 3  │ 4  │ 5  │ 6  │ 7  │",
        "│ r1 │ r1 │ r1 │ r1 │ r1 │ r1 │ r1 │ .  │",
        "┌ GPU 0000:88:00.0 ─",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    fs::write(folder.path().join("empty"), "# nothing\n").unwrap();
    let empty = Job::alone(folder.path(), "rankfile explain empty").run();
    assert_eq!((empty.code, empty.error_lines().len()), (Some(1), 1), "{empty:#?}");
}

/// What launchers say for `--version`, and how each is told to start the four ranks of the laptop's rankfile.
const LAUNCHERS: [(&str, &str); 6] = [
    ("mpiexec (OpenRTE) 4.1.4", "mpiexec -n 4 -rf FILE p 'a b'"),
    ("mpiexec (Open MPI) 5.0.7", SHARING),
    ("mpiexec (Open MPI) 5.0.11", SHARING),
    ("mpiexec (Open MPI) 6.0.0rc2", SHARING),
    (
        "HYDRA build details:\n    Version:                                 4.0.2\n",
        "mpiexec -n 4 -hosts localhost:4 -bind-to user:0+4,1+5,0+4,1+5 p 'a b'",
    ),
    ("something else", "mpiexec -n 4 p 'a b'"),
];
const SHARING: &str = "mpiexec -n 4 --map-by rankfile:file=FILE:oversubscribe --bind-to core:overload-allowed p 'a b'";

#[test]
fn the_command_for_a_rankfile_is_that_of_the_launcher_on_the_path() {
    let file = format!("{}/rankfiles/laptop.rankfile", env!("CARGO_MANIFEST_DIR"));
    for (says, expected) in LAUNCHERS {
        let bin = program_that_says("mpiexec", says);
        let words = ["rankfile", "command", &file, "--topology"];
        let mut command = std::process::Command::new(HYBRID);
        command.args(words).arg(format!("localhost={}", topology("laptop.xml"))).args(["--", "p", "a b"]);
        let job = Job::of(command, bin.path()).env("PATH", bin.path().to_str().unwrap()).run().succeeded();
        assert_eq!(job.stdout, format!("{}\n", expected.replace("FILE", &file)), "{says}");
        assert_eq!(job.stderr.starts_with("note: no launcher"), says == "something else", "{}", job.stderr);
    }
}

#[test]
fn a_rankfile_that_a_launcher_cannot_be_told_is_refused_with_the_way_out() {
    for (text, options, expected) in [
        ("rank 0=a slot=P1\n", "--launcher openmpi4", &["file:1", "rankfile check file"][..]),
        ("rank 0=a slot=0:0\n", "--launcher mpich", &["host a", "--topology a=FILE.xml"]),
        ("rank 0=a slot=7\n", &format!("--launcher openmpi4 {ONE_SOCKET}"), &["rank 0 asks for slot=7 of a", "write"]),
        (
            "rank 0=a slot=0\nrank 1=b slot=0\nrank 2=a slot=1\n",
            "--launcher pals --topology a=TOPOLOGIES/laptop.xml --topology b=TOPOLOGIES/laptop.xml",
            &["one host after the other"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), text).unwrap();
        let options = options.replace("TOPOLOGIES", &topology(""));
        let job = Job::alone(folder.path(), &format!("rankfile command file {options}")).run();
        assert_eq!((job.error_lines().len(), job.stdout.as_str()), (1, ""), "{job:#?}");
        assert!(expected.iter().all(|part| job.stderr.contains(part)), "{expected:?} in {job:#?}");
    }
}

#[test]
fn every_rankfile_of_the_project_is_clean_and_says_which_machine_it_fits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rankfiles");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("# ") && text.contains("-rf rankfiles/") && text.contains("rankfile:file="),
            "{file:?}"
        );
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let node = topology("two-sockets-four-gpus.xml");
        for (title, launcher) in [("Open MPI 4.1:  ", "openmpi4"), ("Open MPI 5:    ", "openmpi5")] {
            let words = format!("rankfile command rankfiles/{name} --launcher {launcher} --topology localhost={node}");
            let command = Job::alone(folder.parent().unwrap(), &words).run().succeeded().stdout;
            assert!(text.contains(&format!("#   {title}{command}")), "{name}: {command}");
        }
        // A machine that has what such a file needs.
        let node = if text.contains("gpu") { "two-sockets-four-gpus.xml" } else { "laptop.xml" };
        let hosts = ["localhost", "node1", "workstation", "pi1", "pi2", "pi3", "pi4"];
        let given = hosts.map(|host| format!("--topology {host}={}", topology(node))).join(" ");
        let checked = Job::alone(&folder, &format!("rankfile check {} {given}", file.display())).run().succeeded();
        let shares = text.contains("--bind-to core:overload-allowed");
        // Ranks that share cores get a warning, ranks that have all of them a note.
        let found: Vec<String> = codes(&checked).into_iter().filter(|code| code != "RF085").collect();
        assert_eq!(found, if shares { vec!["RF083"; 2] } else { vec![] }, "{file:?}: {}", checked.stdout);
    }
}
