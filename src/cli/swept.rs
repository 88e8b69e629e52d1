//! A command of this program of which a sweep makes many: options with several values become parameters, each value is held against
//! the definition of the command line, and so is each combination of them.

use std::ffi::OsString;

use clap::{CommandFactory, Parser, error::ErrorKind};

use super::{Cli, Command, Parsed, parse};
use crate::study::{Parameter, Template, Values};

/// A command with places for the values of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The words behind this program's name.
    pub words: Vec<String>,
    /// The options that have several values.
    pub parameters: Vec<Parameter>,
}

/// Options that make no sense in a run that is measured, and why.
const REFUSED: [(&str, &str); 3] = [
    ("resume", "a run that goes on from what another has left is no measurement"),
    ("timings", "the sweep reads the report itself"),
    ("study", "it is a sweep itself"),
];
/// What gets the picture where no file is named for it: a sweep leaves no pictures, and takes no name from any.
const NO_PICTURE: &str = "/dev/null";

impl Swept {
    /// Reads a command: its name, and options of which each has one value or several.
    ///
    /// # Errors
    /// What is wrong, with the option or the value.
    pub fn of(words: &[String]) -> Result<Self, String> {
        let (name, rest) = words.split_first().ok_or("there is no command")?;
        let mut hybrid = Cli::command();
        hybrid.build();
        let computing = || hybrid.get_subcommands().map(clap::Command::get_name).filter(|name| computes(&[name]));
        let Some(definition) = hybrid.find_subcommand(name).filter(|_| computes(&[name])) else {
            let known: Vec<&str> = computing().collect();
            return Err(format!(
                "{name} is no command that a sweep can measure: those are {}; for any other program write -- in front of it: -- {name}",
                known.join(", ")
            ));
        };
        let mut options: Vec<Given> = Vec::new();
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            let (option, attached) = option(definition, word)
                .ok_or_else(|| unknown(name, word, || first_line(&[name, word]).unwrap_or_default()))?;
            let long = option.get_long().expect("every option of this program has a long name").to_owned();
            if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == long) {
                return Err(format!("--{long} has no place in a sweep: {reason}"));
            }
            let value = match (option.get_action().takes_values(), attached) {
                (false, None) => None,
                (true, Some(value)) => Some(value),
                (true, None) => Some(rest.next().ok_or_else(|| format!("--{long} has no value"))?.clone()),
                (false, Some(_)) => return Err(format!("{word}: --{long} takes no value")),
            };
            match options.iter_mut().find(|given| given.long == long) {
                Some(given) => given.values.extend(value),
                None => options.push(Given { long, values: value.into_iter().collect() }),
            }
        }
        let writes_picture = definition.get_arguments().any(|option| option.get_id() == "counts");
        if writes_picture && options.iter().all(|given| given.long != "output") {
            options.push(Given { long: "output".to_owned(), values: vec![NO_PICTURE.to_owned()] });
        }
        let mut swept = Self { words: vec![name.clone()], parameters: Vec::new() };
        for given in options {
            swept.add(name, given)?;
        }
        Ok(swept)
    }

    /// Adds an option with what was given for it.
    fn add(&mut self, command: &str, Given { long, values }: Given) -> Result<(), String> {
        let mut all = Vec::new();
        for value in &values {
            all.extend(single_values(command, &long, value)?);
        }
        let all = if all.is_empty() { all } else { Values::of(all).map_err(|wrong| format!("--{long}: {wrong}"))?.0 };
        match &all[..] {
            [] => self.words.push(format!("--{long}")),
            [value] => self.words.push(format!("--{long}={value}")),
            _ => {
                self.words.push(format!("--{long}={{{long}}}"));
                self.parameters.push(Parameter { name: long, values: all });
            }
        }
        Ok(())
    }

    /// Adds the option of a parameter that is given elsewhere.
    pub fn add_place(&mut self, name: &str) {
        self.words.push(format!("--{name}={{{name}}}"));
    }
}

/// An option, and what was given for it each time.
struct Given {
    long: String,
    values: Vec<String>,
}

/// Whether these words of a whole command, without this program's name, are a run that a sweep can make.
///
/// # Errors
/// What is wrong with them.
pub fn check(words: &[String]) -> Result<(), String> {
    match parse(line(words)) {
        Parsed::Run(cli) if cli.command.computes() => Ok(()),
        Parsed::Run(_) | Parsed::Answer(_) => Err("no command that computes".to_owned()),
        Parsed::Wrong(message) => Err(in_one_line(&message)),
    }
}

fn computes(words: &[&str]) -> bool {
    matches!(parse(line(words)), Parsed::Run(cli) if cli.command.computes())
}

fn line(words: &[impl AsRef<str>]) -> impl Iterator<Item = OsString> {
    ["hybrid".into()].into_iter().chain(words.iter().map(|word| word.as_ref().into()))
}

/// The option that a word names, and the value that is attached to it.
fn option<'a>(definition: &'a clap::Command, word: &str) -> Option<(&'a clap::Arg, Option<String>)> {
    let options = || definition.get_arguments().filter(|option| !option.is_positional());
    if let Some(long) = word.strip_prefix("--") {
        let (long, value) = long.split_once('=').map_or((long, None), |(long, value)| (long, Some(value.to_owned())));
        let is_called = |option: &&clap::Arg| {
            option.get_long() == Some(long) || option.get_all_aliases().is_some_and(|all| all.contains(&long))
        };
        return Some((options().find(is_called)?, value));
    }
    let mut signs = word.strip_prefix('-')?.chars();
    let short = signs.next()?;
    let value = signs.as_str();
    let value = (!value.is_empty()).then(|| value.trim_start_matches('=').to_owned());
    Some((options().find(|option| option.get_short() == Some(short))?, value))
}

/// The values that a word stands for: itself where the command takes it as it is, as it takes `0,0.65` for `--c`, else those of the
/// list or the range that it is.
fn single_values(command: &str, long: &str, word: &str) -> Result<Vec<String>, String> {
    if refusal(command, long, word).is_none() || !Template::of(&[word.to_owned()]).names().is_empty() {
        return Ok(vec![word.to_owned()]);
    }
    let values = word.parse::<Values>().map_err(|wrong| format!("--{long}: {wrong}"))?.0;
    match values.iter().find_map(|value| refusal(command, long, value)) {
        Some(refusal) => Err(refusal),
        None => Ok(values),
    }
}

/// Why the command does not take this value. What else its line lacks does not count.
fn refusal(command: &str, long: &str, value: &str) -> Option<String> {
    let error = Cli::try_parse_from(line(&[command, &format!("--{long}={value}")])).err()?;
    let is_about_value = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    is_about_value.then(|| in_one_line(error.to_string().trim_start_matches("error: ")))
}

fn unknown(command: &str, word: &str, said: impl Fn() -> String) -> String {
    if word.starts_with('-') { said() } else { format!("hybrid {command} takes options alone, and {word} is none") }
}

fn first_line(words: &[&str]) -> Option<String> {
    match parse(line(words)) {
        Parsed::Wrong(message) => Some(in_one_line(&message)),
        _ => None,
    }
}

/// What the parser of the command line says first, without its advice on how to ask for help.
fn in_one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    told.collect::<Vec<_>>().join(" ")
}

impl Command {
    /// Whether it computes something, so that how long it takes can be asked.
    #[must_use]
    pub fn computes(&self) -> bool {
        match self {
            Self::Julia(_) | Self::Mandelbrot(_) | Self::Pi(_) => true,
            Self::Where(_)
            | Self::Info(_)
            | Self::Run(_)
            | Self::Sweep(_)
            | Self::Report(_)
            | Self::Rankfile { .. }
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(words: &str) -> Result<Swept, String> {
        Swept::of(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    /// The words, and the parameters in short.
    fn read(words: &str) -> (String, String) {
        let Swept { words, parameters } = swept(words).unwrap();
        let parameters: Vec<String> = parameters.iter().map(|p| format!("{}={}", p.name, p.values.join("|"))).collect();
        (words.join(" "), parameters.join(" "))
    }

    #[test]
    fn options_with_several_values_become_parameters() {
        for (given, words, parameters) in [
            (
                "julia --scale 1..3 --device cpu,gpu",
                "julia --scale={scale} --device={device} --output=/dev/null",
                "scale=1|2|3 device=cpu|gpu",
            ),
            ("pi --darts=1e6,1e7 --exact", "pi --darts={darts} --exact", "darts=1e6|1e7"),
            ("pi --darts 1e6", "pi --darts=1e6", ""),
            // A value with commas is one value; an option that stands there twice has two.
            ("julia --c 0,0.65 -o a,b.png", "julia --c=0,0.65 --output=a,b.png", ""),
            ("julia --c 0,0.65 --c -0.8,0.156 -ox.png", "julia --c={c} --output=x.png", "c=0,0.65|-0.8,0.156"),
            ("julia --size 64x48,128x96 -o {size}.png", "julia --size={size} --output={size}.png", "size=64x48|128x96"),
            (
                "pi --share-gpus 1,2 --mpi-defaults -q",
                "pi --ranks-per-gpu={ranks-per-gpu} --mpi-defaults --quiet",
                "ranks-per-gpu=1|2",
            ),
        ] {
            assert_eq!(read(given), (words.to_owned(), parameters.to_owned()), "{given}");
        }
    }

    #[test]
    fn what_the_command_does_not_take_is_refused_with_its_name() {
        for (given, expected) in [
            ("where", "where is no command that a sweep can measure: those are julia, mandelbrot, pi; "),
            ("./app", "write -- in front of it: -- ./app"),
            ("julia --colour 1,2", "unexpected argument '--colour' found"),
            ("julia scale", "takes options alone, and scale is none"),
            ("julia --scale 0..3", "invalid value '0' for '--scale <N>': 0 is not in 1..="),
            ("julia --scale 3..1", "--scale: 3..1 goes down"),
            ("julia --scale 2 --scale 2", "--scale: the value 2 stands there twice"),
            ("julia --device cpu,teapot", "teapot"),
            ("julia --scale", "--scale has no value"),
            ("julia --verify=1", "--verify takes no value"),
            ("pi --resume x", "no measurement"),
            ("julia --timings json", "reads the report itself"),
        ] {
            let message = swept(given).expect_err(given);
            assert!(message.contains(expected) && !message.contains('\n'), "{given}: {message}");
        }
    }

    #[test]
    fn each_combination_is_held_against_the_definition() {
        let check = |words: &str| check(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(check("julia --scale=2"), Ok(()));
        let message = check("julia --scale=2 --size=64x48").unwrap_err();
        assert!(message.contains("cannot be used with") && !message.contains('\n'), "{message}");
        assert!(check("where").is_err());
    }
}
