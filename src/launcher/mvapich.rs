//! MVAPICH, known to the ranks that its launchers start. How these are told where ranks belong is not known here.

use super::profile::{LocalSize, RankVariables};

pub(super) static RANKS: RankVariables = RankVariables {
    launcher: "MVAPICH's launcher",
    rank: "MV2_COMM_WORLD_RANK",
    size: "MV2_COMM_WORLD_SIZE",
    mark: None,
    local_rank: "MV2_COMM_WORLD_LOCAL_RANK",
    local_size: LocalSize::Number("MV2_COMM_WORLD_LOCAL_SIZE"),
    job: &[],
    daemons: &["hydra_pmi_proxy", "mpispawn", "mpiexec", "mpirun"],
};
