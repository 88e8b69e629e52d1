//! Ranks that were told different things: one line, and an end.

use crate::support::{HYBRID, Job, Launcher, kind, not_run, topology};

#[test]
fn ranks_that_are_to_do_different_things_end_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = format!("rankfile write --topology a={}", topology("laptop.xml"));
    for words in ["--help", "--version", "rankfile check none.rankfile", write.as_str(), "rankfile --help", "--bogus"] {
        for is_first in [true, false] {
            let job = ["julia", "--scale", "1", ":", "-n", "1"];
            let other: Vec<&str> = words.split_whitespace().chain([":", "-n", "1"]).collect();
            let (before, after) = if is_first { (&other[..], "julia --scale 1") } else { (&job[..], words) };
            let options = [&["-n", "1", HYBRID], before].concat();
            let job = Job::launched(folder.path(), &options, &[HYBRID], after).run();
            // Open MPI 5.0.7 itself dies of some options of a program that is not the first, before it starts anything.
            if kind() == Some(Launcher::OpenMpi5) && job.code.is_none() && job.stderr.is_empty() {
                not_run(&format!("{words}: the launcher dies of it"));
                continue;
            }
            assert_eq!((job.code, job.error_lines().len()), (Some(2), 1), "{words}: {job:#?}");
            let expected = if words == "--bogus" { "--bogus" } else { "give every rank the same options" };
            assert!(job.stderr.contains(expected), "{words}: {job:#?}");
            assert_eq!(job.stdout, "", "{words}");
        }
    }
    assert!(!folder.path().join("julia.png").exists());
}

#[test]
fn ranks_that_are_all_asked_the_same_answer_once() {
    let folder = tempfile::tempdir().unwrap();
    let version = Job::mpiexec(folder.path(), 3, "--version").run().succeeded();
    let lines: Vec<&str> = version.stdout.lines().collect();
    assert_eq!(lines[0], concat!("hybrid ", env!("CARGO_PKG_VERSION")));
    for (line, what) in lines[1..].iter().zip(["sources     ", "wire format "]) {
        let digits = line.strip_prefix(what).unwrap_or_default();
        assert!(digits.len() == 16 && u64::from_str_radix(digits, 16).is_ok(), "{version:#?}");
    }
    assert_eq!(lines.len(), 3, "{version:#?}");
    std::fs::write(folder.path().join("bad.rankfile"), "rank 0=a slot=p1\n").unwrap();
    let check = Job::mpiexec(folder.path(), 2, "rankfile check bad.rankfile").run();
    assert_eq!((check.code, check.error_lines().len()), (Some(1), 1), "{check:#?}");
}
