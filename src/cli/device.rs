//! Options on where to compute: those of every subcommand that looks for devices, and of any other program that does.

use std::path::PathBuf;

use clap::Args;

use crate::request::DeviceRequest;

/// Where each rank computes; the same for every workload.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(next_help_heading = "Devices")]
pub struct DeviceArgs {
    /// The place of each rank.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Let a software adapter (lavapipe) count as one GPU a node.
    #[arg(long)]
    pub software_gpu: bool,
    /// Refuse a GPU whose results may differ from the definition's in the last bit.
    #[arg(long)]
    pub exact: bool,
}

/// The place of each rank, whatever computes there.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct PlaceArgs {
    /// auto: what the comment on the rank's line of the rankfile says, else a GPU for each rank that one is left for and
    /// CPU cores for the others; or, for all ranks, cpu, gpu, or a GPU's PCI bus id such as 0000:65:00.0.
    /// Anything but auto comes before the rankfile.
    #[arg(long, value_name = "auto|cpu|gpu|PCI bus id", default_value = "auto")]
    pub device: DeviceRequest,
    /// Ranks that may share one GPU.
    #[arg(
        long, alias = "share-gpus", value_name = "N", allow_negative_numbers = true, default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub ranks_per_gpu: u16,
    /// Threads of each CPU rank, and OMP_NUM_THREADS of other programs [default: one for each core of its place].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// The rankfile, where the launcher does not tell of it (Open MPI 4.1 does), instead of HYBRID_RANKFILE. Rank 0 reads it;
    /// `hybrid run` does on each host.
    #[arg(long, value_name = "FILE")]
    pub rankfile: Option<PathBuf>,
    /// Slots of the rankfile are hardware threads, where the launcher was told so and does not tell (Open MPI 4.1 does).
    #[arg(long)]
    pub use_hwthread_cpus: bool,
}

#[cfg(test)]
mod tests {
    use crate::cli::{Command, tests::command};

    /// Scripts have the flag's first name.
    #[test]
    fn ranks_per_gpu_has_a_hidden_name_from_before() {
        for name in ["--ranks-per-gpu", "--share-gpus"] {
            let Ok(Command::Pi(args)) = command(&format!("pi {name} 3")) else { panic!("{name}") };
            assert_eq!(args.device.place.ranks_per_gpu, 3, "{name}");
        }
        for words in ["pi --help", "rankfile write --help"] {
            let help = command(words).expect_err(words);
            assert!(help.contains("--ranks-per-gpu") && !help.contains("share-gpus"), "{help}");
        }
    }

    #[test]
    fn wrong_values_are_named_with_their_limit() {
        for (words, expected) in [
            ("pi --device teapot", "PCI bus id"),
            ("pi --ranks-per-gpu 0", "0 is not in 1.."),
            ("where --threads 65536", "65536 is not in 1..=65535"),
        ] {
            let message = command(words).expect_err(words);
            assert!(message.contains(expected), "{words}: {message}");
        }
    }
}
