//! Options of `hybrid run`: the place of each process, and the program that takes it.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::DeviceArgs;
use crate::request::DeviceRequest;

/// Options of `hybrid run`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct RunArgs {
    /// auto: what the comment on the rank's line of the rankfile says, else a GPU for each rank that one is left for and
    /// CPU cores for the others; or, for all ranks, cpu, gpu, or a GPU's PCI bus id such as 0000:65:00.0.
    #[arg(long, value_name = "auto|cpu|gpu|PCI bus id", default_value = "auto")]
    pub device: DeviceRequest,
    /// Ranks that may share one GPU.
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub ranks_per_gpu: u16,
    /// Threads of each rank, as OMP_NUM_THREADS [default: one for each core of its place].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// The rankfile that has the places, instead of HYBRID_RANKFILE or what the launcher tells. Read on each host.
    #[arg(long, value_name = "FILE")]
    pub rankfile: Option<PathBuf>,
    /// Slots of the rankfile are hardware threads, as for mpiexec --use-hwthread-cpus.
    #[arg(long)]
    pub use_hwthread_cpus: bool,
    /// Print the place of each rank and what would be set, and start nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Seconds in which all ranks of a node must have been started.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    pub patience: u16,
    /// The program with its words, behind `--`.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub program: Vec<OsString>,
}

impl RunArgs {
    /// What of it is as in all commands that look for devices.
    #[must_use]
    pub fn devices(&self) -> DeviceArgs {
        DeviceArgs {
            device: self.device,
            software_gpu: false,
            ranks_per_gpu: self.ranks_per_gpu,
            threads: self.threads,
            rankfile: self.rankfile.clone(),
            use_hwthread_cpus: self.use_hwthread_cpus,
            exact: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Command, tests::command};

    #[test]
    fn the_program_keeps_its_own_options() {
        let Ok(Command::Run(args)) = command("run --threads 2 -- app --threads 9 -- x") else { panic!("run") };
        assert_eq!((args.threads, args.program.len()), (Some(2), 5));
        for words in ["run", "run --", "run app"] {
            assert!(command(words).is_err(), "{words}");
        }
    }
}
