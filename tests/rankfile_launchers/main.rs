//! What this program says about rankfiles against the real launchers: all accept every written
//! file and bind as predicted, and all do to each trap what the linter says they do.
//!
//! Needs Open MPI 4.1 as `mpiexec` or in HYBRID_TEST_MPIEXEC41, 5.x in HYBRID_TEST_MPIEXEC5 or
//! as `target/venv/bin/mpiexec`, where `make setup-test` installs it, and 6.x in HYBRID_TEST_MPIEXEC6.
//! Nodes of other shapes than this machine's are hwloc's synthetic ones: the launchers then map
//! onto them, start the ranks here, and report the map.

mod launcher;
mod random;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use hybrid::inside::launcher::{ByDialect, Dialect};
use hybrid::inside::rankfile::{Code, NodeShape, RankLine, Reading, lint, parse_counting, resolve, write};
use hybrid::inside::topology::SlotUnit;
use launcher::{Outcome, Run, found, here};

const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

const NODE: &str = "pack:2 core:4 pu:2";
const PACKAGES: [u32; 2] = [4, 4];

/// What slots may count, with how many there are on [`NODE`].
const UNITS: [(SlotUnit, usize); 2] = [(SlotUnit::Core, 8), (SlotUnit::Thread, 16)];

fn shape(unit: SlotUnit) -> NodeShape {
    NodeShape::new(&PACKAGES, &[2; 8], unit)
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux names its host");
    name.trim().split('.').next().unwrap_or_default().to_owned()
}

#[test]
fn all_accept_what_is_written_and_bind_as_it_says() {
    let host = hostname();
    let place = |rank, cores| RankLine { rank, host: host.clone(), cores, device: None };
    let lines = [
        RankLine { device: Some(hybrid::inside::request::DeviceRequest::Gpu), ..place(0, vec![0, 2]) },
        place(1, vec![4, 5, 3]),
        RankLine {
            device: Some(hybrid::inside::request::DeviceRequest::ThisGpu("0000:65:00.0".parse().unwrap())),
            ..place(2, vec![6, 7])
        },
        place(3, vec![1]),
    ];
    let text = write(&["four ranks".to_owned()], &lines).unwrap();
    let expected = BTreeMap::from([(0, vec![0, 2]), (1, vec![3, 4, 5]), (2, vec![6, 7]), (3, vec![1])]);
    for dialect in here() {
        let outcome = Run::on(dialect, NODE, &text).start();
        assert!(outcome.accepted(), "{dialect:?} {outcome:?}");
        assert_eq!(outcome.mapped(), expected, "{dialect:?} {outcome:?}");
    }
}

#[test]
fn the_kernel_sees_the_cores_that_were_written() {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(allowed >= 2, "this test needs two processors, there is {allowed}");
    let place = |rank| RankLine { rank, host: hostname(), cores: vec![rank], device: None };
    let text = write(&[], &[place(0), place(1)]).unwrap();
    for dialect in here() {
        let seen = Run::new(dialect, &text).start().seen();
        assert_eq!(seen.len(), 2, "{dialect:?}");
        assert_ne!(seen[&0], seen[&1], "{dialect:?}");
        // A file that says otherwise must be seen to be otherwise, or this test sees nothing.
        let swapped = text.replace("slot=0", "slot=X").replace("slot=1", "slot=0").replace("slot=X", "slot=1");
        let other = Run::new(dialect, &swapped).start().seen();
        assert_eq!((&other[&0], &other[&1]), (&seen[&1], &seen[&0]), "{dialect:?}");
    }
}

#[test]
fn slot_lists_are_bound_as_predicted() {
    let lists = [
        "0",
        "0,2",
        "1:0-2",
        "0:3;1:0",
        "1:*",
        "S1",
        "P1",
        "p1:2",
        "C1",
        "*",
        "0x3",
        "0:0,1",
        "0:0-2,1:3",
        "1:0-2,3",
        "0,1:1",
        "-1",
        "1:2:3",
        "0:4",
        "0:3-5",
        "1:2-5",
        "9",
        "0;9",
        "5:0",
        "S5",
        "S",
        "0-1-2",
        "-",
        "4294967296",
        "2147483648",
        "2-0",
        "0:",
        "C1-2",
        "S0:1,S1:1",
        "p0-1",
        "0,",
        "1x",
    ];
    for (unit, slots_of_node) in UNITS {
        for list in lists {
            let text = format!("rank 0={} slot={list}\n", hostname());
            // The text is not always a list: what the launchers make of it is predicted all the same.
            let parsed = parse_counting(text.as_bytes(), unit);
            let entry = parsed.rankfile.entries.first();
            for dialect in here() {
                let outcome = Run { unit, ..Run::on(dialect, NODE, &text) }.start();
                assert!(!outcome.timed_out, "{list} {unit:?} {dialect:?}");
                match entry.map(|entry| resolve(&entry.slots, Reading::By(dialect), &shape(unit))) {
                    Some(Ok(slots)) if slots.len() == slots_of_node => {
                        assert!(outcome.accepted(), "{list} {unit:?} {dialect:?} {outcome:?}");
                    }
                    Some(Ok(slots)) => {
                        assert!(outcome.accepted(), "{list} {unit:?} {dialect:?} {outcome:?}");
                        let mapped = outcome.mapped_slots(unit);
                        assert_eq!(mapped, BTreeMap::from([(0, slots)]), "{list} {unit:?} {dialect:?}");
                    }
                    Some(Err(_)) => assert!(!outcome.accepted(), "{list} {unit:?} {dialect:?} {outcome:?}"),
                    None if unit == SlotUnit::Core => {
                        assert_said_deed(list, dialect, &outcome, &lint(text.as_bytes(), &Dialect::ALL)[0]);
                    }
                    None => {}
                }
            }
        }
    }
}

/// Lists nobody thought of, from a fixed sequence: the launchers are read right, not fitted.
#[test]
fn lists_put_together_by_chance_are_bound_as_predicted() {
    const PARTS: &[&str] = &[
        "0", "1", "2", "3", "5", "0-1", "2-3", "1-0", "0:", "1:", "2:", "S", "P", "s0", "c", "*", ",", ",", ";", ";",
        "-", ":",
    ];
    let count: u32 = std::env::var("HYBRID_TEST_SLOT_LISTS")
        .map_or(40, |count| count.parse().expect("HYBRID_TEST_SLOT_LISTS is a number"));
    let mut state = 0x2545_f491_u64;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits fit") % limit
    };
    let mut compared = 0;
    for (unit, slots_of_node) in (0..count).map(|number| UNITS[usize::from(number % 4 == 0)]) {
        let list: String = (0..2 + next(6)).map(|_| PARTS[next(PARTS.len())]).collect();
        let text = format!("rank 0={} slot={list}\n", hostname());
        let Some(entry) = parse_counting(text.as_bytes(), unit).rankfile.entries.pop() else {
            continue;
        };
        for dialect in here() {
            let outcome = Run { unit, ..Run::on(dialect, NODE, &text) }.start();
            compared += 1;
            match resolve(&entry.slots, Reading::By(dialect), &shape(unit)) {
                Ok(slots) if slots.len() == slots_of_node => {
                    assert!(outcome.accepted(), "{list} {unit:?} {dialect:?} {outcome:?}");
                }
                Ok(slots) => {
                    let mapped = outcome.mapped_slots(unit);
                    assert_eq!(mapped, BTreeMap::from([(0, slots)]), "{list} {unit:?} {dialect:?} {outcome:?}");
                }
                Err(_) => assert!(!outcome.accepted(), "{list} {unit:?} {dialect:?} {outcome:?}"),
            }
        }
    }
    // Some of what is put together is no list; how many launchers compare the others is said by those that are not here.
    let launchers = u32::try_from(here().count()).expect("a few");
    assert!(launchers == 0 || compared > count / 8 * launchers, "{compared}");
}

/// A list that no person understands: the deed is in the diagnostic alone.
fn assert_said_deed(
    list: &str,
    dialect: Dialect,
    outcome: &Outcome,
    diagnostic: &hybrid::inside::rankfile::Diagnostic,
) {
    let said = diagnostic.consequences[dialect].as_deref();
    let said = said.unwrap_or_else(|| panic!("{list} {dialect:?}: nothing is said"));
    if let Some(core) = said.strip_prefix("binds core ").and_then(|rest| rest.split([',', ' ']).next()) {
        let core: u32 = core.parse().expect("a core");
        if core < 8 {
            assert_eq!(outcome.mapped(), BTreeMap::from([(0, vec![core])]), "{list} {dialect:?}: {said} {outcome:?}");
        } else {
            assert!(!outcome.accepted(), "{list} {dialect:?}: {said}");
        }
    } else if said.contains("unbound") {
        assert_eq!(outcome.mapped(), BTreeMap::from([(0, vec![])]), "{list} {dialect:?}: {said} {outcome:?}");
    } else {
        assert!(!outcome.accepted(), "{list} {dialect:?}: {said}");
        assert_eq!(
            said.contains("segmentation fault"),
            outcome.signal == Some(SIGSEGV),
            "{list} {dialect:?}: {said} {outcome:?}"
        );
    }
}

/// A rank bound to no core is not bound: it has what the launcher has.
#[test]
fn an_empty_list_leaves_the_rank_unbound() {
    for dialect in here() {
        let seen = |list| Run::new(dialect, &format!("rank 0={} slot={list}\n", hostname())).start().seen();
        assert_eq!(seen("1-0")[&0], seen("S*")[&0], "{dialect:?}");
        assert_ne!(seen("1-0")[&0], seen("0")[&0], "{dialect:?}");
    }
}

#[test]
fn traps_end_as_the_linter_says() {
    let host = hostname();
    let long = format!("{}2", "0;".repeat(28));
    /// Text, what is found in it, and the words with which each version ends; 6.x takes some of it.
    type Ending<'a> = (&'a str, Code, &'a str, &'a str, Option<&'a str>);
    let refused: &[Ending<'_>] = &[
        ("rank 1=H slot=1\nrank 0=H slot=0\n", Code::RankZeroFirst, "already assigned", "already assigned", None),
        (
            "rank 0=H slot=0\nrank 0=H slot=3\n",
            Code::DuplicateRank,
            "already assigned",
            "already assigned",
            Some("already assigned"),
        ),
        (
            "rank 0=H slot=0\nrank 1=H slot=1\nrank 1=H slot=3\n",
            Code::DuplicateRank,
            "A rank is missing",
            "A rank is missing",
            Some("already assigned"),
        ),
        (
            "rank 0=H slot=0\nrank 2=H slot=2\n",
            Code::MissingRank,
            "A rank is missing",
            "A rank is missing",
            Some("A rank is missing"),
        ),
        ("rank 0=H slot=0\r\nrank 1=H slot=1\r\n", Code::CarriageReturn, "invalid syntax", "invalid syntax", None),
        ("rank 0=H slot=0\n# bye", Code::CommentAtEnd, "invalid syntax", "invalid syntax", None),
        ("rank 0=H slot=0 # bye", Code::CommentAtEnd, "invalid syntax", "invalid syntax", None),
        (
            "\u{feff}rank 0=H slot=0\n",
            Code::ByteOrderMark,
            "parse error in the hostfile",
            "parse error in the hostfile",
            Some("invalid syntax"),
        ),
        (
            "RANK 0=H slot=0\n",
            Code::KeywordCase,
            "parse error in the hostfile",
            "parse error in the hostfile",
            Some("invalid syntax"),
        ),
        ("rank -1=H slot=0\n", Code::RankNumber, "invalid syntax", "invalid syntax", Some("invalid syntax")),
        ("rank 0 H slot=0\n", Code::MissingEquals, "invalid syntax", "invalid syntax", Some("invalid syntax")),
        ("rank 0=H slot=\n", Code::EmptySlots, "invalid syntax", "invalid syntax", Some("invalid syntax")),
        ("rank 0=H slot=0.1\n", Code::StrayCharacter, "invalid syntax", "invalid syntax", Some("Bad parameter")),
        ("rank 0=+n0 slot=0\n", Code::RelativeHost, "no prior allocation", "no prior allocation", None),
        (
            "rank 0=\"H\" slot=0\n",
            Code::QuotedHost,
            "Node names must be composed",
            "invalid syntax",
            Some("invalid syntax"),
        ),
        ("", Code::NoRanks, "A rank is missing", "invalid syntax", Some("invalid syntax")),
    ];
    for (text, code, by_41, by_5, by_6) in refused {
        let text = text.replace('H', &host);
        let found = lint(text.as_bytes(), &Dialect::ALL);
        assert_eq!(found[0].code, *code, "{text:?}");
        for dialect in here() {
            let outcome = Run::on(dialect, NODE, &text).start();
            match ByDialect::new([Some(*by_41), Some(*by_5), *by_6])[dialect] {
                None => assert!(outcome.accepted(), "{text:?} {dialect:?} {outcome:?}"),
                Some(words) => {
                    assert!(!outcome.accepted() && outcome.output.contains(words), "{text:?} {dialect:?} {outcome:?}");
                }
            }
        }
    }
    if found(Dialect::OpenMpi41).is_none() {
        return;
    }
    let overflow = Run::on(Dialect::OpenMpi41, NODE, &format!("rank 0={host} slot={long}\n")).start();
    let expected = host.len() + 6 + long.len() > 63;
    assert_eq!(overflow.signal == Some(SIGABRT), expected, "{overflow:?}");
}

/// The traps that launchers do not mention: they start the job, and not as the file says.
#[test]
fn silent_traps_are_silent() {
    let host = hostname();
    let mapped =
        |dialect, text: &str, ranks| Run { ranks: Some(ranks), ..Run::on(dialect, NODE, text) }.start().mapped();
    for dialect in here() {
        // 6.x refuses these two, and says so.
        let or_none =
            |ranks: BTreeMap<u32, Vec<u32>>| if dialect == Dialect::OpenMpi6 { BTreeMap::new() } else { ranks };
        let blank = format!("rank 0={host} slot=0, 1\n");
        assert_eq!(mapped(dialect, &blank, 1), or_none(BTreeMap::from([(0, vec![0])])), "{dialect:?}");
        let twice = format!("rank 0={host} slot=0\nrank 1={host} slot=1\nrank 1={host} slot=3\n");
        assert_eq!(mapped(dialect, &twice, 2), or_none(BTreeMap::from([(0, vec![0]), (1, vec![3])])), "{dialect:?}");
        let open = format!("rank 0={host} slot=0\n/* x\nrank 1={host} slot=1\n");
        assert_eq!(mapped(dialect, &open, 1), BTreeMap::from([(0, vec![0])]), "{dialect:?}");
        let cut = format!("rank 0={host}.example.org slot=2\n");
        assert_eq!(mapped(dialect, &cut, 1), BTreeMap::from([(0, vec![2])]), "{dialect:?}");
    }
    if found(Dialect::OpenMpi41).is_none() {
        return;
    }
    // 4.1 prints nothing at all about a core that is not there.
    let nothing = Run {
        dialect: Dialect::OpenMpi41,
        text: format!("rank 0={host} slot=9\n").as_bytes(),
        node: Some(NODE),
        ranks: None,
        unit: SlotUnit::Core,
        extra: &[],
    }
    .start();
    assert_eq!((nothing.code, nothing.output.trim()), (Some(1), ""));
}

#[test]
fn ranks_that_share_a_core_are_an_error_from_the_fifth_version_on() {
    let host = hostname();
    let text = format!("rank 0={host} slot=0\nrank 1={host} slot=0-1\n");
    for dialect in here() {
        let outcome = Run::on(dialect, NODE, &text).start();
        if dialect == Dialect::OpenMpi41 {
            assert!(outcome.accepted(), "{outcome:?}");
            continue;
        }
        assert!(!outcome.accepted() && outcome.output.contains("already allocated"), "{dialect:?} {outcome:?}");
        // On this machine, since 6.x allows it only where it can bind.
        let allowed = Run { extra: &["--bind-to", "core:overload-allowed"], ..Run::new(dialect, &text) }.start();
        assert!(allowed.accepted(), "{dialect:?} {allowed:?}");
        assert_eq!(allowed.seen().len(), 2, "{dialect:?} {allowed:?}");
    }
}
