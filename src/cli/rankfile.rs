//! Options of `hybrid rankfile`: what to check, to explain or to write, and for which nodes and launchers.

use std::{path::PathBuf, str::FromStr};

use std::sync::LazyLock;

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValue};

use crate::{
    launcher::{Dialect, Launcher},
    request::{CoreKind, Reserve, Split},
    topology::SlotUnit,
};

/// What to do with a rankfile.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum RankfileCommand {
    /// Name what a launcher will misread or refuse. Silent for a clean file; exit code 1 on an error.
    Check(CheckArgs),
    /// Say rank by rank what a rankfile asks for and what Open MPI 4.1, 5 and 6 really do, with a drawing of each node.
    Explain(ExplainArgs),
    /// Print the command that starts a job as a rankfile says, with the launcher that is found here.
    Command(CommandArgs),
    /// Tell the places of a rankfile, or of a launcher's command, to another launcher.
    Convert(ConvertArgs),
    /// Make one: for the nodes it is started on (one rank on each is enough), or for stored topologies.
    Write(WriteArgs),
}

/// Options of `hybrid rankfile check`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct CheckArgs {
    /// The rankfile; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The Open MPI that the file is meant for.
    #[arg(long, value_enum, default_value_t = Dialects::Any)]
    pub dialect: Dialects,
    /// Nodes to compare the file with.
    #[command(flatten)]
    pub nodes: NodeArgs,
    /// Number of ranks that the job is started with, as in mpiexec -n.
    #[arg(short = 'n', value_name = "RANKS", value_parser = clap::value_parser!(u32).range(1..))]
    pub ranks: Option<u32>,
    /// For people, or a JSON list for editors and CI.
    #[arg(long, value_enum, default_value_t = FindingsFormat::Text)]
    pub format: FindingsFormat,
}

/// Options of `hybrid rankfile explain`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct ExplainArgs {
    /// The rankfile; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Nodes to explain the file on.
    #[command(flatten)]
    pub nodes: NodeArgs,
}

/// Options of `hybrid rankfile command`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct CommandArgs {
    /// The rankfile.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Nodes of the file, for launchers that read none.
    #[command(flatten)]
    pub nodes: NodeArgs,
    /// The launcher to print the command for.
    #[arg(long, value_enum, help = launcher_help())]
    pub launcher: Option<Launcher>,
    /// What each rank runs, behind `--`.
    #[arg(last = true, value_name = "PROGRAM", default_values = ["hybrid", "julia"])]
    pub program: Vec<String>,
}

/// Options of `hybrid rankfile convert`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct ConvertArgs {
    /// The rankfile, or a file with the launcher's command; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The launcher to tell: its command is printed, or the rankfile that it reads.
    #[arg(long, value_enum, value_name = "LAUNCHER")]
    pub to: Launcher,
    /// What FILE is: a rankfile as it is meant or as a version of Open MPI reads it, or the command of another launcher.
    #[arg(long, value_enum, value_name = "LAUNCHER", default_value_t = Source::Rankfile)]
    pub from: Source,
    /// Nodes that FILE names.
    #[command(flatten)]
    pub nodes: NodeArgs,
    /// Where to write; without it what the launcher is told is printed.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What each rank runs, behind `--` [default: what the command in FILE runs, or else hybrid julia].
    #[arg(last = true, value_name = "PROGRAM")]
    pub program: Vec<String>,
}

/// What says where ranks belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A rankfile as its author means it.
    Rankfile,
    /// A rankfile as a launcher reads it, or a launcher's command.
    Launcher(Launcher),
}

impl ValueEnum for Source {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<Source>> =
            LazyLock::new(|| [Source::Rankfile].into_iter().chain(Launcher::ALL.map(Source::Launcher)).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Rankfile => PossibleValue::new("rankfile").help("A rankfile as it is meant"),
            Self::Launcher(launcher) => {
                let name = launcher.start().name;
                let help = match launcher.dialect() {
                    Some(dialect) => format!("A rankfile as Open MPI {} reads it", dialect.version()),
                    None => format!("A command of {}", launcher.start().help),
                };
                PossibleValue::new(name).help(help)
            }
        })
    }
}

/// Options of `hybrid rankfile write`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct WriteArgs {
    /// Where to write; without it the file is printed.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Nodes to write for instead of those this is started on, in the order of the ranks.
    #[command(flatten)]
    pub nodes: NodeArgs,
    /// Ranks on each node [default: one for each GPU and one more for each NUMA node, at most one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub ranks_per_node: Option<u32>,
    /// Ranks that may share one GPU.
    #[arg(
        long, alias = "share-gpus", value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub ranks_per_gpu: u16,
    /// Cores that are kept for the system on each node: the first so many, or l3 for the first of each third-level cache.
    #[arg(long, value_name = "N|l3")]
    pub reserve: Option<Reserve>,
    /// The cores that ranks may have, on processors with several kinds.
    #[arg(long, value_enum)]
    pub core_kind: Option<CoreKind>,
    /// What no rank spans where there are enough ranks.
    #[arg(long, value_enum, default_value_t = Split::Numa)]
    pub split: Split,
    /// A rankfile, or a JSON list of {rank, host, cpuset, cores, gpu}.
    #[arg(long, value_enum, default_value_t = PlanFormat::Rankfile)]
    pub format: PlanFormat,
    /// The launcher to print the command for.
    #[arg(long, value_enum, help = launcher_help())]
    pub launcher: Option<Launcher>,
}

impl ValueEnum for CoreKind {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Performance, Self::Efficiency]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Performance => PossibleValue::new("performance").help("The most capable kind"),
            Self::Efficiency => PossibleValue::new("efficiency").help("All others"),
        })
    }
}

impl ValueEnum for Split {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Numa, Self::L3]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Numa => PossibleValue::new("numa").help("A NUMA node"),
            Self::L3 => PossibleValue::new("l3").help("A third-level cache; without --ranks-per-node each has a rank"),
        })
    }
}

/// Nodes described by files.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct NodeArgs {
    /// A node and its hwloc description, as `lstopo FILE.xml` writes it there; repeatable.
    #[arg(long, value_name = "HOST=FILE.xml")]
    pub topology: Vec<HostTopology>,
    /// Slots are hardware threads, as for mpiexec --use-hwthread-cpus and --map-by rankfile:hwtcpus; without it they are cores.
    #[arg(long)]
    pub use_hwthread_cpus: bool,
}

impl NodeArgs {
    /// What slots count.
    #[must_use]
    pub fn slot_unit(&self) -> SlotUnit {
        if self.use_hwthread_cpus { SlotUnit::Thread } else { SlotUnit::Core }
    }
}

/// A host's name and the file that describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostTopology {
    /// The host as the rankfile names it.
    pub host: String,
    /// XML of hwloc.
    pub file: PathBuf,
}

impl FromStr for HostTopology {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((host, file)) if !host.is_empty() && !file.is_empty() => {
                Ok(Self { host: host.to_owned(), file: PathBuf::from(file) })
            }
            _ => Err("expected HOST=FILE.xml, such as node1=node1.xml".to_owned()),
        }
    }
}

/// The dialects that a file is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialects {
    /// This one.
    One(Dialect),
    /// Any of them.
    Any,
}

impl Dialects {
    /// Each of them.
    #[must_use]
    pub fn dialects(&self) -> &[Dialect] {
        match self {
            Self::One(dialect) => std::slice::from_ref(dialect),
            Self::Any => &Dialect::ALL,
        }
    }
}

impl ValueEnum for Dialects {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<Dialects>> =
            LazyLock::new(|| Dialect::ALL.map(Dialects::One).into_iter().chain([Dialects::Any]).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::One(dialect) => {
                PossibleValue::new(dialect.short_version()).help(format!("Open MPI {}", dialect.version()))
            }
            Self::Any => PossibleValue::new("any").alias("both").help("Any of them"),
        })
    }
}

/// Forms of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FindingsFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Forms of a written placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For Open MPI.
    Rankfile,
    /// For programs.
    Json,
}

impl ValueEnum for Launcher {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let start = self.start();
        Some(PossibleValue::new(start.name).help(start.help))
    }
}

fn launcher_help() -> String {
    let programs: Vec<&str> = Launcher::programs().collect();
    format!("The launcher to print the command for [default: the {}, that is found]", programs.join(", or else the "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, tests::command};

    fn rankfile(words: &str) -> Result<RankfileCommand, String> {
        match command(&format!("rankfile {words}"))? {
            Command::Rankfile { command } => Ok(command),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_dialects_are_checked_unless_one_is_named() {
        let RankfileCommand::Check(args) = rankfile("check a.rankfile").unwrap() else { panic!("check") };
        assert_eq!((args.dialect, args.ranks), (Dialects::Any, None));
        let RankfileCommand::Check(args) = rankfile("check --dialect 4.1 -n 3 a").unwrap() else { panic!("check") };
        assert_eq!((args.dialect, args.ranks), (Dialects::One(Dialect::OpenMpi41), Some(3)));
    }

    #[test]
    fn ranks_per_gpu_has_a_hidden_name_from_before() {
        for name in ["--ranks-per-gpu", "--share-gpus"] {
            let RankfileCommand::Write(args) = rankfile(&format!("write {name} 3")).unwrap() else { panic!("write") };
            assert_eq!(args.ranks_per_gpu, 3, "{name}");
        }
    }

    #[test]
    fn topologies_keep_the_order_they_are_given_in() {
        let words = "write --topology b=x=1.xml --topology a=y.xml";
        let RankfileCommand::Write(args) = rankfile(words).unwrap() else { panic!("write") };
        let given: Vec<(&str, &str)> =
            args.nodes.topology.iter().map(|given| (given.host.as_str(), given.file.to_str().unwrap())).collect();
        assert_eq!(given, [("b", "x=1.xml"), ("a", "y.xml")]);
    }

    #[test]
    fn wrong_words_are_named_with_the_way_out() {
        for (words, expected) in [
            ("check", "<FILE>"),
            ("check a --dialect 7", "4.1, 5, 6, any"),
            ("check a -n 0", "0 is not in 1.."),
            ("check a --format xml", "text, json"),
            ("check a --topology node1", "HOST=FILE.xml"),
            ("check a --topology =x.xml", "HOST=FILE.xml"),
            ("write --ranks-per-node 0", "0 is not in 1..=65536"),
            ("write --ranks-per-node 65537", "1..=65536"),
            ("write --ranks-per-gpu 0", "0 is not in 1.."),
            ("write --reserve 0", "a number of cores from 1 on, or l3"),
            ("write --reserve l2", "a number of cores from 1 on, or l3"),
            ("write --launcher lam", "openmpi4, openmpi5, openmpi6, intelmpi, flux, pals, mpich, slurm"),
            ("write --format yaml", "rankfile, json"),
        ] {
            let message = rankfile(words).expect_err(words);
            assert!(message.contains(expected), "{words}: {message}");
        }
    }
}
