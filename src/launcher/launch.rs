//! What a launcher told this process, before and beside MPI: which rank it is meant to be. Reads the environment alone.

use std::env;

use super::{Launcher, mvapich, profile::RankVariables};

/// Of launchers of which nothing else is known. They come first, since MVAPICH's set the variables of MPICH's as well.
const KNOWN_TO_RANKS_ALONE: [&RankVariables; 1] = [&mvapich::RANKS];

/// What a launcher told this process.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Launch {
    process: Option<Process>,
}

/// A process that a launcher started.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    /// The launcher in sentences.
    launcher: &'static str,
    rank: u32,
    size: u32,
}

impl Launch {
    /// Reads the environment.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(|name| env::var(name).ok())
    }

    /// Reads these variables.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name| variable(name).and_then(|value| value.trim().parse::<u32>().ok());
        let launchers = Launcher::all().map(|launcher| &launcher.profile().ranks);
        let process = KNOWN_TO_RANKS_ALONE.into_iter().chain(launchers).find_map(|ranks| {
            ranks.mark.is_none_or(|mark| variable(mark).is_some()).then_some(())?;
            Some(Process { launcher: ranks.launcher, rank: number(ranks.rank)?, size: number(ranks.size)? })
        });
        Self { process }
    }

    /// Whether a launcher started this process.
    #[must_use]
    pub fn is_launched(&self) -> bool {
        self.process.is_some()
    }

    /// Whether this process is the one that may speak for all, as far as the environment knows.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.process.as_ref().is_none_or(|process| process.rank == 0)
    }

    /// Whether a launcher started other processes beside this one.
    #[must_use]
    pub fn has_company(&self) -> bool {
        self.company().is_some()
    }

    /// The launcher that started others beside this process, in sentences, and how many they are together.
    pub(crate) fn company(&self) -> Option<(&'static str, u32)> {
        self.process.as_ref().filter(|process| process.size > 1).map(|process| (process.launcher, process.size))
    }

    /// Whether it was this launcher, as far as the environment tells its version.
    pub(super) fn is_by(&self, launcher: Launcher) -> bool {
        self.process.as_ref().is_some_and(|process| process.launcher == launcher.profile().ranks.launcher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(variables: &[(&str, &str)]) -> Launch {
        Launch::of(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn no_launcher_is_one_rank_that_speaks() {
        let alone = launch(&[]);
        assert!(alone.speaks() && !alone.has_company() && !alone.is_launched());
    }

    #[test]
    fn only_rank_0_speaks() {
        assert!(launch(&[("PMI_RANK", "0"), ("PMI_SIZE", "3")]).speaks());
        assert!(!launch(&[("PMI_RANK", "2"), ("PMI_SIZE", "3")]).speaks());
    }

    #[test]
    fn a_batch_script_is_no_step() {
        assert!(!launch(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")]).has_company());
    }

    #[test]
    fn a_launcher_that_sets_anothers_variables_too_is_known_by_its_own() {
        let hydra = [("PMI_RANK", "1"), ("PMI_SIZE", "2")];
        let mvapich = [hydra[0], hydra[1], ("MV2_COMM_WORLD_RANK", "1"), ("MV2_COMM_WORLD_SIZE", "2")];
        let step = [hydra[0], hydra[1], ("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "2")];
        assert!(
            launch(&mvapich).company() == Some(("MVAPICH's launcher", 2)) && !launch(&mvapich).is_by(Launcher::Mpich)
        );
        assert!(launch(&step).is_by(Launcher::Mpich) && !launch(&step).is_by(Launcher::Slurm));
        for (mark, launcher) in [("I_MPI_HYDRA_UUID", Launcher::IntelMpi), ("PALS_RANKID", Launcher::Pals)] {
            assert!(launch(&[hydra[0], hydra[1], (mark, "1")]).is_by(launcher), "{mark}");
        }
        let flux = [hydra[0], hydra[1], ("FLUX_TASK_RANK", "1"), ("FLUX_JOB_SIZE", "2")];
        assert!(launch(&flux).is_by(Launcher::Flux));
    }
}
