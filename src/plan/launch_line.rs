//! The command that starts a plan with each launcher, which knows how.

use super::Plan;
use crate::launcher::{Job, JobRank, LaunchLine, Launcher, Untold};

/// The command that starts `program` (words for a shell) as planned; `file` holds the plan's rankfile.
///
/// # Errors
/// What the launcher cannot be told.
pub(crate) fn launch_line(plan: &Plan, launcher: Launcher, file: &str, program: &str) -> Result<LaunchLine, Untold> {
    let job = Job {
        ranks: plan.ranks.iter().map(|rank| JobRank { host: &rank.host, pus: &rank.cpuset }).collect(),
        shares_cores: plan.shares_cores,
        names_devices: plan.names_devices,
        starts_here: plan.starts_here,
        slot_unit: plan.slot_unit,
        rankfile: file,
        program,
    };
    (launcher.start().line)(&job)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::host, *};

    fn line(hosts: &[(&str, &str)], ranks: u32, launcher: Launcher) -> String {
        let hosts: Vec<_> = hosts.iter().map(|(name, topology)| host(name, topology)).collect();
        let plan = Plan::of(&hosts, Some(ranks), 1).unwrap();
        launch_line(&plan, launcher, "my.rf", "hybrid julia").unwrap().command
    }

    #[test]
    fn open_mpi_reads_the_rankfile_and_5_is_told_where_ranks_share_cores() {
        let pi = [("a", "raspberry-pi")];
        assert_eq!(line(&pi, 4, Launcher::OpenMpi4), "mpiexec -n 4 -rf my.rf hybrid julia");
        assert_eq!(
            line(&pi, 4, Launcher::OpenMpi5),
            "mpiexec -n 4 -H a:4 --map-by rankfile:file=my.rf --bind-to core hybrid julia"
        );
        assert_eq!(
            line(&pi, 5, Launcher::OpenMpi5),
            "mpiexec -n 5 -H a:5 --map-by rankfile:file=my.rf:oversubscribe --bind-to core:overload-allowed hybrid julia"
        );
    }

    #[test]
    fn the_rankfile_is_handed_on_where_it_names_gpus_and_the_launcher_does_not_tell_of_it() {
        for (launcher, start, variable) in [
            (Launcher::OpenMpi4, "mpiexec ", None),
            (Launcher::OpenMpi5, "mpiexec ", Some(" -x HYBRID_RANKFILE=my.rf ")),
            (Launcher::Mpich, "mpiexec -genv HYBRID_RANKFILE my.rf ", Some("-genv HYBRID_RANKFILE my.rf ")),
            (Launcher::Slurm, "HYBRID_RANKFILE=my.rf srun ", Some("HYBRID_RANKFILE=my.rf ")),
        ] {
            let named = line(&[("a", "part-of-a-node")], 2, launcher);
            assert!(named.starts_with(start) && variable.is_none_or(|variable| named.contains(variable)), "{named}");
            let plain = line(&[("a", "raspberry-pi")], 2, launcher);
            assert!(!plain.contains("HYBRID_RANKFILE"), "{plain}");
        }
    }

    #[test]
    fn open_mpi_5_knows_of_itself_only_the_machine_it_is_on() {
        let mut plan = Plan::of(&[host("a", "raspberry-pi")], Some(2), 1).unwrap();
        plan.starts_here = true;
        let line = launch_line(&plan, Launcher::OpenMpi5, "my.rf", "p").unwrap().command;
        assert_eq!(line, "mpiexec -n 2 --map-by rankfile:file=my.rf --bind-to core p");
    }

    #[test]
    fn open_mpi_5_is_told_the_slots_of_several_hosts() {
        assert_eq!(
            line(&[("b", "raspberry-pi"), ("a", "raspberry-pi")], 2, Launcher::OpenMpi5),
            "mpiexec -n 4 -H b:2,a:2 --map-by rankfile:file=my.rf --bind-to core hybrid julia"
        );
    }

    #[test]
    fn mpich_and_slurm_are_told_pus_by_the_operating_systems_numbers() {
        let laptops = [("a", "laptop"), ("b", "laptop")];
        assert_eq!(
            line(&laptops, 2, Launcher::Mpich),
            "mpiexec -n 4 -hosts a:2,b:2 -bind-to user:0+1+4+5,2+3+6+7 hybrid julia"
        );
        assert_eq!(
            line(&laptops, 2, Launcher::Slurm),
            r"printf '%s\n' a a b b >my.rf.hosts && SLURM_HOSTFILE=my.rf.hosts srun -n 4 --distribution=arbitrary --cpu-bind=mask_cpu:0x33,0xcc hybrid julia"
        );
        assert_eq!(
            line(&[("a", "raspberry-pi")], 4, Launcher::Slurm),
            "srun -w a -N 1 -n 4 --cpu-bind=map_cpu:0,1,2,3 hybrid julia"
        );
    }

    #[test]
    fn slurm_is_told_where_a_node_gets_more_ranks_than_it_has_processors() {
        assert_eq!(
            line(&[("a", "raspberry-pi")], 5, Launcher::Slurm),
            "srun -w a -N 1 -n 5 --overcommit --cpu-bind=map_cpu:0,1,2,3,0 hybrid julia"
        );
    }

    #[test]
    fn nodes_that_differ_become_parts_of_the_command() {
        let mixed = [("a", "laptop"), ("b", "raspberry-pi")];
        assert_eq!(
            line(&mixed, 1, Launcher::Mpich),
            "mpiexec -hosts a:1,b:1 -bind-to none -n 1 taskset -c 0-7 hybrid julia : -n 1 taskset -c 0-3 hybrid julia"
        );
        assert_eq!(
            line(&mixed, 2, Launcher::Slurm),
            "srun -w a -N 1 -n 2 --cpu-bind=mask_cpu:0x33,0xcc hybrid julia : \
             -w b -N 1 -n 2 --cpu-bind=mask_cpu:0x3,0xc hybrid julia"
        );
    }
}
