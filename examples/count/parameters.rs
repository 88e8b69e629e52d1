//! Parameters of one process: options come first, then the environment, then a file, then what is usual. Knows nothing of ranks.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Parser;
use serde::{Deserialize, Deserializer, de};

/// A file of parameters is some lines.
const LONGEST_FILE_BYTES: u64 = 65_536;

/// Counts a number among random numbers, as options say, else the environment, else a file.
#[derive(Default, Parser, Deserialize)]
#[command(name = "count", color = clap::ColorChoice::Never)]
#[serde(default, deny_unknown_fields)]
struct Given {
    /// A file of lines such as `n = 20`, in TOML
    #[arg(long, env = "PARAMETERS", value_name = "FILE.toml")]
    #[serde(skip)]
    parameters: Option<PathBuf>,
    /// Numbers that each rank draws [default: 20]
    #[arg(long, env = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    #[serde(deserialize_with = "within::<1, 1_000_000, _>")]
    n: Option<u32>,
    /// Largest number that can be drawn; the smallest is 1 [default: 10]
    #[arg(long, env = "MAX", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(deserialize_with = "within::<1, { u32::MAX }, _>")]
    max: Option<u32>,
    /// The number to count [default: 8]
    #[arg(long, env = "FIND")]
    find: Option<u32>,
    /// Start of the random sequence: the same seed gives the same numbers [default: 1]
    #[arg(long, env = "SEED")]
    seed: Option<u32>,
}

/// A number of the file, with the limits that its option has.
fn within<'de, const LEAST: u32, const MOST: u32, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    let number = u32::deserialize(value)?;
    let is_within = (LEAST..=MOST).contains(&number);
    is_within.then_some(Some(number)).ok_or_else(|| de::Error::custom(format!("{number} is not in {LEAST}..={MOST}")))
}

/// What a file gives; else what is wrong with it, and in which line.
fn of_file(path: &Path) -> Result<Given, String> {
    let (name, mut text) = (path.display(), String::new());
    let file = File::open(path).map_err(|error| format!("cannot open {name}: {error}"))?;
    let read = file.take(LONGEST_FILE_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| format!("cannot read {name}: {error}"))?;
    if text.len() as u64 > LONGEST_FILE_BYTES {
        return Err(format!("{name} is longer than {LONGEST_FILE_BYTES} bytes: is it a file of parameters?"));
    }
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        // Some messages have lines of their own.
        format!("{name}:{line}: {}", error.message().replace('\n', ", "))
    })
}

/// N, MAX, FIND and SEED. What is wrong with them is printed.
///
/// # Errors
/// The exit code; 0 where help was asked for.
pub(crate) fn read() -> Result<[u32; 4], u32> {
    let given = Given::try_parse().map_err(|error| {
        error.print().expect("a message can be printed");
        error.exit_code() as u32
    })?;
    let file = given.parameters.as_deref().map_or_else(|| Ok(Given::default()), of_file).map_err(|reason| {
        eprintln!("error: {reason}");
        2_u32
    })?;
    Ok([
        given.n.or(file.n).unwrap_or(20),
        given.max.or(file.max).unwrap_or(10),
        given.find.or(file.find).unwrap_or(8),
        given.seed.or(file.seed).unwrap_or(1),
    ])
}
