//! Topologies that others wrote: whatever stands in the file, there is an answer or one line that says why not.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{HYBRID, topology};

/// Numbers that look random, the same for the same seed (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(number).unwrap() % limit.max(1)
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Where attributes such as ` cpuset="0x1"` stand.
fn attributes(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(equals) = text[at..].find("=\"").map(|offset| at + offset) {
        let start = text[..equals].rfind(' ').unwrap_or(equals);
        let Some(end) = text[equals + 2..].find('"').map(|offset| equals + 3 + offset) else { break };
        found.push((start, end));
        at = end;
    }
    found
}

/// What no machine has in the places of numbers, sets and types.
const VALUES: [&str; 16] = [
    "",
    "0",
    "-1",
    "4294967295",
    "99999999999999999999",
    "0x0",
    "0xf...f",
    "0xffffffff,,,,,,,,0x1",
    "nan",
    "PU",
    "Core",
    "Machine",
    "NUMANode",
    "&#10;x",
    "0000:ff:1f.7",
    "0x00000001,0x80000000",
];

/// One change of the kinds that damage and malice make.
fn mutate(text: &str, random: &mut Random) -> String {
    let attributes = attributes(text);
    let lines: Vec<&str> = text.lines().collect();
    if attributes.is_empty() {
        return text.to_owned();
    }
    let (start, end) = *random.of(&attributes);
    let (left, right) = (&text[..start], &text[end..]);
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    let joined = |lines: &[&str]| lines.join("\n");
    match random.below(9) {
        0 => format!("{left}{right}"),
        1 => {
            let (from, to) = *random.of(&attributes);
            format!("{left}{}{right}", &text[from..to])
        }
        2 | 3 => {
            let name = text[start..end].split('=').next().unwrap();
            format!("{left}{name}=\"{}\"{right}", random.of(&VALUES))
        }
        4 => joined(&[&lines[..one], &lines[one + 1..]].concat()),
        5 => joined(&[&lines[..other], &[lines[one]], &lines[other..]].concat()),
        6 => {
            let mut lines = lines;
            lines.swap(one, other);
            joined(&lines)
        }
        7 => {
            let mut bytes = text.as_bytes().to_vec();
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(1 + random.below(126)).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => text.chars().take(random.below(text.len())).collect(),
    }
}

/// Runs a command over the file, and insists on a documented exit code and on one line where that is not 0.
fn assert_answer(folder: &Path, words: &[&str], what: &str) {
    let output = Command::new(HYBRID).args(words).current_dir(folder).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let errors = stderr.lines().filter(|line| line.starts_with("error:")).count();
    let is_answer = match output.status.code() {
        Some(0) => errors == 0,
        Some(1) => errors == 1,
        _ => false,
    };
    assert!(is_answer && !stderr.contains("panicked"), "{what} {words:?}: {:?} {stderr}", output.status);
}

const WRITE: [&str; 6] = ["rankfile", "write", "--launcher", "openmpi4", "--topology", "a=n.xml"];

fn assert_all_answered(originals: &[PathBuf], number: usize, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("r"), "rank 0=a slot=0 # gpu\nrank 1=a slot=1-2\nrank 2=a slot=p0:0\n").unwrap();
    let texts: Vec<String> =
        originals.iter().map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()).collect();
    let mut random = Random(seed);
    for index in 0..number {
        let mut text = random.of(&texts).clone();
        for _ in 0..*random.of(&[1, 1, 2, 6]) {
            text = mutate(&text, &mut random);
        }
        fs::write(folder.path().join("n.xml"), &text).unwrap();
        let what = format!("file {index} of seed {seed}");
        assert_answer(folder.path(), &WRITE, &what);
        if index % 4 == 0 {
            assert_answer(folder.path(), &["rankfile", "explain", "--topology", "a=n.xml", "r"], &what);
            assert_answer(folder.path(), &["rankfile", "check", "--topology", "a=n.xml", "r"], &what);
        }
    }
}

fn xml_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    files
}

#[test]
fn an_object_without_a_complete_set_is_an_error_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let xml = fs::read_to_string(topology("laptop.xml")).unwrap();
    let attribute = " complete_cpuset=\"0x000000ff\"";
    for (at, _) in xml.match_indices(attribute) {
        let damaged = format!("{}{}", &xml[..at], &xml[at + attribute.len()..]);
        fs::write(folder.path().join("n.xml"), damaged).unwrap();
        assert_answer(folder.path(), &WRITE, &format!("byte {at}"));
    }
    let at = xml.find(attribute).unwrap();
    fs::write(folder.path().join("n.xml"), format!("{}{}", &xml[..at], &xml[at + attribute.len()..])).unwrap();
    let output = Command::new(HYBRID).args(WRITE).current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("n.xml") && stderr.contains("damaged"), "{stderr}");
}

#[test]
fn no_file_takes_all_memory_or_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut deep = String::from("<topology version=\"2.0\"><object type=\"Machine\"><object type=\"PU\"/>");
    (0..300_000).for_each(|_| deep.push_str("<object type=\"Group\" cpuset=\"0x1\">"));
    let mut laughs = String::from("<!DOCTYPE t [<!ENTITY a0 \"ha\">");
    for level in 1..40 {
        let before = level - 1;
        write!(laughs, "<!ENTITY a{level} \"&a{before};&a{before};&a{before};&a{before};\">").unwrap();
    }
    laughs += "]><topology version=\"2.0\"><object type=\"PU\"><info name=\"&a39;\"/></object></topology>";
    let file = "<!DOCTYPE t [<!ENTITY f SYSTEM \"/dev/zero\">]><topology version=\"2.0\"><object type=\"PU\">&f;</object></topology>";
    for (name, text) in [("deep", deep.as_str()), ("laughs", &laughs), ("file", file)] {
        fs::write(folder.path().join("n.xml"), text).unwrap();
        assert_answer(folder.path(), &WRITE, name);
    }
}

#[test]
fn damaged_files_are_answered() {
    assert_all_answered(&xml_files(&topology("")), 240, 20);
}

/// 6 000 files. `HYBRID_TEST_XML` names a folder with more of them to damage, such as those of hwloc's own tests.
#[test]
#[ignore = "takes minutes"]
fn thousands_of_damaged_files_are_answered() {
    let mut files = xml_files(&topology(""));
    files.extend(std::env::var("HYBRID_TEST_XML").iter().flat_map(|folder| xml_files(folder)));
    assert_all_answered(&files, 6000, 1);
}
