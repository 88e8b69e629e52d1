//! The cookbook: every program in `examples/` runs for any number of ranks, prints what the guide says it prints, and
//! refuses what it cannot do with a message instead of a hang.
//!
//! `HYBRID_MPIEXEC` names another launcher, for programs that were built with its MPI: `make test-mpich` does that.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod guide;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use guide::{Block, anchors, blocks, blocks_of, compare, links};
use support::{Finished, HYBRID, Job, Launcher, not_run};

/// A page, with its head of comments.
const LONGEST_FILE_LINES: usize = 115;
/// A job that is aborted takes a second or three, the launcher's time to see to it that all ranks have ended.
const QUICKLY: Duration = Duration::from_secs(30);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn chapters() -> PathBuf {
    root().join("docs/guide/src")
}

/// Whether the MPI at hand cannot run an example, which is said.
fn is_excepted(example: &str) -> bool {
    static CANNOT_SPAWN: LazyLock<bool> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(HYBRID).with_file_name("examples").join("spawn");
        let job = Job::launched(folder.path(), &["-n", "1"], &[program.to_str().unwrap()], "--workers 1").run();
        if job.cannot_spawn() {
            not_run("the example `spawn`: this MPI cannot start further ranks, in C as well");
        }
        job.cannot_spawn()
    });
    example == "spawn" && *CANNOT_SPAWN
}

/// What the guide promises.
fn promises() -> Vec<Block> {
    blocks(&chapters()).into_iter().filter(|block| !is_excepted(&block.example)).collect()
}

/// Where programs are: those on MPI alone, and those on this project's library.
const FOLDERS: [&str; 2] = ["examples", "examples/library"];

/// The programs in `examples/`, those of one file and those of a folder: the name of each, and the file with its `main`.
fn programs() -> BTreeMap<String, PathBuf> {
    let folders = FOLDERS.into_iter().map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let paths = folders.flatten().map(|entry| entry.unwrap().path());
    let mains =
        paths.map(|path| if path.is_dir() { (path.clone(), path.join("main.rs")) } else { (path.clone(), path) });
    let mains = mains.filter(|(_, main)| main.extension().is_some_and(|extension| extension == "rs") && main.exists());
    let named = mains.map(|(path, main)| (path.file_stem().unwrap().to_string_lossy().into_owned(), main));
    named.filter(|(name, _)| !is_excepted(name)).collect()
}

/// Names of the programs in `examples/`.
fn examples() -> BTreeSet<String> {
    programs().into_keys().collect()
}

fn source(example: &str) -> String {
    fs::read_to_string(&programs()[example]).unwrap()
}

/// Whether any file of an example reads options.
fn has_options(example: &str) -> bool {
    let main = &programs()[example];
    let files = if main.ends_with("main.rs") {
        fs::read_dir(main.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect()
    } else {
        vec![main.clone()]
    };
    files.iter().any(|file| fs::read_to_string(file).unwrap().contains("clap::Parser"))
}

/// Runs an example as `block` says, but with `ranks` ranks.
fn run(block: &Block, ranks: usize) -> Finished {
    let program = Path::new(HYBRID).with_file_name("examples").join(&block.example);
    assert!(program.exists(), "{} is missing: run `cargo build --examples`", program.display());
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &block.files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let program = program.to_str().unwrap();
    let mut job = Job::launched(folder.path(), &["-n", &ranks.to_string()], &[program], &block.args);
    for (name, value) in &block.env {
        job = job.env(name, value);
    }
    job.stdin(&block.stdin).run()
}

/// Whether a finished job is what the block promises.
fn judge(block: &Block, job: &Finished) -> Result<(), String> {
    if job.code != Some(block.exit) {
        return Err(format!("{}: {} ends with {:?}\n{job:#?}", block.place, block.example, job.code));
    }
    let compared = match block.exit {
        0 => compare(&block.lines, job.stdout.lines()),
        _ => compare(&block.lines, job.error_lines().into_iter()),
    };
    compared.map_err(|lines| format!("{}: {} prints something else:\n{lines}", block.place, block.example))
}

/// A job that its example refuses: the user's fault, told once, on one line.
fn assert_refused(job: &Finished, what: &str) {
    assert_eq!(job.code, Some(2), "{what}: {job:#?}");
    assert_eq!(job.error_lines().len(), 1, "{what}: {job:#?}");
}

#[test]
fn every_example_prints_what_the_guide_says() {
    let wrong: Vec<String> = promises()
        .iter()
        .filter_map(|block| {
            assert!(examples().contains(&block.example), "{}: no example {}", block.place, block.example);
            judge(block, &run(block, block.ranks)).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_example_is_in_the_guide() {
    let shown: BTreeSet<String> =
        promises().into_iter().filter(|block| block.exit == 0).map(|block| block.example).collect();
    assert_eq!(examples(), shown);
}

/// Examples that replace nothing, by the third column of the table in `chapter`.
fn without_a_row(chapter: &str) -> Vec<String> {
    let replacements: Vec<&str> = chapter.lines().filter_map(|row| row.split('|').nth(3)).collect();
    let is_there = |name: &String| replacements.iter().any(|cell| cell.contains(&format!("`{name}`")));
    examples().into_iter().filter(|name| !is_there(name)).collect()
}

#[test]
fn every_example_has_its_row_in_the_table_of_programs() {
    let chapter = fs::read_to_string(chapters().join("17-programs.md")).unwrap();
    assert_eq!(without_a_row(&chapter), [""; 0]);
    assert_eq!(without_a_row(&chapter.replace("`k_means`", "`means`")), ["k_means"]);
}

#[test]
fn every_example_runs_with_1_to_4_ranks_or_says_how_many_it_needs() {
    let promises = promises();
    for example in examples() {
        let block = promises.iter().find(|block| block.example == example && block.exit == 0);
        let block = block.unwrap_or_else(|| panic!("{example} is not in the guide"));
        for ranks in 1..=4 {
            let job = run(block, ranks);
            if job.code != Some(0) {
                assert_refused(&job, &format!("{example} with {ranks} ranks"));
                let advice = job.error_lines()[0];
                assert!(advice.contains("mpiexec -n") && advice.contains(&format!(" {ranks}")), "{example}: {advice}");
            }
        }
    }
}

#[test]
fn every_example_with_options_refuses_one_that_it_does_not_know() {
    let mut tried = 0;
    for example in examples().into_iter().filter(|example| has_options(example)) {
        let block = Block { example: example.clone(), args: "--no-such-option".to_owned(), ..Block::default() };
        for ranks in [2, 3] {
            assert_refused(&run(&block, ranks), &example);
        }
        let help = run(&Block { args: "--help".to_owned(), ..block }, 2).succeeded();
        assert_eq!(help.stdout.matches("Usage:").count(), 1, "{help:#?}");
        // A launcher may give its ranks a terminal, whose colors are none in a file.
        assert!(!help.stdout.contains('\u{1b}'), "{help:#?}");
        tried += 1;
    }
    assert!(tried > 0, "no example has options");
}

#[test]
fn every_example_says_what_it_teaches_and_how_to_run_it() {
    for example in examples() {
        let source = source(&example);
        let head: String = source.lines().take_while(|line| line.starts_with("//!")).collect();
        for word in ["Teaches: ", "Replaces: ", &format!("target/release/examples/{example}")] {
            assert!(head.contains(word), "{example}: its first lines lack '{word}'");
        }
    }
}

/// What is wrong with the links of a guide in `folder`: targets that are not there, and files that nothing links to.
fn broken_links(folder: &Path) -> Vec<String> {
    let links = links(folder);
    let (mut broken, mut linked) = (Vec::new(), BTreeSet::new());
    for (chapter, target) in &links {
        let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(file, name)| (file, Some(name)));
        let path = folder.join(if file.is_empty() { chapter } else { file });
        let is_there = |name: &str| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            anchors(&text).iter().any(|anchor| anchor == name)
        };
        if !path.exists() || anchor.is_some_and(|name| !is_there(name)) {
            broken.push(format!("{chapter} lacks {target}"));
        }
        if !file.is_empty() {
            linked.insert(path);
        }
    }
    for folder in [folder.to_owned(), folder.join("pictures")] {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let lost = files.filter(|path| path.is_file() && !linked.contains(path) && !path.ends_with("SUMMARY.md"));
        broken.extend(lost.map(|path| format!("nothing links to {}", path.display())));
    }
    broken
}

#[test]
fn every_link_and_picture_of_the_guide_is_there() {
    let broken = broken_links(&chapters());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_link_and_a_lost_picture_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pictures")).unwrap();
    fs::write(folder.path().join("SUMMARY.md"), "- [One](1.md)\n").unwrap();
    fs::write(
        folder.path().join("1.md"),
        "[two](2.md) [three](https://example.org/3.md) [four](#four) [a](1.md#a-b)\n# A, `b`\n",
    )
    .unwrap();
    fs::write(folder.path().join("pictures/lost.svg"), "<svg/>").unwrap();
    let broken = broken_links(folder.path());
    assert_eq!(broken[..2], ["1.md lacks 2.md", "1.md lacks #four"]);
    assert!(broken.len() == 3 && broken[2].ends_with("lost.svg"), "{broken:?}");
}

/// No example is longer than what fits on a page or two, file by file.
#[test]
fn every_file_of_an_example_is_short_enough_to_be_read() {
    let folders = FOLDERS.map(|folder| root().join(folder)).into_iter().chain(
        programs().into_values().filter(|main| main.ends_with("main.rs")).map(|main| main.parent().unwrap().to_owned()),
    );
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let lengths: Vec<(usize, PathBuf)> = files
        .filter(|path| path.is_file())
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .collect();
    assert!(lengths.len() > programs().len(), "{lengths:?}");
    let long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > LONGEST_FILE_LINES).collect();
    assert!(long.is_empty(), "{long:?}");
}

/// Examples that send nothing.
const WITHOUT_MESSAGES: [&str; 1] = ["hello"];
/// Examples whose first messages are the library's, which notices by itself; and a message that is the example's own.
const LATE: [(&str, u32); 1] = [("training", 200)];

/// On a network that changes numbers on their way, every example must fail, and none may wait for ever. Two ranks: a length
/// that was changed makes a collective call of more ranks one that MPI itself may never return from.
#[test]
fn every_example_notices_a_wrong_number() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("corrupt.so");
    let mut compiler = Command::new(std::env::var("MPICC").unwrap_or_else(|_| "mpicc".to_owned()));
    compiler.args(["-shared", "-fPIC", "-O", "-o"]).arg(&library).arg(root().join("tests/guide/corrupt.c"));
    assert!(compiler.status().expect("mpicc, which building takes too").success());

    let promises = promises();
    for example in examples().into_iter().filter(|example| !WITHOUT_MESSAGES.contains(&example.as_str())) {
        let mut block = promises.iter().find(|block| block.example == example && block.exit == 0).unwrap().clone();
        // In the launcher's environment too: it is the launcher that starts the workers of a spawn.
        block.env.push(("LD_PRELOAD".to_owned(), library.to_str().unwrap().to_owned()));
        run(&block, 2).succeeded();
        let late = LATE.iter().filter(|(name, _)| *name == example).map(|(_, message)| *message);
        for first in iter::once(1).chain(late) {
            let mut block = block.clone();
            block.env.push(("HYBRID_CORRUPT".to_owned(), first.to_string()));
            let job = run(&block, 2);
            // The launcher of Open MPI 5 and later ends by the signal that ended its ranks; 4.1 turns it into a number.
            let by_signal =
                job.code.is_none() && !matches!(support::kind(), Some(Launcher::OpenMpi5 | Launcher::OpenMpi6));
            let noticed = !by_signal && !matches!(job.code, Some(0 | 2));
            assert!(noticed, "{example} has not noticed message {first}: {job:#?}");
            assert!(job.elapsed < QUICKLY, "{example} took its time to end: {job:#?}");
        }
    }
}

/// A promise that was changed by one character, line or code is found broken.
#[test]
fn a_wrong_promise_is_found_out() {
    let chapter = "```text example=broadcast_buffers n=2\n\
        before broadcasting, data for rank 0 is: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n\
        before broadcasting, data for rank 1 is: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n\
        after broadcasting, data for rank 1 is: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n\
        after broadcasting, data for rank 0 is: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n```\n";
    let right = blocks_of("sample.md", chapter).remove(0);
    let job = run(&right, 2);
    assert_eq!(judge(&right, &job), Ok(()));

    let changed = blocks_of("sample.md", &chapter.replace("rank 1 is: [0, 1, 2", "rank 1 is: [0, 1, 3")).remove(0);
    let lacking = Block { lines: right.lines[1..].to_vec(), ..right.clone() };
    let twice = Block { lines: [&right.lines[..], &right.lines[..1]].concat(), ..right.clone() };
    let failing = Block { exit: 2, ..right.clone() };
    for wrong in [changed, lacking, twice, failing] {
        assert!(judge(&wrong, &job).is_err(), "{wrong:?}");
    }
    assert!(judge(&right, &run(&right, 3)).is_err(), "a rank too many");
}

#[test]
fn samples_stand_for_their_kind_and_nothing_else() {
    let one = |pattern: &str, line: &str| compare(&[pattern.to_owned()], [line].into_iter()).is_ok();
    assert!(one("time ⟨0.42⟩ us", "time 17 us") && one("time ⟨0.42⟩ us", "time -1.5e3 us"));
    assert!(!one("time ⟨0.42⟩ us", "time long us") && !one("time ⟨0.42⟩ us", "time 17 ms"));
    assert!(!one("time ⟨0.42⟩ us", "time  us") && !one("time 0.42 us", "time 17 us"));
    assert!(one("on ⟨node7⟩, core ⟨0⟩", "on pi, core 3") && !one("on ⟨node7⟩, core ⟨0⟩", "on pi, core x"));
    // The first pattern fits both lines, and must leave the second line to the second pattern.
    let patterns = ["rank ⟨1⟩".to_owned(), "rank 2".to_owned()];
    assert_eq!(compare(&patterns, ["rank 2", "rank 7"].into_iter()), Ok(()));
    assert!(compare(&patterns, ["rank 3", "rank 7"].into_iter()).is_err());
}

#[test]
#[should_panic(expected = "the command and the tags differ")]
fn a_command_that_is_not_the_one_that_was_run_is_found_out() {
    blocks_of("sample.md", "```text example=hello n=4\n$ mpiexec -n 2 target/release/examples/hello\n```\n");
}

#[test]
#[should_panic(expected = "unknown tag")]
fn a_misspelled_tag_is_found_out() {
    blocks_of("sample.md", "```text example=hello ranks=4\n```\n");
}
