//! Options of `hybrid info`: the form in which the system is told.

use clap::{Args, ValueEnum};

/// Options of `hybrid info`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct InfoArgs {
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = InfoFormat::Table)]
    pub format: InfoFormat,
    /// Only the vector S(N,p,c,t): nodes, processors of a node, cores of a processor, hardware threads of a core; a line for each
    /// kind of nodes.
    #[arg(short, long, conflicts_with_all = ["format", "totals"])]
    pub vector: bool,
    /// Only the vector of totals S^T(N, N*p, N*p*c, N*p*c*t).
    #[arg(short, long, conflicts_with = "format")]
    pub totals: bool,
}

/// Forms of what `hybrid info` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InfoFormat {
    /// Tables to read, one for each kind of nodes.
    Table,
    /// One JSON object, with every node.
    Json,
}

#[cfg(test)]
mod tests {
    use crate::cli::{Command, tests::command};

    #[test]
    fn one_form_is_chosen() {
        let Ok(Command::Info(args)) = command("info -v") else { panic!("info") };
        assert!(args.vector && !args.totals);
        for words in ["info -v -t", "info -v --format json", "info --format xml"] {
            assert!(command(words).is_err(), "{words}");
        }
    }
}
