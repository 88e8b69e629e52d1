//! What installs this program's command line where people look for help: completions of a shell and pages of the manual. Made
//! of the definition of the command line, so they know every flag.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// Options of `hybrid completions`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

impl CompletionsArgs {
    /// The completions, as a script of the shell.
    #[must_use]
    pub fn text(&self) -> String {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "hybrid", &mut script);
        String::from_utf8(script).expect("names of flags are text")
    }
}

/// Options of `hybrid man`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct ManArgs {
    /// The subcommand that the page is about, such as julia or rankfile check; without it, the page is about hybrid.
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl ManArgs {
    /// The page, in the language of man.
    ///
    /// # Errors
    /// What to say where there is no such subcommand.
    pub fn text(&self) -> Result<String, String> {
        let mut hybrid = Cli::command().disable_help_subcommand(true);
        hybrid.build();
        let mut about = &hybrid;
        for name in &self.command {
            about = about.find_subcommand(name).ok_or_else(|| {
                let known: Vec<&str> = about.get_subcommands().map(clap::Command::get_name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                format!("{} has no subcommand {name}: it has {known}", about.get_bin_name().unwrap_or("hybrid"))
            })?;
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(about.clone()).render(&mut page).expect("written to memory");
        Ok(String::from_utf8(page).expect("help is text"))
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    fn page(command: &[&str]) -> Result<String, String> {
        ManArgs { command: command.iter().map(|&name| name.to_owned()).collect() }.text()
    }

    #[test]
    fn every_shell_completes_commands_and_flags() {
        for &shell in Shell::value_variants() {
            let script = CompletionsArgs { shell }.text();
            for word in ["mandelbrot", "rankfile", "max-iter", "software-gpu"] {
                assert!(script.contains(word), "{shell}: {word} in {script}");
            }
        }
    }

    #[test]
    fn every_command_has_a_page_of_its_name() {
        let mut open: Vec<(Vec<String>, clap::Command)> = vec![(Vec::new(), Cli::command())];
        while let Some((names, command)) = open.pop() {
            let words: Vec<&str> = names.iter().map(String::as_str).collect();
            let page = page(&words).unwrap();
            let title = [&["hybrid"], words.as_slice()].concat().join("\\-");
            let has_title = page
                .lines()
                .any(|line| line.starts_with(".TH") && line.replace("\\-", "-").contains(&title.replace("\\-", "-")));
            assert!(has_title, "{title} in {page}");
            for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
                assert!(page.contains(&format!("\\-\\-{}", flag.replace('-', "\\-"))), "--{flag} in {page}");
            }
            let below = command.get_subcommands().cloned();
            open.extend(below.map(|below| ([names.clone(), vec![below.get_name().to_owned()]].concat(), below)));
        }
    }

    #[test]
    fn a_command_that_there_is_not_is_told_with_those_that_there_are() {
        let message = page(&["rankfile", "chek"]).unwrap_err();
        assert_eq!(message, "hybrid rankfile has no subcommand chek: it has check, explain, command, convert, write");
    }
}
