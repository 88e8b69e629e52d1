//! Why there is no plan of a job, or no rankfile of a plan.

use crate::{
    launcher::Launcher,
    placement::PlacementError,
    rankfile::{Misfit, WriteError},
    request::Reserve,
    words::counted,
};

/// Why a job cannot be planned as it is wanted.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Two nodes have one name.
    #[error(
        "ranks cannot be placed: two nodes are called {0}, and a rankfile knows nodes by name alone: give them different host names"
    )]
    SameName(String),
    /// No core is left beside those that are to be kept, or none can be kept as is wanted.
    #[error(
        "ranks cannot be placed: {}",
        match reserve {
            Reserve::First(count) => format!("--reserve keeps {} for the system, and {host} has {cores}: keep fewer", counted(*count, "core")),
            Reserve::EachL3 => format!(
                "--reserve l3 keeps a core of each third-level cache, and {host} has none that is known, or one core for each: say how many \
                 cores to keep"
            ),
        }
    )]
    NothingLeft {
        /// The host.
        host: String,
        /// What is to be kept.
        reserve: Reserve,
        /// Its cores.
        cores: usize,
    },
    /// A rank asks for a core that its host has not.
    #[error(
        "ranks cannot be placed: rank {rank} asks for slot={slots} of {host}, which has not so many ({misfit}): `hybrid rankfile \
         write` makes a file for the cores that there are"
    )]
    NoSuchSlots {
        /// The rank.
        rank: u32,
        /// The cores, as the rankfile names them.
        slots: String,
        /// The host, as the rankfile names it.
        host: String,
        /// In what they do not fit.
        misfit: Misfit,
    },
    /// A word that is no name of a host.
    #[error(
        "ranks cannot be placed: rank {rank}: '{host}' is no name of a host: write each host by its name or its IPv4 address"
    )]
    NoHost {
        /// The rank.
        rank: u32,
        /// The word.
        host: String,
    },
    /// A rank is to have hardware threads that its host has not, or not for this job.
    #[error("ranks cannot be placed: rank {rank} is to have hardware threads {pus} of {host}, which has {usable}")]
    NoSuchPus {
        /// The rank.
        rank: u32,
        /// The host.
        host: String,
        /// Those that are not there.
        pus: String,
        /// Those that are.
        usable: String,
    },
    /// A rank has hardware threads that are not all those of their cores.
    #[error(
        "ranks cannot be placed: rank {rank} has hardware threads {pus} of {host}, a part of the cores that have {whole}, and a rankfile \
         counts whole cores: give the rank all of them, count hardware threads with --use-hwthread-cpus, or choose another launcher"
    )]
    HalfCore {
        /// The rank.
        rank: u32,
        /// Its hardware threads.
        pus: String,
        /// The host.
        host: String,
        /// All of those that its cores have.
        whole: String,
    },
    /// A name or a list of cores is one that a launcher would refuse or misread.
    #[error("ranks cannot be placed: {reason}{}", way_out(reason))]
    Unwritable {
        /// Which, and why.
        reason: WriteError,
    },
    /// The ranks and a node do not fit together.
    #[error(transparent)]
    Placement(#[from] PlacementError),
}

impl From<PlanError> for crate::error::Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Placement(error) => error.into(),
            other => Self::Module(Box::new(other)),
        }
    }
}

/// What else helps than what the writer of rankfiles knows: the cores are this program's own choice.
fn way_out(error: &WriteError) -> String {
    match error {
        WriteError::TooLong { .. } => {
            let names = without_rankfile();
            let (last, others) = names.split_last().expect("there are some");
            format!(
                "; or leave --ranks-per-node away, then hardly a rank has its cores in pieces; --launcher {} and {last} have no such \
                 limit",
                others.join(", ")
            )
        }
        _ => String::new(),
    }
}

/// The launchers that read no rankfile, as the command line calls them.
fn without_rankfile() -> Vec<&'static str> {
    let launchers = Launcher::ALL.into_iter().filter(|launcher| launcher.dialect().is_none());
    launchers.map(|launcher| launcher.start().name).collect()
}
