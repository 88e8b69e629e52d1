//! Files as people have them, through `hybrid rankfile`: this machine under several names, names of mDNS, files of other
//! launchers, comments of another encoding; from standard input and as findings for programs.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Finished, Job, topology};

/// Runs `hybrid rankfile WORDS` beside a file of this text, called `file`.
fn rankfile(text: &[u8], words: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), text).unwrap();
    Job::alone(folder.path(), &format!("rankfile {words}")).run()
}

/// Findings of `check --format json`, and its exit code.
fn found(text: impl AsRef<[u8]>, options: &str) -> (Vec<Value>, Option<i32>) {
    let checked = rankfile(text.as_ref(), &format!("check file --format json {options}"));
    let Value::Array(found) = checked.json() else { panic!("{checked:?}") };
    (found, checked.code)
}

fn codes(found: &[Value]) -> Vec<&str> {
    found.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

fn own_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    name.trim().split('.').next().unwrap().to_owned()
}

#[test]
fn this_machine_under_two_names_is_an_error_of_those_versions_that_refuse_it() {
    let own = own_name();
    for (first, second, refused_by_5) in [
        (own.as_str(), "127.0.0.1", false),
        (own.as_str(), "localhost", false),
        ("localhost", own.as_str(), true),
        ("localhost", "127.0.0.1", true),
    ] {
        let text = format!("rank 0={first} slot=0\nrank 1={second} slot=1\n");
        let (all, code) = found(&text, "-n 2");
        let told = all.iter().find(|finding| finding["code"] == "RF038").unwrap_or_else(|| panic!("{text} {all:?}"));
        assert_eq!((code, told["line"].as_u64()), (Some(1), Some(2)), "{told}");
        assert!(told["open_mpi_4_1"].as_str().unwrap().contains("not enough slots"), "{told}");
        assert_eq!(told["open_mpi_5"].is_string(), refused_by_5, "{told}");
        assert_eq!(told["replacement"], format!("rank 1={own} slot=1"));
    }
    let (found, _) = found(format!("rank 0={own} slot=0\nrank 1=127.0.0.1 slot=0\n"), "");
    assert!(codes(&found).contains(&"RF083") && codes(&found).contains(&"RF038"), "the core is shared too: {found:?}");
}

#[test]
fn explain_shows_this_machine_once() {
    let text = format!("rank 0={} slot=0\nrank 1=127.0.0.1 slot=0\nrank 2=localhost slot=0\n", own_name());
    let explained = rankfile(text.as_bytes(), "explain file").succeeded().stdout;
    assert!(explained.starts_with("file: 3 ranks on 1 host\n"), "{explained}");
    assert_eq!(explained.matches("\nhost ").count(), 1, "{explained}");
    assert!(explained.contains("error[RF038]"), "{explained}");
}

#[test]
fn an_ipv6_address_is_an_error_to_open_mpi_4() {
    let text = "rank 0=2001:db8::7 slot=0\nrank 1=2001:db8::8 slot=0\n";
    let (all, code) = found(text, "--dialect 4.1");
    assert_eq!((codes(&all), code), (vec!["RF039", "RF039"], Some(1)));
    assert!(all[0]["open_mpi_5"].as_str().unwrap().contains("not allocated"), "{all:?}");
}

#[test]
fn names_of_mdns_are_kept_with_a_word_on_what_cuts_them() {
    let (all, code) = found("rank 0=pi1.local slot=0\nrank 1=pi2.local slot=0\n", "");
    assert_eq!((codes(&all), code), (vec!["RF036", "RF036"], Some(0)));
    assert!(all[0]["message"].as_str().unwrap().contains("orte_keep_fqdn_hostnames 1"), "{all:?}");
    assert_eq!(all[0]["replacement"], Value::Null);
    let words = format!("write --topology pi1.local={}", topology("raspberry-pi.xml"));
    let written = rankfile(b"", &words).succeeded();
    assert!(written.stdout.contains("\nrank 0=pi1.local slot=0-3"), "{}", written.stdout);
    assert!(written.stderr.contains("note: pi1.local is a name of mDNS"), "{}", written.stderr);
    let note = written.stderr.lines().find(|line| line.starts_with("note: pi1.local")).unwrap();
    for (launcher, has_note) in [("openmpi4", true), ("openmpi5", false)] {
        let words = format!("command file --launcher {launcher}");
        let command = rankfile(b"rank 0=me@pi1.local slot=0\n", &words).succeeded();
        assert_eq!(command.stderr.lines().any(|line| line == note), has_note, "{command:?}");
        assert!(command.stdout.starts_with("mpiexec -n 1 "), "{command:?}");
    }
}

#[test]
fn users_are_written_and_told_to_those_launchers_that_take_hosts() {
    let xml = topology("raspberry-pi.xml");
    let words =
        format!("write --ranks-per-node 1 --launcher openmpi5 --topology pi@a={xml} --topology me@b.site.org={xml}");
    let written = rankfile(b"", &words).succeeded();
    assert!(written.stdout.contains("\nrank 0=pi@a slot=0-3 # cpu\nrank 1=me@b slot=0-3 # cpu\n"), "{written:?}");
    assert!(written.stderr.contains(" -H pi@a:1,me@b.site.org:1 "), "{written:?}");
    let text = "rank 0=a slot=0-1\nrank 1=pi@a slot=2\nrank 2=b slot=0\n";
    let (all, code) = found(text, &format!("--topology pi@a={xml} --topology b={xml}"));
    assert_eq!((codes(&all), code), (vec![], Some(0)));
    for (launcher, expected) in [("openmpi5", " -H pi@a:2,b:1 "), ("slurm", "srun -w a -N 1 ")] {
        let words = format!("command file --launcher {launcher} --topology pi@a={xml} --topology b={xml}");
        let command = rankfile(text.as_bytes(), &words).succeeded();
        assert!(command.stdout.contains(expected), "{command:?}");
    }
}

#[test]
fn hosts_that_are_not_described_are_no_error() {
    let options = format!("--topology a={}", topology("raspberry-pi.xml"));
    let (all, code) = found("rank 0=a slot=0\nrank 1=b slot=3\n", &options);
    assert_eq!((codes(&all), code, all[0]["severity"].as_str()), (vec!["RF086"], Some(0), Some("note")));
    assert!(all[0]["message"].as_str().unwrap().contains("--topology b=FILE.xml"), "{all:?}");
}

#[test]
fn no_launcher_is_told_to_read_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "rank 0=a slot=0\n").unwrap();
    for name in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let words = format!("rankfile command {name} --launcher openmpi4");
        let refused = Job::alone(folder.path(), &words).stdin("rank 0=a slot=0\n").run();
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
        assert!(refused.stderr.contains("save it as a file, as with `cat >my.rankfile`"), "{refused:?}");
    }
    let write = format!("write --launcher openmpi4 --topology a={}", topology("raspberry-pi.xml"));
    let refused = Job::alone(folder.path(), &format!("rankfile {write} -o -")).run();
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
    assert!(refused.stderr.contains("without -o the rankfile is printed"), "{refused:?}");
    assert!(!folder.path().join("-").exists());
    let piped = Job::alone(folder.path(), &format!("rankfile {write} -o /dev/stdout")).run().succeeded();
    assert!(piped.stdout.ends_with("rank 0=a slot=0-3 # cpu\n") && !piped.stdout.contains("/dev/stdout"), "{piped:?}");
    assert!(piped.stderr.contains(" -rf my.rankfile ") && piped.stderr.contains("after saving"), "{piped:?}");
    let named = Job::alone(folder.path(), &format!("rankfile {write} -o ./-")).run().succeeded();
    assert!(named.stdout.contains(" -rf ./- ") && folder.path().join("-").exists(), "{named:?}");
}

#[test]
fn letters_of_any_language_are_shown_as_they_are() {
    let checked = rankfile("rank 0=kn\u{f6}del slot=0\n".as_bytes(), "check file");
    assert!(checked.stdout.contains("'kn\u{f6}del' cannot be a host name"), "{checked:?}");
    assert!(checked.stdout.contains("\n1 | rank 0=kn\u{f6}del slot=0\n  |        ^^^^^^\n"), "{checked:?}");
}

#[test]
fn a_topology_of_more_text_than_libxml2_takes_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let small = fs::read_to_string(topology("raspberry-pi.xml")).unwrap();
    // Whatever machines have many of: here remarks about the first core. libxml2 looks at the length where little is left, so
    // that a short last line may hide it.
    let (head, tail) = small.split_at(small.find("<object type=\"Core\"").unwrap());
    let (core, tail) = tail.split_at(tail.find('\n').unwrap() + 1);
    let tail = tail.replace("</topology>", &format!("<support name=\"{}\" />\n</topology>", "x".repeat(600)));
    let remark = "    <info name=\"Remark\" value=\"0123456789\"/>\n";
    let mut written = Vec::new();
    for bytes in [0, 9_990_000, 10_000_000, 10_001_000, 20_000_000] {
        let missing = usize::saturating_sub(bytes, small.len() + 600);
        let remarks = remark.repeat(missing / remark.len());
        fs::write(folder.path().join("n.xml"), [head, core, &remarks, &tail].concat()).unwrap();
        let words = "rankfile write --launcher openmpi4 --topology a=n.xml";
        written.push(Job::alone(folder.path(), words).run().succeeded().stdout);
    }
    written.dedup();
    assert_eq!(written.len(), 1, "{written:?}");
}

#[test]
fn a_comment_in_another_encoding_is_a_note_and_the_rest_is_checked() {
    let (all, code) = found(b"# K\xfcche\nrank 0=node1 slot=0\nrank 1=node1 slot=C1\n", "-n 2");
    assert_eq!((codes(&all), code), (vec!["RF003", "RF041"], Some(1)));
    assert_eq!((all[0]["severity"].as_str(), all[1]["line"].as_u64()), (Some("note"), Some(3)));
    let (all, code) = found(b"# K\xfcche\nrank 0=node1 slot=0\n", "-n 1");
    assert_eq!((codes(&all), code), (vec!["RF003"], Some(0)));
}

#[test]
fn a_file_without_ranks_is_not_counted_and_one_of_another_kind_is_recognised() {
    let (all, _) = found("rank 0=node1, slot=0\n", "-n 1");
    assert_eq!(codes(&all), ["RF031"]);
    for (text, option) in [
        ("node1 slots=2\nnode2 slots=2\n", "--hostfile"),
        ("# ours\nnode1\nnode2\n", "--hostfile"),
        ("node1:2\nnode2:2\n", "MPICH, whose mpiexec takes it with -f"),
        ("hosta 0,1,2,3 0 1\nhosta 4,5,6,7 1 1\n", "LSB_AFFINITY_HOSTFILE"),
        ("cpu_index_using: logical\nrank: 0: { host: 1; cpu: {0-3} }\n", "--erf_input"),
    ] {
        let (all, code) = found(text, "-n 4");
        assert_eq!((codes(&all), code), (vec!["RF009"], Some(1)), "{text}");
        let message = all[0]["message"].as_str().unwrap();
        assert!(message.contains(option) && message.contains("rank N=HOST slot=CORES"), "{message}");
    }
}

#[test]
fn standard_input_is_read_for_a_dash() {
    let folder = tempfile::tempdir().unwrap();
    let check = |words: &str, text: &str| Job::alone(folder.path(), &format!("rankfile {words}")).stdin(text).run();
    let refused = check("check -", "rank 0=node1 slot=P1");
    assert!(refused.stdout.contains(" --> <stdin>:1:19\n"), "{refused:?}");
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(1), "error: <stdin>: 1 error\n"));
    let clean = check("check -", "rank 0=node1 slot=1");
    assert_eq!((clean.code, clean.stdout.as_str(), clean.stderr.as_str()), (Some(0), "", ""));
    assert!(check("explain -", "rank 0=node1 slot=1").stdout.starts_with("<stdin>: 1 rank on 1 host"));
}

#[test]
fn findings_for_programs_have_the_shape_that_is_promised() {
    let (all, code) = found("rank 0=node1 slot=0\nrank 1=node1 slot=P1 # K\u{fc}che\n", "");
    let expected = json!({
        "file": "file", "line": 2, "column": 19, "end": 21, "code": "RF040", "name": "package-prefix", "severity": "error",
        "message": "'P1' names a package to Open MPI 5 and later only: write package:core, as in 1:* or 1:0-3",
        "open_mpi_4_1": "binds core 0, without a word", "open_mpi_5": null, "open_mpi_6": null,
        "replacement": "rank 1=node1 slot=1:* # K\u{fc}che",
    });
    assert_eq!((all, code), (vec![expected], Some(1)));
    let clean = rankfile(b"rank 0=node1 slot=0\n", "check file --format json");
    assert_eq!((clean.code, clean.stdout.as_str(), clean.stderr.as_str()), (Some(0), "[]\n", ""));
    assert_eq!(found("rank 0=node1 slot=P1\n", "--dialect 5"), (vec![], Some(0)));
    let unread = rankfile(b"", "check missing --format json");
    assert_eq!((unread.code, unread.stdout.as_str(), unread.error_lines().len()), (Some(1), "", 1));
}
