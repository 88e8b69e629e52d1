//! The guide's printed outputs, as values: which program was run how, and what it printed.
//!
//! A fenced block of a chapter that is tagged with an example is a promise:
//!
//! ````text
//! ```text example=ring n=4 args="--value 6"
//! $ mpiexec -n 4 target/release/examples/ring --value 6
//! Final data received in process 0 after ring is completed: 10
//! time per message ⟨0.42⟩ us
//! ```
//! ````
//!
//! | tag | meaning |
//! |---|---|
//! | `example=NAME` | the program, `examples/NAME.rs` or `examples/NAME/main.rs` |
//! | `n=4` | the number of ranks |
//! | `args="..."` | its options, split at spaces |
//! | `env="A=1 B=2"` | variables in the launcher's environment |
//! | `stdin="6"` | the line that is typed |
//! | `exit=2` | it fails with this code; the block then holds the lines of stderr that begin with `error:` |
//!
//! A block that is tagged with `file=NAME` is a file, which is there for all programs behind it in the chapter.
//!
//! Lines are compared in any order, since ranks print when they like; blank lines do not count. `⟨sample⟩` stands for
//! something else in each run: for any number where the sample is a number, else for any text. A first line that begins
//! with `$` is the command; it must agree with the tags. Knows nothing of how programs are run.

use std::{fs, path::Path};

/// One tagged block of a chapter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    /// The chapter's file and the line in it, for messages.
    pub(crate) place: String,
    pub(crate) example: String,
    pub(crate) ranks: usize,
    pub(crate) args: String,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: String,
    pub(crate) exit: i32,
    pub(crate) lines: Vec<String>,
    /// Files that stand before it in the chapter, by name.
    pub(crate) files: Vec<(String, String)>,
}

/// All tagged blocks of the chapters in `folder`.
pub(crate) fn blocks(folder: &Path) -> Vec<Block> {
    let mut chapters: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    chapters.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    chapters.sort();
    assert!(!chapters.is_empty(), "no chapters in {}", folder.display());
    chapters
        .iter()
        .flat_map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            blocks_of(&name, &fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The tagged blocks of one chapter.
pub(crate) fn blocks_of(name: &str, chapter: &str) -> Vec<Block> {
    let (mut blocks, mut files) = (Vec::new(), Vec::new());
    let mut lines = (1..).zip(chapter.lines());
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        if info.contains("example=") {
            let block = block(&format!("{name}:{number}"), info, &body);
            blocks.push(Block { files: files.clone(), ..block });
        } else if let [(key, file)] = &tags(info)[..]
            && key == "file"
        {
            files.push((file.clone(), body.iter().map(|line| format!("{line}\n")).collect()));
        }
    }
    blocks
}

fn block(place: &str, info: &str, body: &[&str]) -> Block {
    let mut block = Block { place: place.to_owned(), ..Block::default() };
    for (key, value) in tags(info) {
        match key.as_str() {
            "example" => block.example = value,
            "n" => block.ranks = value.parse().unwrap_or_else(|_| panic!("{place}: n={value} is not a number")),
            "args" => block.args = value,
            "env" => {
                let pairs = value.split_whitespace().map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                block.env = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            }
            "stdin" => block.stdin = value,
            "exit" => block.exit = value.parse().unwrap_or_else(|_| panic!("{place}: exit={value} is not a number")),
            _ => panic!("{place}: unknown tag {key}"),
        }
    }
    assert!(block.ranks > 0, "{place}: the tag n is missing");
    for line in body.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()) {
        match line.strip_prefix("$ ") {
            Some(command) => assert_agrees(command, &block),
            None => block.lines.push(line.to_owned()),
        }
    }
    block
}

/// `key=value` and `key="some values"`; the first word is the language.
fn tags(info: &str) -> Vec<(String, String)> {
    let mut tags = Vec::new();
    let mut rest = info.split_once(' ').map_or("", |(_, rest)| rest).trim();
    while let Some((key, after)) = rest.split_once('=') {
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(' ').unwrap_or((after, "")),
        };
        tags.push((key.to_owned(), value.to_owned()));
        rest = left.trim();
    }
    tags
}

/// The command that readers see is the one that the tags run.
fn assert_agrees(command: &str, block: &Block) {
    let program = format!("target/release/examples/{} {}", block.example, block.args);
    let ranks = format!("mpiexec -n {} ", block.ranks);
    let variables = block.env.iter().all(|(name, value)| command.contains(&format!("{name}={value} ")));
    let agrees = command.ends_with(program.trim_end()) && command.contains(&ranks) && variables;
    assert!(agrees, "{}: the command and the tags differ: {command}", block.place);
}

/// Compares what was printed with what the guide says, line by line in any order.
///
/// # Errors
/// The lines that have no partner.
pub(crate) fn compare<'a>(expected: &[String], printed: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let printed: Vec<&str> = printed.map(str::trim_end).filter(|line| !line.is_empty()).collect();
    // Partners are found one by one; who finds all partners taken asks them to look for others (Kuhn's algorithm).
    let mut partner_of: Vec<Option<usize>> = vec![None; printed.len()];
    let mut missing = Vec::new();
    for (index, line) in expected.iter().enumerate() {
        if !find_partner(index, expected, &printed, &mut partner_of, &mut vec![false; printed.len()]) {
            missing.push(format!("  in the guide only: {line}"));
        }
    }
    let unexpected = printed.iter().zip(&partner_of).filter(|(_, partner)| partner.is_none());
    missing.extend(unexpected.map(|(line, _)| format!("  printed only:      {line}")));
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

fn find_partner(
    index: usize,
    expected: &[String],
    printed: &[&str],
    partner_of: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    for candidate in 0..printed.len() {
        if asked[candidate] || !matches(&expected[index], printed[candidate]) {
            continue;
        }
        asked[candidate] = true;
        let is_free = match partner_of[candidate] {
            None => true,
            Some(other) => find_partner(other, expected, printed, partner_of, asked),
        };
        if is_free {
            partner_of[candidate] = Some(index);
            return true;
        }
    }
    false
}

/// Whether a line is what `pattern`, a line of the guide, stands for.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((literal, rest)) = pattern.split_once('⟨') else { return pattern == line };
    let Some(line) = line.strip_prefix(literal) else { return false };
    let Some((sample, rest)) = rest.split_once('⟩') else { panic!("no ⟩ in: {pattern}") };
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let ends = line.char_indices().map(|(start, character)| start + character.len_utf8());
    ends.filter(|end| !is_number(sample) || is_number(&line[..*end])).any(|end| matches(rest, &line[end..]))
}

/// What `SUMMARY.md` and the chapters link to in the guide's own folder, each with the file that names it: `03-point-to-point.md#ring`, or
/// `#ring` for a heading of the same file.
pub(crate) fn links(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let of_file = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        let local = targets.filter(|target| !target.contains("://"));
        local.map(|target| (name.clone(), target.to_owned())).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

/// What the headings of a chapter are called in links, as mdBook makes it of their text.
pub(crate) fn anchors(chapter: &str) -> Vec<String> {
    let mut in_block = false;
    let headings = chapter.lines().filter(|line| {
        in_block ^= line.starts_with("```");
        !in_block && line.starts_with('#')
    });
    let sign = |sign: char| match sign {
        ' ' => Some('-'),
        _ => Some(sign.to_ascii_lowercase()).filter(|sign| sign.is_alphanumeric() || "-_".contains(*sign)),
    };
    headings.map(|heading| heading.trim_start_matches('#').trim().chars().filter_map(sign).collect()).collect()
}
