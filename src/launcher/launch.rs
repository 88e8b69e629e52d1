//! What a launcher told this process, before and beside MPI: which rank it is meant to be. Reads the environment alone.

use std::env;

use super::{
    Launcher, mvapich,
    profile::{LocalSize, RankVariables},
};

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
    /// Its number among the processes of its node, and how many these are, where the launcher tells.
    local: Option<(u32, u32)>,
    /// The variable that has the rank.
    rank_variable: &'static str,
    /// What tells the job from others of the same launcher process.
    job: Vec<String>,
    /// How the names of the launcher's processes begin.
    daemons: &'static [&'static str],
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
            let (rank, size) = (number(ranks.rank)?, number(ranks.size)?);
            let local_size = match ranks.local_size {
                LocalSize::Number(name) => number(name),
                LocalSize::List(name) => {
                    variable(name).map(|list| u32::try_from(list.split(',').count()).unwrap_or(u32::MAX))
                }
                LocalSize::EvenOver(nodes) => number(nodes).filter(|nodes| *nodes > 0).map(|nodes| size / nodes),
            };
            Some(Process {
                launcher: ranks.launcher,
                rank,
                size,
                local: number(ranks.local_rank).zip(local_size).filter(|(number, of)| number < of),
                rank_variable: ranks.rank,
                job: ranks.job.iter().filter_map(|name| variable(name)).collect(),
                daemons: ranks.daemons,
            })
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

    /// The launcher in sentences, this process's rank, and how many there are; one of one where no launcher is known.
    pub(crate) fn rank(&self) -> (&'static str, u32, u32) {
        self.process.as_ref().map_or(("no launcher", 0, 1), |process| (process.launcher, process.rank, process.size))
    }

    /// This process's number among those that the launcher started on this node, and how many these are; `None` where it does not
    /// tell.
    pub(crate) fn local(&self) -> Option<(u32, u32)> {
        self.process.as_ref().map_or(Some((0, 1)), |process| process.local)
    }

    /// The variable by which processes of the job are known, how the names of the launcher's own processes begin, and what tells the
    /// job from others of these.
    pub(crate) fn job(&self) -> Option<(&'static str, &'static [&'static str], &[String])> {
        self.process.as_ref().map(|process| (process.rank_variable, process.daemons, process.job.as_slice()))
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
    fn the_processes_of_a_node_are_counted_as_each_launcher_tells() {
        let of = |variables: &[(&str, &str)]| launch(variables).local();
        assert_eq!(of(&[]), Some((0, 1)));
        let open_mpi = [("OMPI_COMM_WORLD_RANK", "5"), ("OMPI_COMM_WORLD_SIZE", "8")];
        assert_eq!(of(&open_mpi), None);
        let local = [("OMPI_COMM_WORLD_LOCAL_RANK", "1"), ("OMPI_COMM_WORLD_LOCAL_SIZE", "4")];
        assert_eq!(of(&[open_mpi, local].concat()), Some((1, 4)));
        let step =
            [("SLURM_PROCID", "3"), ("SLURM_STEP_NUM_TASKS", "5"), ("SLURM_LOCALID", "1"), ("SLURM_GTIDS", "1,3,4")];
        assert_eq!(of(&step), Some((1, 3)));
        let flux =
            [("FLUX_TASK_RANK", "3"), ("FLUX_JOB_SIZE", "6"), ("FLUX_TASK_LOCAL_ID", "1"), ("FLUX_JOB_NNODES", "3")];
        assert_eq!(of(&flux), Some((1, 2)));
        let hydra = [("PMI_RANK", "1"), ("PMI_SIZE", "2"), ("MPI_LOCALRANKID", "2"), ("MPI_LOCALNRANKS", "2")];
        assert_eq!(of(&hydra), None, "a number beyond the count is nonsense");
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
