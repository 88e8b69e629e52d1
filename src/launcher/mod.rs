//! The launchers that this program knows: programs that start MPI jobs. All that is known of one stands in a file of its own:
//! how ranks know it by their environment, what its program says of itself, what it tells of a rankfile and how it reads it,
//! and how it starts a job whose places are planned.
//!
//! To add one: a file with a `Profile`, which has no defaults, and a variant of [`Launcher`]; the compiler names the rest. A
//! launcher that reads rankfiles in a way of its own is a variant of [`Dialect`] besides. Of a launcher that is only known to the
//! ranks it starts, such as MVAPICH's, there is a file with `RankVariables` and a line in `launch.rs`.
//!
//! Starts nothing and calls no MPI. What an MPI *library* is to find in the environment is set by
//! [`environment`](crate::environment), whatever starts the job.

mod command_line;
mod dialect;
mod flux;
mod hydra;
mod intel_mpi;
mod job;
mod launch;
mod listed;
mod mpich;
mod mvapich;
mod open_mpi;
mod pals;
mod profile;
mod rankfile_path;
mod shell;
mod slurm;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    command_line::{CommandLine, FileLines, Told, Unread},
    job::{Job, JobRank, LaunchLine, Untold},
    open_mpi::sharing,
    profile::{ReadCommand, Start},
    rankfile_path::{FollowedRankfile, OWN_VARIABLE, followed_rankfile, told_slot_unit},
    shell::{shell_command, shell_word, shell_words},
};
pub use self::{
    dialect::{ByDialect, Dialect},
    job::Following,
    launch::Launch,
};
use self::{
    listed::listed,
    profile::{Profile, RankfileReader},
};

listed! {
    /// A program that starts MPI jobs and can be told where ranks belong, as far as versions matter. A process knows its launcher
    /// by the first whose variables are set: one that sets another's as well comes before that.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub enum Launcher {
        /// `mpiexec` of Open MPI up to 4.1.
        OpenMpi4,
        /// `mpiexec` of Open MPI 5.
        OpenMpi5,
        /// `mpiexec` of Open MPI 6 and later.
        OpenMpi6,
        /// `mpiexec` of Intel MPI.
        IntelMpi,
        /// `flux run`.
        Flux,
        /// `mpiexec` of PALS, on Cray systems.
        Pals,
        /// `mpiexec` of MPICH (Hydra).
        Mpich,
        /// `srun` of Slurm.
        Slurm,
    }
}

impl Launcher {
    /// What is known of it.
    const fn profile(self) -> &'static Profile {
        match self {
            Self::OpenMpi4 => &open_mpi::UP_TO_4,
            Self::OpenMpi5 => &open_mpi::ONLY_5,
            Self::OpenMpi6 => &open_mpi::FROM_6,
            Self::IntelMpi => &intel_mpi::PROFILE,
            Self::Flux => &flux::PROFILE,
            Self::Pals => &pals::PROFILE,
            Self::Mpich => &mpich::PROFILE,
            Self::Slurm => &slurm::PROFILE,
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// The launcher whose program prints this text for `--version`; `None` for one that is not known here.
    #[must_use]
    pub fn of_version(text: &str) -> Option<Self> {
        Self::all().find(|launcher| (launcher.start().is_version)(text))
    }

    /// The launcher that started a rank, as far as that is known from what it told and from the name and version of the MPI
    /// library that the rank is linked to.
    #[must_use]
    pub(crate) fn of_job(launch: &Launch, library: &str) -> Option<Self> {
        // One that starts programs of any MPI is not known by the library.
        let of_any = Self::all().find(|launcher| launcher.profile().library.is_none() && launch.is_by(*launcher));
        of_any.or_else(|| Self::of_library(library))
    }

    /// The launcher that comes with an MPI library, which is known by its name and version.
    #[must_use]
    pub(crate) fn of_library(library: &str) -> Option<Self> {
        Self::all().find(|launcher| launcher.profile().library.is_some_and(|is_of| is_of(library)))
    }

    /// How it starts a planned job.
    #[must_use]
    pub(crate) const fn start(self) -> &'static Start {
        &self.profile().start
    }

    /// How it reads a rankfile; `None` for a launcher that reads none.
    const fn rankfile(self) -> Option<&'static RankfileReader> {
        self.profile().rankfile.as_ref()
    }

    /// How it understands what stands in a rankfile; `None` for a launcher that reads none.
    #[must_use]
    pub fn dialect(self) -> Option<Dialect> {
        self.rankfile().map(|reader| reader.dialect)
    }

    /// The options with which it follows a rankfile; `None` for a launcher that reads none.
    #[must_use]
    pub fn rankfile_options(self, following: Following<'_>) -> Option<String> {
        self.rankfile().map(|reader| (reader.options)(following))
    }

    /// What `text` makes of each launcher that reads rankfiles, by the dialect in which it does.
    pub(crate) fn by_dialect<T>(mut text: impl FnMut(Self) -> Option<T>) -> ByDialect<Option<T>> {
        ByDialect::of(|dialect| Self::all().find(|launcher| launcher.dialect() == Some(dialect)).and_then(&mut text))
    }

    /// The options with which it binds each rank to so many cores of its own, where that takes no plan.
    #[must_use]
    pub(crate) fn binding_options(self, ranks: usize, cores: usize) -> Option<String> {
        self.profile().binding_options.map(|options| options(ranks, cores))
    }

    /// The programs of all launchers, each once.
    pub(crate) fn programs() -> impl Iterator<Item = &'static str> {
        let mut seen = BTreeSet::new();
        Self::all().map(|launcher| launcher.start().program).filter(move |program| seen.insert(*program))
    }

    /// Whether a variable marks the processes of a job of any launcher.
    #[must_use]
    pub(crate) fn is_variable_of_a_job(variable: &str) -> bool {
        Self::all().any(|launcher| launcher.profile().job_variables.iter().any(|prefix| variable.starts_with(prefix)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_known_by_what_they_say() {
        for (text, expected) in [
            (
                "mpiexec (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/",
                Some(Launcher::OpenMpi4),
            ),
            ("mpirun (Open MPI) 3.1.3", Some(Launcher::OpenMpi4)),
            ("mpirun (Open MPI) 4.1.6", Some(Launcher::OpenMpi4)),
            ("mpiexec (Open MPI) 5.0.11\n", Some(Launcher::OpenMpi5)),
            ("mpirun (Open MPI) v5.0.0rc12", Some(Launcher::OpenMpi5)),
            ("mpiexec (Open MPI) 6.0.0rc2\n", Some(Launcher::OpenMpi6)),
            ("mpirun (Open MPI) 10.0.0", Some(Launcher::OpenMpi6)),
            ("prterun (PRRTE) 3.0.7", Some(Launcher::OpenMpi5)),
            ("prterun (PRRTE) 5.0.0rc1", Some(Launcher::OpenMpi6)),
            ("HYDRA build details:\n    Version:                                 4.0.2\n", Some(Launcher::Mpich)),
            ("slurm-wlm 22.05.8\n", Some(Launcher::Slurm)),
            ("slurm 23.11.4", Some(Launcher::Slurm)),
            ("Intel(R) MPI Library for Linux* OS, Version 2021.11 Build 20231005", Some(Launcher::IntelMpi)),
            ("commands:    \t\t0.65.0\nlibflux-core:\t\t0.65.0\n", Some(Launcher::Flux)),
            ("mpiexec (Open MPI)", None),
            ("", None),
        ] {
            assert_eq!(Launcher::of_version(text), expected, "{text}");
        }
    }

    #[test]
    fn the_library_tells_the_launcher_unless_one_for_any_mpi_started_the_job() {
        let alone = Launch::default();
        for (library, expected) in [
            ("Open MPI v4.1.4", Some(Launcher::OpenMpi4)),
            ("Open MPI v5.0.7", Some(Launcher::OpenMpi5)),
            ("Open MPI v6.0.0rc2", Some(Launcher::OpenMpi6)),
            ("MPICH 5.0.2", Some(Launcher::Mpich)),
            ("MVAPICH2 2.3.7", None),
            ("Intel(R) MPI Library 2021.19 for Linux* OS", Some(Launcher::IntelMpi)),
            ("", None),
        ] {
            assert_eq!(Launcher::of_job(&alone, library), expected, "{library}");
        }
        let step = Launch::of(|name| name.starts_with("SLURM_").then(|| "1".to_owned()));
        assert_eq!(Launcher::of_job(&step, "Open MPI v4.1.4"), Some(Launcher::Slurm));
    }

    #[test]
    fn words_and_programs_are_told_apart() {
        let words: BTreeSet<&str> = Launcher::all().map(|launcher| launcher.start().name).collect();
        assert_eq!(words.len(), Launcher::ALL.len(), "{words:?}");
        assert_eq!(Launcher::programs().filter(|program| *program == "mpiexec").count(), 1);
        assert_eq!(Launcher::programs().next(), Some("mpiexec"));
    }

    #[test]
    fn only_launchers_of_open_mpi_read_rankfiles_and_each_has_a_dialect_of_its_own() {
        let dialects: Vec<Dialect> = Launcher::all().filter_map(Launcher::dialect).collect();
        assert_eq!(dialects, Dialect::ALL);
    }
}
