//! `--from FILE.toml`: what a sweep is to do, as a file. The only file that names `toml`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, ErrorKind},
    path::Path,
};

use serde::Deserialize;

use crate::{
    commands::bounded::{self, MAX_BYTES, Unread},
    error::Error,
    study::{Parameter, Values, template::is_name},
    visible::{shown, visible},
};

/// What stands in the file. What is missing is told elsewhere, or has its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Described {
    pub(super) output: Option<std::path::PathBuf>,
    /// A command of this program with its options.
    #[serde(default)]
    pub(super) hybrid: Vec<String>,
    /// Another program with its words.
    #[serde(default)]
    pub(super) program: Vec<String>,
    pub(super) launcher: Option<String>,
    pub(super) repeat: Option<u32>,
    pub(super) warm_up: Option<u32>,
    pub(super) seed: Option<u64>,
    pub(super) timeout: Option<u64>,
    pub(super) pattern: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Written>,
}

/// Values as they may be written: a text is a list or a range as on the command line, a list has each value as it is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<Single>),
    Text(String),
    Other(Single),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Single {
    Whole(i64),
    Number(f64),
    Truth(bool),
    Text(String),
}

impl Single {
    fn text(self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// The text of the file, which is no device and no disk's worth of something else.
fn read(path: &Path) -> io::Result<String> {
    let bytes = File::open(path).map_err(Unread::Failed).and_then(|file| bounded::read_file(&file));
    let bytes = bytes.map_err(|unread| match unread {
        Unread::Failed(source) => source,
        Unread::TooLarge(_) => {
            io::Error::other(format!("it is larger than {} MiB: is this the right file?", MAX_BYTES >> 20))
        }
    })?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no text in UTF-8"))
}

impl Described {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = read(path).map_err(|source| Error::Input { path: path.to_owned(), source })?;
        let described: Self = toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let line = if at == 0 { String::new() } else { format!(", line {at}") };
            wrong(path, &format!("{}{line}", error.message()))
        })?;
        match described {
            Self { repeat: Some(0), .. } => Err(wrong(path, "repeat 0: a sweep makes each run at least once")),
            Self { timeout: Some(0), .. } => Err(wrong(path, "timeout 0: no run ends in no time")),
            described => Ok(described),
        }
    }

    /// The parameters, by their names.
    pub(super) fn parameters(&mut self, path: &Path) -> Result<Vec<Parameter>, Error> {
        let read = |(name, written): (String, Written)| {
            if !is_name(&name) {
                return Err(wrong(path, &format!("{name:?} is no name of a parameter")));
            }
            let values = match written {
                Written::Text(text) => text.parse(),
                Written::List(all) => Values::of(all.into_iter().map(Single::text).collect()),
                Written::Other(single) => Ok(Values(vec![single.text()])),
            };
            let values = values.map_err(|reason| wrong(path, &format!("parameter {name}: {reason}")))?;
            Ok(Parameter { name, values: values.0 })
        };
        std::mem::take(&mut self.parameters).into_iter().map(read).collect()
    }
}

fn wrong(path: &Path, reason: &str) -> Error {
    Error::Usage(format!("{}: {}", shown(path), visible(&reason.replace('\n', " "))))
}
