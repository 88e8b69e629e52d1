//! Rankfiles made by chance, clean and broken, through `check` and the launchers: no file that a launcher refuses or
//! misplaces is called clean, and no file that it places as asked is refused.
//!
//! The sequence is fixed: a failure comes again. `.ci/long` runs the ignored tests, of two hundred files and of the corpus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use hybrid::inside::launcher::Dialect;
use hybrid::inside::rankfile::{NodeShape, Reading, parse, resolve};
use hybrid::inside::topology::SlotUnit;

use super::launcher::{Outcome, Run, here};
use super::{NODE, PACKAGES, hostname};

/// A sequence of numbers that looks like chance: a linear congruential generator, its upper bits.
struct Chance(u64);

impl Chance {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % limit
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Cores, of 2 packages of 4, in one of the ways that both versions read alike.
fn slots(chance: &mut Chance, cores: &[u32]) -> String {
    let list = |cores: &[u32]| cores.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    if chance.below(2) == 0 {
        let (first, last) = (cores[0], cores[cores.len() - 1]);
        let is_range = usize::try_from(last - first).is_ok_and(|length| length + 1 == cores.len());
        return if is_range && chance.below(2) == 0 { format!("{first}-{last}") } else { list(cores) };
    }
    let whole = |package: u32| (4 * package..4 * package + 4).all(|core| cores.contains(&core));
    let mut parts = Vec::new();
    for package in 0..2 {
        if whole(package) {
            parts.push(match chance.below(3) {
                0 => format!("S{package}"),
                1 => format!("{package}:*"),
                _ => format!("{package}:0-3"),
            });
        } else {
            let own = cores.iter().filter(|core| **core / 4 == package);
            parts.extend(own.map(|core| format!("{package}:{}", core % 4)));
        }
    }
    parts.join(";")
}

/// A file without a fault, and its ranks.
fn clean(chance: &mut Chance) -> (String, u32) {
    let ranks = 1 + chance.below(5);
    let mut cores: Vec<u32> = (0..8).collect();
    let own = hostname();
    let host = chance.one_of(&[&own, &own, &own, "localhost"]);
    let mut order: Vec<usize> = (0..ranks).collect();
    if ranks > 2 && chance.below(3) == 0 {
        order.swap(1, ranks - 1);
    }
    let mut text = String::new();
    for (done, rank) in order.into_iter().enumerate() {
        let spare = cores.len() - (ranks - done - 1);
        let mut mine: Vec<u32> =
            (0..1 + chance.below(spare.min(3))).map(|_| cores.remove(chance.below(cores.len()))).collect();
        mine.sort_unstable();
        let slots = slots(chance, &mine);
        let blank = chance.one_of(&[" ", "  ", "\t"]);
        let equals = chance.one_of(&["=", "=", " = "]);
        let word = chance.one_of(&["slot", "slot", "slots"]);
        let end = chance.one_of(&["", "", " # cpu", " // near the door", " /* x */", "#gpu", "\t"]);
        writeln!(text, "rank{blank}{rank}{equals}{host} {word}={slots}{end}").expect("a string takes all");
        text += chance.one_of(&["", "", "", "\n", "# K\u{fc}che\n", "/* a\n b */\n"]);
    }
    (text, u32::try_from(ranks).expect("five at most"))
}

/// What typing, copying and editors put into a file.
const SLIPS: &[&str] = &[
    "0",
    "1",
    "9",
    "=",
    ":",
    ";",
    ",",
    "-",
    "*",
    "#",
    "/",
    "@",
    "+",
    ".",
    "S",
    "P",
    "c",
    "p",
    " ",
    "\t",
    "\n",
    "\"",
    "_",
    "x",
    "(",
    "|",
    "rank ",
    "RANK",
    "slot=",
    "slots",
    "/*",
    "*/",
    "//",
    "\r\n",
    "\r",
    "\u{a0}",
    "\u{200b}",
    "\u{2013}",
    "\u{430}",
    "\u{fc}",
    "\u{feff}",
    "0x",
    "+n0",
    "localhost",
    "127.0.0.1",
    "node.a",
    "4294967296",
    "node1 slots=2\n",
];

/// The text with one to three slips in it.
fn broken(chance: &mut Chance, text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + chance.below(6) / 3 {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let Some(&at) = places.get(chance.below(places.len().max(1))) else { return text };
        let end = places.iter().copied().find(|&next| next > at).unwrap_or(text.len());
        let mut lines: Vec<&str> = text.split('\n').collect();
        let (one, other) = (chance.below(lines.len()), chance.below(lines.len()));
        match chance.below(7) {
            0 => text.replace_range(at..end, ""),
            1 | 2 => text.insert_str(at, chance.one_of(SLIPS)),
            3 => text.replace_range(at..end, chance.one_of(SLIPS)),
            4 => {
                lines.insert(other, lines[one]);
                text = lines.join("\n");
            }
            5 => {
                lines.remove(one);
                text = lines.join("\n");
            }
            _ => {
                lines.swap(one, other);
                text = lines.join("\n");
            }
        }
    }
    text
}

/// What `check` says of a file to one launcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Clean,
    Warned,
    Refused,
}

/// What a launcher does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    AsAsked,
    Misplaced,
    NotStarted,
}

/// A line that is none of a rank: the launchers step over some words, or take them for a host that happens to be this one.
const STEPPED_OVER: &str = "RF010";

fn checked(folder: &Path, text: &[u8], ranks: u32, dialect: Dialect) -> (Verdict, String) {
    fs::write(folder.join("file"), text).expect("a folder of our own");
    let output = Command::new(env!("CARGO_BIN_EXE_hybrid"))
        .args([
            "rankfile",
            "check",
            "file",
            "--format",
            "json",
            "--dialect",
            dialect.short_version(),
            "-n",
            &ranks.to_string(),
        ])
        .arg("--topology")
        .arg(format!("{}={}/tests/rankfile_launchers/two-packages.xml", hostname(), env!("CARGO_MANIFEST_DIR")))
        .current_dir(folder)
        .envs([("HWLOC_SYNTHETIC", NODE), ("HWLOC_THISSYSTEM", "1")])
        .stdin(Stdio::null())
        .output()
        .expect("hybrid starts");
    let said = String::from_utf8(output.stdout).expect("JSON is text");
    let findings: Vec<serde_json::Value> =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    // What concerns the device alone is nothing to a launcher.
    let severity = |finding: &serde_json::Value| match finding["severity"].as_str() {
        _ if finding[dialect.key()].is_null() => Verdict::Clean,
        Some("error") => Verdict::Refused,
        Some("warning") => Verdict::Warned,
        _ => Verdict::Clean,
    };
    (findings.iter().map(severity).max().unwrap_or(Verdict::Clean), said)
}

/// The cores that the author of a file means, rank by rank.
fn asked(text: &[u8]) -> BTreeMap<u32, Vec<u32>> {
    let entries = parse(text).rankfile.entries;
    entries
        .iter()
        .filter_map(|e| Some((e.rank, resolve(&e.slots, Reading::Meant, &NodeShape::of_cores(&PACKAGES)).ok()?)))
        .collect()
}

fn deed(outcome: &Outcome, asked: &BTreeMap<u32, Vec<u32>>, ranks: u32) -> Deed {
    let mapped = outcome.mapped();
    let started = outcome.accepted() && u32::try_from(outcome.seen().len()) == Ok(ranks);
    // A rank with all cores is shown as bound to none.
    let is_right = |(rank, cores): (&u32, &Vec<u32>)| {
        asked.get(rank).is_some_and(|wanted| wanted == cores || (wanted.len() == 8 && cores.is_empty()))
    };
    match (started, mapped.len() == usize::try_from(ranks).expect("a few") && mapped.iter().all(is_right)) {
        (false, _) => Deed::NotStarted,
        (true, false) => Deed::Misplaced,
        (true, true) => Deed::AsAsked,
    }
}

/// Compares what is said with what is done; the texts of those that differ.
fn compare(files: &[(Vec<u8>, u32)]) -> (BTreeMap<String, usize>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut counts, mut differences) = (BTreeMap::new(), Vec::new());
    for (text, ranks) in files {
        let asked = asked(text);
        for dialect in here() {
            let (verdict, said) = checked(folder.path(), text, *ranks, dialect);
            let run = Run { dialect, text, node: Some(NODE), ranks: Some(*ranks), unit: SlotUnit::Core, extra: &[] };
            let outcome = run.start();
            let deed = deed(&outcome, &asked, *ranks);
            *counts.entry(format!("{dialect:?}: {verdict:?}, {deed:?}")).or_default() += 1;
            let contradicts = match verdict {
                Verdict::Clean => deed != Deed::AsAsked,
                Verdict::Warned => false,
                // A rank with all cores and an unbound one look alike.
                Verdict::Refused => {
                    let is_plain = asked.values().all(|cores| cores.len() < 8);
                    deed == Deed::AsAsked && is_plain && !said.contains(STEPPED_OVER)
                }
            };
            if contradicts {
                let shown = String::from_utf8_lossy(text);
                differences
                    .push(format!("{shown:?} -n {ranks}, {dialect:?}: {verdict:?} but {deed:?}\n{said}{outcome:?}"));
            }
        }
    }
    (counts, differences)
}

/// Files made by chance, every fourth without a fault.
fn made(count: usize) -> Vec<(Vec<u8>, u32)> {
    let mut chance = Chance(20_260_727);
    (0..count)
        .map(|number| {
            let (text, ranks) = clean(&mut chance);
            let text = if number % 4 == 0 { text } else { broken(&mut chance, &text) };
            (text.into_bytes(), ranks)
        })
        .collect()
}

/// The files that the fuzzer keeps, each with slips in it, for this machine.
fn mutants() -> Vec<(Vec<u8>, u32)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/rankfile");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut chance = Chance(20_260_728);
    let texts = paths.iter().filter_map(|path| fs::read_to_string(path).ok()).filter(|text| text.len() < 2000);
    texts
        .map(|text| {
            let text = broken(&mut chance, &text.replace("vm", &hostname()));
            let lines = text.lines().filter(|line| line.trim_start().starts_with("rank")).count();
            (text.into_bytes(), u32::try_from(lines.clamp(1, 8)).expect("eight at most"))
        })
        .collect()
}

/// Judged as the launchers take them, all of these files.
fn assert_agreement(files: &[(Vec<u8>, u32)]) {
    let (counts, differences) = compare(files);
    println!("{} files: {counts:#?}", files.len());
    assert!(differences.is_empty(), "{} of {} files:\n{}", differences.len(), files.len(), differences.join("\n\n"));
    // A comparison in which all files are alike would show nothing.
    let has = |part: &str| counts.keys().any(|key| key.contains(part));
    assert!(here().next().is_none() || (has("Clean, AsAsked") && has("Refused, NotStarted")), "{counts:?}");
}

#[test]
fn files_made_by_chance_are_judged_as_the_launchers_take_them() {
    assert_agreement(&made(24));
}

#[test]
#[ignore = "a minute of launchers; part of .ci/long"]
fn two_hundred_files_made_by_chance_are_judged_as_the_launchers_take_them() {
    assert_agreement(&made(200));
}

#[test]
#[ignore = "two minutes of launchers; part of .ci/long"]
fn mutants_of_the_corpus_are_judged_as_the_launchers_take_them() {
    assert_agreement(&mutants());
}
