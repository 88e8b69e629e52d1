//! Every trap of a rankfile is named, with a correction that is clean; clean files are silent.
//! The rows follow what Open MPI 4.1.4, 5.0.11 and 6.0.0rc2 did when they were run on them.

use hybrid::inside::launcher::{ByDialect, Dialect};
use hybrid::inside::rankfile::{Code, MAX_BYTES, NodeShape, Severity, lint, lint_against, parse, render};
use std::collections::BTreeMap;

/// Text, the code that must be found, and a part of what Open MPI 4.1, 5.x and 6.x are said to do.
type Trap = (&'static str, Code, Option<&'static str>, Option<&'static str>, Option<&'static str>);

const TRAPS: &[Trap] = &[
    // The file as a whole.
    ("", Code::NoRanks, Some("missing its location"), Some("invalid syntax"), Some("invalid syntax")),
    ("# nothing\n", Code::NoRanks, Some("missing its location"), Some("invalid syntax"), Some("invalid syntax")),
    (
        "\u{feff}rank 0=vm slot=0\n",
        Code::ByteOrderMark,
        Some("parse error in the hostfile"),
        Some("parse error in the hostfile"),
        Some("line's number"),
    ),
    (
        "rank 0=vm slot=0\r\nrank 1=vm slot=1\r\n",
        Code::CarriageReturn,
        Some("invalid syntax"),
        Some("invalid syntax"),
        None,
    ),
    ("node1 slots=2\nnode2 slots=2\n", Code::OtherFile, Some("ssh"), Some("invalid syntax"), Some("line's number")),
    (
        "# nodes of the site\nnode1\nnode2\n",
        Code::OtherFile,
        Some("ssh"),
        Some("missing its location"),
        Some("line's number"),
    ),
    (
        "node1:2\nnode2:2\n",
        Code::OtherFile,
        Some("illegal character"),
        Some("missing its location"),
        Some("line's number"),
    ),
    (
        "hosta 0,1 0 1\nhosta 2,3 0 1\n",
        Code::OtherFile,
        Some("ssh"),
        Some("missing its location"),
        Some("line's number"),
    ),
    ("rank: 0: { host: 1; cpu: {0-3} }\n", Code::OtherFile, Some("hostfile"), Some("hostfile"), Some("line's number")),
    ("\r\nrank 0=vm slot=0\n", Code::CarriageReturn, Some("invalid syntax"), Some("invalid syntax"), None),
    ("rank 0=vm slot=0\n# bye", Code::CommentAtEnd, Some("invalid syntax"), Some("invalid syntax"), None),
    ("rank 0=vm slot=0 # bye", Code::CommentAtEnd, Some("invalid syntax"), Some("invalid syntax"), None),
    (
        "rank 0=vm slot=0\n/* x\nrank 1=vm slot=1\n",
        Code::OpenComment,
        Some("ignores the rest"),
        Some("ignores the rest"),
        Some("ignores the rest"),
    ),
    (
        "rank 0=vm slot=0\n/* bye\n",
        Code::OpenComment,
        Some("ignores the rest"),
        Some("ignores the rest"),
        Some("ignores the rest"),
    ),
    (
        "rank 1=vm slot=1\nrank 0=vm slot=0\n",
        Code::RankZeroFirst,
        Some("already assigned"),
        Some("already assigned"),
        None,
    ),
    (
        "rank 0=vm slot=0\nrank 1=vm slot=1\nrank 1=vm slot=3\n",
        Code::DuplicateRank,
        Some("last line win"),
        Some("last line win"),
        Some("already assigned"),
    ),
    (
        "rank 0=vm slot=0\nrank 0=vm slot=3\n",
        Code::DuplicateRank,
        Some("already assigned"),
        Some("already assigned"),
        Some("already assigned"),
    ),
    (
        "rank 0=vm slot=0\nrank 2=vm slot=2\n",
        Code::MissingRank,
        Some("missing its location"),
        Some("missing its location"),
        Some("missing its location"),
    ),
    (
        "rank 1=vm slot=1\nrank 2=vm slot=2\n",
        Code::MissingRank,
        Some("missing its location"),
        Some("missing its location"),
        Some("missing its location"),
    ),
    ("rank 0=vm slot=0\nrank 1=VM slot=1\n", Code::HostCase, Some("two hosts"), Some("two hosts"), Some("two hosts")),
    // The line.
    (
        "rank 0=vm slot=0\n```\nrank 1=vm slot=1\n",
        Code::UnknownLine,
        Some("hostfile"),
        Some("invalid syntax"),
        Some("line's number"),
    ),
    ("foo\nrank 0=vm slot=0\n", Code::UnknownLine, Some("ssh"), Some("ignores a plain word"), Some("line's number")),
    ("rank0=vm slot=0\n", Code::UnknownLine, Some("hostfile"), Some("hostfile"), Some("line's number")),
    ("RANK 0=vm slot=0\n", Code::KeywordCase, Some("hostfile"), Some("hostfile"), Some("line's number")),
    (
        "rank 0=vm Slot=0\n",
        Code::KeywordCase,
        Some("missing help text"),
        Some("takes the slot number for the host"),
        Some("line's number"),
    ),
    ("rank -1=vm slot=0\n", Code::RankNumber, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    ("rank 0x0=vm slot=0\n", Code::RankNumber, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    (
        "rank 0=vm slot=0\nrank 4294967297=vm slot=0\n",
        Code::RankTooLarge,
        Some("32 bits"),
        Some("32 bits"),
        Some("refuses the number"),
    ),
    (
        "rank 0=vm slot=0\nrank 99999999999=vm slot=0\n",
        Code::RankTooLarge,
        Some("hangs"),
        Some("hangs"),
        Some("refuses the number"),
    ),
    ("rank 0 vm slot=0\n", Code::MissingEquals, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    ("rank 0==vm slot=0\n", Code::DoubleEquals, Some("segmentation"), Some("segmentation"), Some("line's number")),
    ("rank 0=vm\n", Code::MissingSlots, Some("missing help text"), Some("unbound"), Some("unbound")),
    ("rank 0=vm #x slot=0\n", Code::MissingSlots, Some("missing help text"), Some("unbound"), Some("unbound")),
    ("rank 0=vm slot=\n", Code::EmptySlots, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    (
        "rank 0=vm slot=0, 1\n",
        Code::BlankInSlots,
        Some("ignores everything after"),
        Some("ignores everything after"),
        Some("line's number"),
    ),
    (
        "rank 0=vm slot=0 foo\n",
        Code::StrayText,
        Some("ignores plain words"),
        Some("ignores plain words"),
        Some("line's number"),
    ),
    (
        "rank 0=vm slot=0 ?\n",
        Code::StrayCharacter,
        Some("invalid syntax"),
        Some("invalid syntax"),
        Some("Bad parameter"),
    ),
    (
        "rank 0=vm slot=0.1\n",
        Code::StrayCharacter,
        Some("invalid syntax"),
        Some("invalid syntax"),
        Some("Bad parameter"),
    ),
    (
        "rank 0=vm slot=\"0\"\n",
        Code::StrayCharacter,
        Some("invalid syntax"),
        Some("invalid syntax"),
        Some("Bad parameter"),
    ),
    (
        "rank 0=vm username=x slot=0\n",
        Code::BrokenLine,
        Some("starts nothing"),
        Some("starts nothing"),
        Some("missing help text"),
    ),
    (
        "rank 0=vm foo slot=0\n",
        Code::BrokenLine,
        Some("ignores a plain word"),
        Some("ignores a plain word"),
        Some("line's number"),
    ),
    ("rank 0=vm slot=0 foo=1\n", Code::BrokenLine, Some("for a host"), Some("for a host"), Some("line's number")),
    (
        "rank 0=vm slot=1 slot=0\n",
        Code::BrokenLine,
        Some("already assigned"),
        Some("already assigned"),
        Some("line's number"),
    ),
    (
        "rank 0=vm slot=0\nrank 1=vm slot=1 slot=0:0\n",
        Code::BrokenLine,
        Some("last list win"),
        Some("last list win"),
        Some("line's number"),
    ),
    (
        "rank 0=vm slot=0 rank 1=vm slot=1\n",
        Code::BrokenLine,
        Some("not enough slots"),
        Some("not allocated"),
        Some("line's number"),
    ),
    ("rank 0=vm\u{a0}slot=0\n", Code::Guise, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    ("\u{200b}rank 0=vm slot=0\n", Code::Guise, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    ("rank 0=vm slot=0\u{2013}1\n", Code::Guise, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    ("rank 0\u{ff1d}vm slot=0\n", Code::Guise, Some("invalid syntax"), Some("invalid syntax"), Some("line's number")),
    (
        "rank 0=\u{201c}vm\u{201d} slot=0\n",
        Code::Guise,
        Some("illegal character"),
        Some("invalid syntax"),
        Some("line's number"),
    ),
    ("r\u{430}nk 0=vm slot=0\n", Code::Guise, Some("parse error"), Some("parse error"), Some("line's number")),
    (
        "\n\u{feff}rank 0=vm slot=0\n",
        Code::Guise,
        Some("invalid syntax"),
        Some("invalid syntax"),
        Some("line's number"),
    ),
    // The host.
    ("rank 0= slot=0\n", Code::MissingHost, Some("next word"), Some("next word"), Some("line's number")),
    (
        "rank 0=vm:0 slot=0\n",
        Code::HostSyntax,
        Some("refuses the name"),
        Some("refuses the name"),
        Some("not allocated"),
    ),
    ("rank 0=a_b slot=0\n", Code::HostUnderscore, Some("illegal character"), None, None),
    ("rank 0=\"vm\" slot=0\n", Code::QuotedHost, Some("quotes"), Some("invalid syntax"), Some("line's number")),
    ("rank 0=+n0 slot=0\n", Code::RelativeHost, Some("no prior allocation"), Some("no prior allocation"), None),
    ("rank 0=a@b@vm slot=0\n", Code::SeveralAts, Some("segmentation"), Some("segmentation"), Some("line's number")),
    ("rank 0=vm.example.org slot=0\n", Code::FullHostName, Some("first dot"), Some("first dot"), Some("first dot")),
    (
        "rank 0=pi1.local slot=0\n",
        Code::FullHostName,
        Some("'ssh pi1'"),
        Some("'ssh pi1.local'"),
        Some("'ssh pi1.local'"),
    ),
    (
        "rank 0=2001:db8::7 slot=0\n",
        Code::Ipv6Host,
        Some("illegal character"),
        Some("not allocated"),
        Some("not allocated"),
    ),
    // The slots.
    ("rank 0=vm slot=P1\n", Code::PackagePrefix, Some("binds core 0,"), None, None),
    ("rank 0=vm slot=p1\n", Code::PackagePrefix, Some("binds core 0,"), None, None),
    ("rank 0=vm slot=C1\n", Code::CorePrefix, Some("binds core 0,"), Some("binds core 0,"), Some("refuses")),
    ("rank 0=vm slot=*\n", Code::StarWithoutPackage, Some("binds core 0,"), Some("binds core 0,"), Some("refuses")),
    ("rank 0=vm slot=0x3\n", Code::NotANumber, Some("binds core 0,"), Some("binds core 0,"), Some("refuses")),
    ("rank 0=vm slot=0:0,1\n", Code::CommaAfterPackage, Some("Not found"), None, None),
    (
        "rank 0=vm slot=0:0-2,4\n",
        Code::CommaAfterPackage,
        Some("Not found"),
        Some("binds cores 0-2 of package 0,"),
        Some("refuses"),
    ),
    ("rank 0=vm slot=2-0\n", Code::ReversedRange, Some("unbound"), Some("unbound"), Some("unbound")),
    ("rank 0=vm slot=-1\n", Code::NegativeNumber, Some("binds core 1,"), Some("binds core 1,"), Some("binds core 1,")),
    ("rank 0=vm slot=0-1-2\n", Code::BadRange, Some("refuses"), Some("refuses"), Some("segmentation")),
    (
        "rank 0=vm slot=4294967296\n",
        Code::NumberTooLarge,
        Some("binds core 0,"),
        Some("binds core 0,"),
        Some("refuses"),
    ),
    ("rank 0=vm slot=0:\n", Code::MissingNumber, Some("unbound"), Some("unbound"), Some("unbound")),
    ("rank 0=vm slot=S\n", Code::MissingNumber, Some("segmentation"), Some("segmentation"), Some("segmentation")),
    ("rank 0=vm slot=0,\n", Code::StrayPunctuation, None, None, None),
    (
        "rank 0=vm slot=0;2;4;6;8;10;12;14;16;18;20;22;24;26;28;30;32;34;36;38;40;42;44;46\n",
        Code::SlotsTooLong,
        Some("buffer overflow"),
        Some("drops what comes after"),
        None,
    ),
    // The device.
    ("rank 0=vm slot=0 # gpu=0000:65:00\n", Code::BadBusId, None, None, None),
    ("rank 0=vm slot=0 # gpu 0\n", Code::DeviceComment, None, None, None),
    ("rank 0=vm slot=0\n# gpu\n", Code::DeviceCommentAlone, None, None, None),
];

const CLEAN: &[&str] = &[
    "rank 0=vm slot=0\nrank 1=vm slot=1\n",
    "rank 0=vm slot=0",
    "rank 0=vm slot=0\nrank 2=vm slot=2\nrank 1=vm slot=1\n",
    "# a comment\n\n// another\n/* and\n   a third */\nrank 0=vm slot=0 # near the door\n",
    "# Windows comment\r\nrank 0=vm slot=0 # and here\r\n",
    "  rank\t0 = vm\tslots = 0-2,4  \n\u{c}\nrank 1=me@vm slot=1:0-2;0:7\n",
    "rank 0=vm slot=0 # gpu=0000:65:00.0\nrank 1=vm slot=1 // gpu\nrank 2=vm slot=2 /* cpu */\n",
    "rank 0=192.0.2.2 slot=0\nrank 1=192.0.2.3 slot=0\nrank 2=localhost slot=1\n",
    "rank 0=vm slot=0:*\nrank 1=vm slot=S1\n",
    "# caf\u{e9}\nrank 0=vm slot=01\n",
];

#[test]
fn every_trap_is_named_with_its_real_consequence() {
    for &(text, code, by_41, by_5, by_6) in TRAPS {
        let found = lint(text.as_bytes(), &Dialect::ALL);
        let codes: Vec<Code> = found.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [code], "{text:?}");
        for (dialect, expected) in ByDialect::new([by_41, by_5, by_6]).iter() {
            let says = &found[0].consequences[dialect];
            let is_told = says.as_deref().zip(*expected).is_some_and(|(says, expected)| says.contains(expected));
            assert!(is_told || (says.is_none() && expected.is_none()), "{text:?} {dialect:?}: {says:?}");
        }
    }
}

#[test]
fn every_code_about_text_has_a_trap() {
    // Those about topology, counts and bytes that are no text have tests of their own.
    let elsewhere = |code: &Code| {
        code.id() >= "RF080"
            || matches!(
                code,
                Code::FileTooLarge
                    | Code::NotText
                    | Code::NotUtf8
                    | Code::TooFewRanks
                    | Code::UnusedRanks
                    | Code::MixedCounts
                    | Code::OneMachine
            )
    };
    for code in Code::ALL.iter().filter(|code| !elsewhere(code)) {
        assert!(TRAPS.iter().any(|trap| trap.1 == *code), "{code} has no trap");
    }
}

#[test]
fn a_corrected_line_is_clean() {
    let mut corrections = 0;
    for (text, ..) in TRAPS {
        for diagnostic in lint(text.as_bytes(), &Dialect::ALL) {
            if let Some(corrected) = diagnostic.corrected {
                corrections += 1;
                let again = lint(format!("{corrected}\n").as_bytes(), &Dialect::ALL);
                assert_eq!(again, [], "{text:?} -> {corrected:?}");
            }
        }
    }
    assert!(corrections > 15, "{corrections}");
}

#[test]
fn clean_files_are_silent() {
    for text in CLEAN {
        assert_eq!(lint(text.as_bytes(), &Dialect::ALL), [], "{text:?}");
    }
}

#[test]
fn the_caret_of_a_trap_marks_the_slip() {
    let text = "rank 0=vm slot=0\nrank 1=vm slot=0;P1 # gpu\n";
    let found = lint(text.as_bytes(), &Dialect::ALL);
    let expected = "\
error[RF040]: '0;P1' names a package to Open MPI 5 and later only: write package:core, as in 1:* or 1:0-3
 --> FILE:2:16
  |
2 | rank 1=vm slot=0;P1 # gpu
  |                ^^^^
  |
  = Open MPI 4.1: binds core 0, without a word
  = write: rank 1=vm slot=0;1:* # gpu
  = see: package-prefix
";
    assert_eq!(render(&found[0], text.as_bytes(), "FILE"), expected);
}

#[test]
fn bytes_that_are_no_text_give_one_diagnostic() {
    for (bytes, code) in [
        (b"rank 0=vm slot=0\0\n".to_vec(), Code::NotText),
        (b"\x7fELF\x02\x01\x01\0\0".to_vec(), Code::NotText),
        (b"rank 0=caf\xe9 slot=0\n".to_vec(), Code::NotUtf8),
        (vec![b'#'; MAX_BYTES + 1], Code::FileTooLarge),
    ] {
        let codes: Vec<Code> = lint(&bytes, &[Dialect::OpenMpi5]).iter().map(|d| d.code).collect();
        assert_eq!(codes, [code]);
    }
}

#[test]
fn bytes_in_a_comment_are_a_note_and_the_rest_is_checked() {
    let found = lint(b"# K\xfcche\nrank 0=vm slot=0 // caf\xe9\nrank 1=vm slot=C1 /* \xff\n\xff */\n", &Dialect::ALL);
    let codes: Vec<(Code, Severity)> = found.iter().map(|diagnostic| (diagnostic.code, diagnostic.severity)).collect();
    assert_eq!(codes, [(Code::NotUtf8, Severity::Note), (Code::CorePrefix, Severity::Error)]);
    assert_eq!((found[0].span.line, found[0].span.column, found[1].span.column), (1, 4, 16));
    let found = lint(b"# K\xfcche\nrank 0=vm slot=0\nrank 1=\xff slot=C1\nrank 2=vm slot=P1\n", &[Dialect::OpenMpi41]);
    let codes: Vec<(Code, Severity)> = found.iter().map(|diagnostic| (diagnostic.code, diagnostic.severity)).collect();
    assert_eq!(codes, [(Code::NotUtf8, Severity::Error), (Code::PackagePrefix, Severity::Error)]);
    assert_eq!((found[0].span.line, found[0].span.column), (3, 8));
}

#[test]
fn a_character_that_looks_like_another_is_named_with_its_place_and_mended() {
    let found = lint("rank 0=vm slot=0\nrank 1=v\u{43c} slot=\u{ff11}\u{2013}2\n".as_bytes(), &Dialect::ALL);
    let places: Vec<_> = found.iter().map(|diagnostic| (diagnostic.span.line, diagnostic.span.column)).collect();
    assert_eq!(places, [(2, 16)], "{found:?}");
    assert!(found[0].message.contains("U+FF11") && found[0].message.contains("full-width"), "{found:?}");
    let mended = &lint("rank 0=vm\u{a0}slot=\u{ff11}\u{2013}2 # caf\u{e9}\n".as_bytes(), &Dialect::ALL)[0];
    assert_eq!(mended.corrected.as_deref(), Some("rank 0=vm slot=1-2 # caf\u{e9}"));
}

#[test]
fn a_file_of_faults_gives_a_bounded_list() {
    let found = lint("rank 0=a slot=x!\n".repeat(100_000).as_bytes(), &Dialect::ALL);
    assert!(found.len() < 1000, "{}", found.len());
    assert_eq!(found.last().map(|d| (d.code, d.severity)), Some((Code::TooManyFindings, Severity::Note)));
}

#[test]
fn a_file_that_is_something_else_is_told_by_a_few_of_its_lines() {
    for line in ["<object type=\"PU\"/>\n", "{ \"rank\": 0 }\n", "127.0.0.1 localhost\n", "x!\n"] {
        let found = lint(line.repeat(100_000).as_bytes(), &Dialect::ALL);
        let codes: Vec<Code> = found.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [&[Code::UnknownLine; 10][..], &[Code::TooManyFindings]].concat(), "{line}");
        assert!(found[10].message.starts_with("99990 more lines start no line of a rankfile"), "{found:?}");
        assert_eq!(lint(line.repeat(10).as_bytes(), &Dialect::ALL).len(), 10, "{line}");
        assert!(lint(line.repeat(11).as_bytes(), &Dialect::ALL)[10].message.starts_with("1 more line starts no line"));
    }
    let among_ranks = "x!\nrank 0=a slot=0\n".to_owned() + &"x!\n".repeat(10);
    let unknown = lint(among_ranks.as_bytes(), &Dialect::ALL).iter().filter(|d| d.code == Code::UnknownLine).count();
    assert_eq!(unknown, 11, "a line that belongs to the ranks is told each time");
}

#[test]
fn line_ends_of_old_macs_are_named_for_what_they_are() {
    for (text, line, column, words, does) in [
        ("rank 0=vm slot=0\rrank 1=vm slot=1\r", 1, 17, "mac2unix", "invalid syntax"),
        ("\r# ours\r\rrank 0=vm slot=0\r", 1, 1, "mac2unix", "invalid syntax"),
        ("rank 0=vm slot=0\r\nrank 1=vm slot=1\rrank 2=vm slot=2\r\n", 2, 17, "mends both", "invalid syntax"),
        ("rank 0=vm slot=0 # gpu\rrank 1=vm slot=1\n", 1, 23, "tr '\\r' '\\n'", "a part of the comment"),
    ] {
        let found = lint(text.as_bytes(), &Dialect::ALL);
        assert_eq!(found.len(), 1, "{text:?} {found:?}");
        assert_eq!((found[0].code, found[0].span.line, found[0].span.column), (Code::CarriageReturn, line, column));
        let message = &found[0].message;
        assert!(message.contains("CR alone as on old Macs") && message.contains(words), "{message}");
        let both = Dialect::ALL.map(|dialect| found[0].consequences[dialect].clone().unwrap_or_default());
        assert!(both.iter().all(|says| says.contains(does)), "{text:?} {both:?}");
    }
    let parsed = parse(b"rank 0=vm slot=0 # gpu\r\rrank 1=vm slot=P1\r");
    assert_eq!(parsed.rankfile.entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [1, 3]);
    let text = b"# a\rrank 0=vm slot=P1\rrank 1=vm slot=1\r";
    let shown = lint(text, &Dialect::ALL).iter().map(|found| render(found, text, "FILE")).collect::<String>();
    assert!(shown.contains("\n2 | rank 0=vm slot=P1\n  |                ^^\n"), "{shown}");
}

#[test]
fn a_windows_file_is_understood_all_the_same() {
    let parsed = parse(b"rank 0=vm slot=0 # gpu\r\nrank 1=vm slot=1\r\n");
    let ranks: Vec<u32> = parsed.rankfile.entries.iter().map(|entry| entry.rank).collect();
    assert_eq!(ranks, [0, 1]);
    assert_eq!(parsed.rankfile.entries[0].device, Some(hybrid::inside::request::DeviceRequest::Gpu));
}

#[test]
fn the_traps_of_a_node_are_named() {
    let nodes = BTreeMap::from([("vm".to_owned(), NodeShape::of_cores(&[2]))]);
    for (text, code) in [
        ("rank 0=vm slot=9\n", Code::NoSuchCore),
        ("rank 0=vm slot=1:0\n", Code::NoSuchPackage),
        ("rank 0=vm slot=0\nrank 1=vm slot=0\n", Code::SharedCore),
        ("rank 0=vm slot=0-1\n", Code::WholeNode),
        ("rank 0=vm slot=0\nrank 1=vm slot=1\nrank 2=vm slot=0\n", Code::TooManyRanks),
        ("rank 0=vn slot=0\n", Code::UnknownHost),
    ] {
        let found: Vec<Code> = lint_against(&parse(text.as_bytes()).rankfile, &nodes).iter().map(|d| d.code).collect();
        assert_eq!(found, [code], "{text}");
    }
}
