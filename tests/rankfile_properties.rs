//! Properties of the rankfile library over generated input: what is written is read again the same,
//! no input panics, and time grows with the input and not faster.

use std::collections::BTreeMap;
use std::time::Duration;

use hybrid::inside::launcher::Dialect;
use hybrid::inside::rankfile::{
    MAX_BYTES, NodeShape, RankLine, Reading, lint, lint_against, parse, render, resolve, write,
};
use hybrid::inside::request::DeviceRequest;
use hybrid::inside::topology::SlotUnit;
use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};

const PACKAGES: [u32; 2] = [8, 8];

fn device() -> impl Strategy<Value = Option<DeviceRequest>> {
    prop_oneof![
        Just(None),
        Just(Some(DeviceRequest::Cpu)),
        Just(Some(DeviceRequest::Gpu)),
        (0_u32..0x10000, 0_u8.., 0_u8..32, 0_u8..8).prop_map(|(domain, bus, device, function)| {
            let id = format!("{domain:04x}:{bus:02x}:{device:02x}.{function}");
            Some(DeviceRequest::ThisGpu(id.parse().expect("made as a bus id is")))
        }),
    ]
}

fn lines() -> impl Strategy<Value = Vec<RankLine>> {
    let cores = prop::collection::btree_set(0_u32..16, 1..12);
    prop::collection::vec(("[a-z][a-z0-9]{0,7}", cores, device()), 1..20).prop_map(|ranks| {
        let line = |(rank, (host, cores, device))| RankLine { rank, host, cores: Vec::from_iter(cores), device };
        (0..).zip(ranks).map(line).collect()
    })
}

/// Lines that are nearly right: the parts of a rankfile in any order and number.
fn nearly_a_rankfile() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("rank "),
        Just("rank"),
        Just("RANK "),
        Just("0"),
        Just("1"),
        Just("4294967297"),
        Just("-1"),
        Just("="),
        Just(" "),
        Just("\t"),
        Just("node"),
        Just("a.b"),
        Just("+n0"),
        Just("me@"),
        Just("\""),
        Just(" slot="),
        Just("slots="),
        Just("P"),
        Just("S"),
        Just("c"),
        Just("*"),
        Just(","),
        Just(";"),
        Just(":"),
        Just("-"),
        Just("0x3"),
        Just("99999999999999999999"),
        Just(" # gpu"),
        Just(" # gpu="),
        Just("0000:65:00.0"),
        Just("//"),
        Just("/*"),
        Just("*/"),
        Just("\r\n"),
        Just("\n"),
        Just("\u{feff}"),
        Just("\u{e9}"),
        Just("rank 0=a slot=0\n"),
        Just("rank 1=b slot=1:0-2\n"),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

/// Everything the library does with a text, for the panics in it.
fn exercise(bytes: &[u8]) {
    let parsed = parse(bytes);
    let shape = NodeShape::new(&PACKAGES, &[2; 16], SlotUnit::Core);
    let nodes: BTreeMap<String, NodeShape> =
        parsed.rankfile.entries.iter().map(|entry| (entry.host.clone(), shape.clone())).collect();
    for diagnostic in parsed.diagnostics.iter().chain(&lint_against(&parsed.rankfile, &nodes)) {
        assert!(!render(diagnostic, bytes, "FILE").contains(|c: char| c.is_control() && c != '\n'));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_written_is_clean_and_read_again_the_same(lines in lines(), header in prop::collection::vec("\\PC{0,30}", 0..3)) {
        let text = write(&header, &lines).expect("short hosts and few cores fit");
        prop_assert_eq!(lint(text.as_bytes(), &Dialect::ALL), []);
        let read = parse(text.as_bytes()).rankfile;
        prop_assert_eq!(read.entries.len(), lines.len());
        for (entry, line) in read.entries.iter().zip(&lines) {
            prop_assert_eq!(entry.rank, line.rank);
            prop_assert_eq!(&entry.host, &line.host);
            prop_assert_eq!(entry.device, line.device);
            for reading in Dialect::ALL.map(Reading::By).into_iter().chain([Reading::Meant]) {
                prop_assert_eq!(resolve(&entry.slots, reading, &NodeShape::of_cores(&PACKAGES)), Ok(line.cores.clone()));
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn nothing_that_is_nearly_a_rankfile_panics(text in nearly_a_rankfile()) {
        exercise(text.as_bytes());
    }

    #[test]
    fn a_silent_file_is_read_alike_in_all_dialects(text in nearly_a_rankfile()) {
        if lint(text.as_bytes(), &Dialect::ALL).is_empty() {
            for entry in parse(text.as_bytes()).rankfile.entries {
                let read = |reading| resolve(&entry.slots, reading, &NodeShape::of_cores(&PACKAGES)).ok();
                let asked = read(Reading::Meant);
                for dialect in Dialect::ALL {
                    let by_launcher = read(Reading::By(dialect));
                    // 5.x goes on into the next package where a core is not there.
                    if asked.is_some() || dialect != Dialect::OpenMpi5 {
                        prop_assert_eq!(&asked, &by_launcher, "{:?}", dialect);
                    }
                }
            }
        }
    }
}

/// What this thread's processor spends on a text, the least of three times: time in which it ran something else does not count.
fn time(text: &str) -> Duration {
    let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("it does not run backwards");
    let once = || {
        let start = spent();
        exercise(text.as_bytes());
        spent() - start
    };
    (0..3).map(|_| once()).min().expect("three is not none")
}

#[test]
fn work_grows_with_the_text_and_not_faster() {
    let repeated: &[(&str, &str)] = &[
        ("", "x\n"),
        ("", "x/**/"),
        ("", "/* */# "),
        ("", "rank 0=a slot=P1 "),
        ("rank 0=a slot=", "0,"),
        ("rank 0=a slot=", "1:0-3;"),
        ("rank 0=a slot=", "0 "),
        ("rank 0=", "a@"),
        ("", "\r"),
        ("", "\n"),
        ("", "rank 1=a slot=0\n"),
        ("# ", "gpu="),
        ("", "\u{e9}/**/"),
    ];
    for (start, part) in repeated {
        let text = |bytes: usize| format!("{start}{}\n", part.repeat(bytes / part.len()));
        let (short, long) = (text(MAX_BYTES / 64), text(MAX_BYTES / 8));
        let (one, eight) = (time(&short), time(&long));
        // Eight times the text: quadratic would be 64 times the time.
        assert!(eight < one * 24 + Duration::from_millis(100), "{part:?}: {one:?} and {eight:?}");
    }
}

#[test]
fn a_file_of_200_000_ranks_is_read() {
    let lines: String =
        (0..200_000).map(|rank| format!("rank {rank}=node{} slot={}\n", rank / 16, rank % 16)).collect();
    let parsed = parse(lines.as_bytes());
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(parsed.rankfile.entries.len(), 200_000);
}

/// What the fuzzer started from and what it found, so that nothing found comes back.
#[test]
fn the_corpus_of_the_fuzzer_panics_no_more() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/rankfile");
    let files = std::fs::read_dir(folder).expect("the corpus lies beside the fuzz target");
    let mut count = 0;
    for file in files {
        exercise(&std::fs::read(file.expect("the folder can be read").path()).expect("the file can be read"));
        count += 1;
    }
    assert!(count > 200, "{count}");
}
