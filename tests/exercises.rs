//! The exercises: every solution passes, every skeleton fails, and typical wrong solutions get the message that helps.
//!
//! A wrong solution is the right one with a change. All are compiled in a crate of their own, and checked as a learner's is.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[allow(dead_code, reason = "the examples' test uses the rest")]
mod guide;
mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    thread,
};

use support::{Finished, Job, Launcher, kind};

const NAMES: [&str; 10] =
    ["hello", "ping_pong", "ring", "any_source", "length", "exchange", "share", "squares", "totals", "halo"];

/// Programs that are broken, to be repaired.
const BROKEN: [&str; 5] = ["broken_ring", "broken_order", "broken_buffer", "broken_share", "broken_panic"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("exercises")
}

/// Where this project's programs are compiled.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Compiles what a manifest describes.
fn compile(manifest: &Path, words: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    // As this project's own: a dependency that is compiled alike has the same name in the cache.
    let profile = ["profile.dev.opt-level=1", "profile.dev.debug='line-tables-only'"];
    cargo.arg("build").args(profile.map(|setting| format!("--config={setting}"))).args(["--offline", "--quiet"]);
    cargo.args(words).arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The checker, beside whom the skeletons and the solutions are.
fn checker() -> &'static Path {
    static CHECKER: LazyLock<PathBuf> = LazyLock::new(|| {
        compile(&folder().join("Cargo.toml"), &["--bins", "--examples"]);
        target().join("debug/exercises")
    });
    &CHECKER
}

/// What the checker says of a program.
fn check(name: &str, program: &Path) -> Finished {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(checker());
    command.args([name, "--program"]).arg(program);
    Job::of(command, scratch.path()).env("CARGO", env!("CARGO")).run()
}

fn assert_wrong(name: &str, program: &Path, words: &[&str]) {
    let job = check(name, program);
    assert_eq!(job.code, Some(1), "{name}: {job:#?}");
    for word in words {
        assert!(job.stdout.contains(word), "{name}: not a word of '{word}' in\n{}", job.stdout);
    }
}

#[test]
fn every_solution_passes() {
    let beside = checker().parent().unwrap();
    let names: Vec<&str> = NAMES.into_iter().chain(BROKEN).collect();
    some_at_a_time(&names, |name| {
        let job = check(name, &beside.join(format!("examples/solution_{name}")));
        assert_eq!(job.code, Some(0), "{name}: {job:#?}");
        assert!(job.stdout.contains("4 ranks: right"), "{name}: {job:#?}");
    });
}

#[test]
fn every_skeleton_fails_at_what_is_to_be_done() {
    let beside = checker().parent().unwrap();
    for name in NAMES {
        let place = format!("there is still a todo!() at exercises/src/bin/{name}.rs:");
        assert_wrong(name, &beside.join(name), &[&place]);
    }
}

/// A container may lack the program `kill`; here one is found that does nothing.
#[test]
fn a_program_that_hangs_is_ended_without_a_program_to_end_it() {
    let scratch = tempfile::tempdir().unwrap();
    let kill = scratch.path().join("kill");
    fs::write(&kill, "#!/bin/sh\nexit 1\n").unwrap();
    assert!(Command::new("chmod").arg("755").arg(&kill).status().unwrap().success());
    let path = format!("{}:{}", scratch.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(checker());
    command.args(["broken_ring", "--program"]).arg(checker().with_file_name("broken_ring"));
    let job = Job::of(command, scratch.path()).env("PATH", &path).run();
    assert!(job.code == Some(1) && job.stdout.contains("it hangs"), "{job:#?}");
}

#[test]
fn an_exercise_that_is_not_there_is_answered_with_those_that_are() {
    let scratch = tempfile::tempdir().unwrap();
    for words in [&["rings"][..], &[]] {
        let mut command = Command::new(checker());
        command.args(words);
        let job = Job::of(command, scratch.path()).run();
        assert_eq!(job.code, Some(2), "{job:#?}");
        assert_eq!(job.error_lines().len(), 1, "{job:#?}");
        assert!(NAMES.iter().chain(&BROKEN).all(|name| job.stderr.contains(&format!("  {name}"))), "{job:#?}");
    }
}

/// A mistake: the exercise, what stands in the solution, what stands there instead, and what the learner must be told.
type Mistake = (&'static str, &'static str, &'static str, &'static [&'static str]);

const MISTAKES: [Mistake; 12] = [
    // Counts from 1.
    ("hello", "world.rank(), world.size()", "world.rank() + 1, world.size()", &["- rank 0 of 1", "+ rank 1 of 1"]),
    // The wrong partner.
    (
        "ping_pong",
        "let partner = world.process_at_rank(0);",
        "let partner = world.process_at_rank(1);",
        &["2 ranks: it hangs", "rank 1 waits in MPI_Recv for a message of rank 1", "A rank that waits for itself"],
    ),
    // An answer that nobody sends.
    (
        "ping_pong",
        "partner.send(&(number + 1));",
        "",
        &["rank 0 waits in MPI_Recv for a message of rank 1", "Rank 1 has ended without a message for rank 0"],
    ),
    // All receive first.
    (
        "ring",
        "if rank == 0 {",
        "if rank == size {",
        &[
            "2 ranks: it hangs",
            "They wait in a circle: rank 0 for rank 1, rank 1 for rank 0",
            "send before it receives",
        ],
    ),
    // Counts itself.
    (
        "any_source",
        "for _ in 1..size",
        "for _ in 0..size",
        &["1 rank: it hangs", "rank 0 waits in MPI_Recv for a message of any rank", "nobody is left to send"],
    ),
    // A buffer of a length that was guessed.
    (
        "length",
        "let (text, status) = world.any_process().receive_vec::<u8>();",
        "let mut text = vec![0_u8; 1500]; let status = world.any_process().receive_into(&mut text[..1500]);",
        &["2 ranks", "- rank 1 sent 1000 letters", "+ rank 1 sent 1500 letters"],
    ),
    (
        "length",
        "let (text, status) = world.any_process().receive_vec::<u8>();",
        "let mut text = vec![0_u8; 500]; let status = world.any_process().receive_into(&mut text[..]);",
        &["2 ranks: MPI ended it", "longer than the buffer"],
    ),
    // All send first.
    (
        "exchange",
        "p2p::send_receive_into(out, &right, &mut into[..], &left);",
        "right.send(out); left.receive_into(&mut into[..]);",
        &["1 rank: it hangs", "rank 0 waits in MPI_Send until rank 0 receives", "use send_receive_into"],
    ),
    // Only the root calls.
    (
        "share",
        "world.process_at_rank(0).broadcast_into(numbers);",
        "if world.rank() == 0 { world.process_at_rank(0).broadcast_into(numbers); }",
        &["2 ranks: it ends, with another result", "- rank 1 has [2, 3, 5, 7]", "+ rank 1 has [0, 0, 0, 0]"],
    ),
    // The root makes the others' call.
    (
        "squares",
        "root.gather_into_root(&squares[..], &mut all[..]);",
        "root.gather_into(&squares[..]);",
        &["1 rank: a rank panicked at rsmpi", "Root and others make different calls"],
    ),
    // Different collective calls.
    (
        "totals",
        "world.all_reduce_into(&number, &mut largest, SystemOperation::max());",
        "if world.rank() == 0 { world.barrier(); } world.all_reduce_into(&number, &mut largest, SystemOperation::max());",
        &["MPI_Allreduce and MPI_Barrier", "All ranks must make the same ones in the same order"],
    ),
    // A neighbor that is not there.
    (
        "halo",
        "if rank > 0 {",
        "if rank >= 0 {",
        &["1 rank: a rank panicked at rsmpi", "Ranks count from 0 to size - 1"],
    ),
];

/// The wrong solutions, compiled: a program for each mistake.
fn wrong_solutions(crate_folder: &Path) -> Vec<PathBuf> {
    let bin = crate_folder.join("src/bin");
    fs::create_dir_all(&bin).unwrap();
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let manifest =
        manifest.replace("name = \"exercises\"", "name = \"wrong\"").replace("default-run = \"exercises\"\n", "");
    fs::write(crate_folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(folder().with_file_name("Cargo.lock"), crate_folder.join("Cargo.lock")).unwrap();
    let names: Vec<String> = (0..MISTAKES.len()).map(|number| format!("wrong_{number}")).collect();
    for (name, (exercise, right, wrong, _)) in names.iter().zip(MISTAKES) {
        let solution = fs::read_to_string(folder().join(format!("examples/solution_{exercise}.rs"))).unwrap();
        assert_eq!(solution.matches(right).count(), 1, "{exercise}: {right}");
        fs::write(bin.join(format!("{name}.rs")), solution.replace(right, wrong)).unwrap();
    }
    compile(&crate_folder.join("Cargo.toml"), &["--bins"]);
    names.iter().map(|name| target().join("debug").join(name)).collect()
}

/// Programs that a chapter shows: what stands in the line that opens a block, and what the checker prints. The first line may be the
/// command.
fn shown(chapter: &str) -> Vec<(String, Vec<String>)> {
    let chapter = fs::read_to_string(folder().with_file_name("docs/guide/src").join(chapter)).unwrap();
    let blocks = chapter.split("```text checker=").skip(1).map(|rest| rest.split_once("\n```").unwrap().0.to_owned());
    blocks
        .map(|block| {
            let (info, lines) = block.split_once('\n').unwrap();
            let (commands, lines): (Vec<&str>, Vec<&str>) = lines.lines().partition(|line| line.starts_with("$ "));
            let right = format!("$ make exercise N={}", info.split(' ').next().unwrap());
            assert!(commands.iter().all(|command| *command == right), "{info}: {commands:?}");
            (info.to_owned(), lines.into_iter().map(str::to_owned).collect())
        })
        .collect()
}

/// Does it for all, some at a time: those that hang only wait.
fn some_at_a_time<T: Sync>(all: &[T], check: impl Fn(&T) + Sync) {
    for some in all.chunks(4) {
        thread::scope(|scope| {
            for one in some {
                scope.spawn(|| check(one));
            }
        });
    }
}

#[test]
fn typical_wrong_solutions_get_the_message_that_helps() {
    checker();
    let scratch = tempfile::tempdir().unwrap();
    let programs = wrong_solutions(scratch.path());
    let mistakes: Vec<_> = programs.iter().zip(MISTAKES).collect();
    some_at_a_time(&mistakes, |(program, (exercise, _, _, words))| assert_wrong(exercise, program, words));

    let shown = [shown("22-exercises.md"), shown("19-when-it-hangs.md"), shown("24-class.md")].concat();
    assert!(shown.len() > 15, "{shown:?}");
    // A chapter may show what another has shown.
    let shown: Vec<_> = shown.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    some_at_a_time(&shown, |(info, lines)| {
        let words: Vec<&str> = info.split(' ').collect();
        let program = match (words[1].strip_prefix("mistake="), words[1]) {
            (Some(number), _) => programs[number.parse::<usize>().unwrap()].clone(),
            (None, "solution") => checker().with_file_name(format!("examples/solution_{}", words[0])),
            (None, _) => checker().with_file_name(words[0]),
        };
        let code = words.last().unwrap().strip_prefix("exit=").unwrap().parse().unwrap();
        let job = check(words[0], &program);
        assert_eq!(job.code, Some(code), "{info}: {job:#?}");
        assert_eq!(guide::compare(lines, job.stdout.lines()), Ok(()), "{info}");
        assert!(guide::compare(&lines[1..], job.stdout.lines()).is_err(), "a line that is missing is found out");
    });
}

/// Whether `broken_ring` with three ranks and messages of so many bytes comes to its end in `seconds`.
fn ring_ends(bytes: u32, seconds: u32) -> bool {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new("timeout");
    command.args(["-k", "5", &seconds.to_string()]).args(support::launcher()).args(["-n", "3"]);
    command.arg(checker().with_file_name("broken_ring")).arg(bytes.to_string());
    let job = Job::of(command, scratch.path()).run();
    assert!(matches!(job.code, Some(0 | 124)), "{job:#?}");
    job.code == Some(0)
}

/// Two lengths near each other, between one that passes and one that hangs: the first of them passes, the second hangs.
fn border(mut short: u32, mut long: u32, hangs: impl Fn(u32) -> bool) -> (u32, u32) {
    const NEAR: u32 = 64;
    while long - short > NEAR {
        let middle = short + (long - short) / 2;
        if hangs(middle) { long = middle } else { short = middle }
    }
    (short, long)
}

/// Where the border is, is each MPI's own affair: it is looked for. On a machine that is busy a job that passes may take longer than the
/// search allows it, so what was found is tried once more at leisure, and looked for anew with more time if it is not so.
#[test]
fn a_ring_in_which_everyone_sends_first_passes_with_short_messages_and_hangs_with_long_ones() {
    let found = [5, 20, 60].into_iter().find_map(|seconds| {
        let (short, long) = border(8, 1 << 20, |bytes| !ring_ends(bytes, seconds));
        (ring_ends(short, 120) && !ring_ends(long, 20)).then_some((short, long))
    });
    let (short, long) = found.expect("short messages arrive, and long ones hang");
    println!("result: with this MPI {short} bytes arrive and {long} hang");
    if kind() == Some(Launcher::OpenMpi4) {
        assert!(
            short < 4096 && long > 4000,
            "the chapter says that 4 000 bytes arrive and 4 096 hang: {short}, {long}"
        );
    }
}

#[test]
fn a_border_is_found_wherever_it_is() {
    for at in [9, 100, 4096, 65_537, 1 << 20] {
        let (short, long) = border(8, 1 << 20, |bytes| bytes >= at);
        assert!(short < at && at <= long && long - short <= 64, "{at}: {short}, {long}");
    }
}

#[test]
fn a_receive_that_is_too_short_ends_the_job_with_the_words_of_the_chapter() {
    assert_wrong(
        "broken_buffer",
        &checker().with_file_name("broken_buffer"),
        &["2 ranks: MPI ended it", "longer than"],
    );
}
