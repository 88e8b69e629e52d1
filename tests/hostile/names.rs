//! Names that others gave: no control character of theirs reaches a terminal, a table or a drawing.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Command, Output},
};

use crate::support::{HYBRID, topology};

/// Clears the screen, forges a line, turns the direction of writing, and more.
const NASTY: &str = "a\u{1b}[2J\u{9b}31m\u{202e}\u{7}b";

fn hybrid(folder: &Path, words: &[&str]) -> Output {
    let words = words.iter().map(|word| OsStr::from_bytes(word.as_bytes()));
    Command::new(HYBRID).args(words).current_dir(folder).output().unwrap()
}

fn is_tame(text: &[u8]) -> bool {
    let text = String::from_utf8(text.to_vec()).unwrap();
    text.chars().all(|character| character == '\n' || !(character.is_control() || character == '\u{202e}'))
}

fn assert_tame(output: &Output) {
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(is_tame(&output.stdout) && is_tame(&output.stderr), "{shown:?}");
    assert!(!shown.lines().any(|line| line.starts_with("forged")), "{shown:?}");
}

#[test]
fn a_rankfile_and_its_name_are_shown_without_control_characters() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{NASTY}\nforged: line.rankfile");
    let text =
        format!("rank 0={NASTY} slot=0\nrank 1=a slot={NASTY} # {NASTY}\nrank 2=a slot=1 # gpu={NASTY}\n{NASTY}\n");
    fs::write(folder.path().join(&name), &text).unwrap();
    fs::write(folder.path().join("plain"), &text).unwrap();
    for file in [name.as_str(), "plain"] {
        for command in ["check", "explain"] {
            let output = hybrid(folder.path(), &["rankfile", command, file]);
            assert_tame(&output);
            assert!(output.stdout.len() > 100);
        }
        for form in ["table", "json", "yaml"] {
            assert_tame(&hybrid(folder.path(), &["where", "--format", form, "--rankfile", file]));
        }
    }
}

#[test]
fn the_names_of_files_are_shown_without_control_characters() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{NASTY}\nforged: line");
    for timings in ["table", "json", "csv"] {
        let png = format!("{name}.{timings}.png");
        let output = hybrid(folder.path(), &["julia", "--size", "20x10", "--timings", timings, "-o", &png]);
        assert!(output.status.success() && folder.path().join(&png).exists(), "{output:?}");
        assert_tame(&output);
    }
    let inside = format!("{name}/a.png");
    let missing = format!("{name}.missing");
    for words in [
        &["julia", "-o", &inside][..],
        &["julia", "--resume", "-o", &inside],
        &["pi", "--resume", &inside],
        &["rankfile", "check", &missing],
        &["rankfile", "write", "--topology", &format!("a={missing}")],
        &["where", "--rankfile", &missing],
        &["where", "-o", &inside],
    ] {
        let output = hybrid(folder.path(), words);
        assert!(!output.status.success(), "{words:?}");
        assert_tame(&output);
    }
}

#[test]
fn what_a_topology_says_reaches_no_rankfile_or_drawing_raw() {
    let folder = tempfile::tempdir().unwrap();
    let xml = fs::read_to_string(topology("two-sockets-four-gpus.xml")).unwrap();
    // XML has no way to write ESC, but has the others.
    let xml = xml.replace(
        "<info name=\"PCIDevice\" value=\"",
        "<info name=\"PCIDevice\" value=\"&#x9b;31m&#x202e;&#13;&#10;forged",
    );
    fs::write(folder.path().join("n.xml"), &xml).unwrap();
    fs::write(folder.path().join("r"), "rank 0=a slot=0 # gpu\n").unwrap();
    for words in [
        &["rankfile", "write", "--topology", "a=n.xml", "--launcher", "openmpi4"][..],
        &["rankfile", "write", "--topology", "a=n.xml", "--launcher", "openmpi4", "--format", "json"],
        &["rankfile", "explain", "--topology", "a=n.xml", "r"],
    ] {
        let output = hybrid(folder.path(), words);
        assert!(output.status.success(), "{words:?} {output:?}");
        assert_tame(&output);
    }
    let name = "a\nrank 9=evil slot=0\u{1b}";
    let output =
        hybrid(folder.path(), &["rankfile", "write", "--topology", "a=n.xml", "--launcher", "openmpi4", "-o", name]);
    assert!(output.status.success(), "{output:?}");
    assert_tame(&output);
    let written = fs::read(folder.path().join(name)).unwrap();
    assert!(is_tame(&written) && !String::from_utf8(written).unwrap().contains("\nrank 9"));
}

#[test]
fn a_host_that_calls_itself_a_formula_is_a_text_in_every_report() {
    let folder = tempfile::tempdir().unwrap();
    let script = "import os, socket, sys\nsocket.sethostname(b'=1+1\\x1bc\\nb')\nos.execv(sys.argv[1], sys.argv[1:])";
    for (words, expected) in [
        (&["pi", "--darts", "1000", "--timings", "csv"][..], "\n0,'=1+1\\u{1b}c\\nb,"),
        (&["pi", "--darts", "1000"], "=1+1\\u{1b}c\\nb"),
        (&["pi", "--darts", "1000", "--timings", "json"], "=1+1"),
        (&["where"], "=1+1\\u{1b}c\\nb"),
        (&["where", "--draw", "-o", "places.svg"], "=1+1\\u{1b}c\\nb"),
    ] {
        let mut command = Command::new("unshare");
        command.args(["--uts", "--map-root-user", "--user", "python3", "-c", script, HYBRID]).args(words);
        let output = command.current_dir(folder.path()).output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && stdout.contains(expected), "{words:?} {output:?}");
        assert_tame(&output);
    }
    let drawing = fs::read(folder.path().join("places.svg")).unwrap();
    assert!(is_tame(&drawing) && String::from_utf8(drawing).unwrap().contains("=1+1"));
}
