//! What stands above the lines of a written rankfile: how it was made, for which nodes, and how to start with it.

use super::{Host, Plan, launch_line};
use crate::{cli::rankfile::Launcher, rankfile::Dialects, visible::visible};

/// The lines, without the signs of a comment. `file` is what the rankfile will be called, `program` what it is to start.
#[must_use]
pub fn header(hosts: &[Host], plan: &Plan, file: &str, program: &str) -> Vec<String> {
    let on_gpus = plan.ranks.iter().filter(|rank| rank.device.kind() == "gpu").count();
    let mut lines = vec![format!(
        "Made by `hybrid rankfile write` {}: {}, {on_gpus} on a GPU, for {}.",
        env!("CARGO_PKG_VERSION"),
        counted(plan.ranks.len(), "rank"),
        counted(hosts.len(), "node")
    )];
    for Host { name, node } in hosts {
        let ids: Vec<String> =
            node.gpus.iter().map(|gpu| format!("{}{}", gpu.pci_bus_id, gpu.partitions_in_words())).collect();
        let gpus = counted(ids.len(), "GPU");
        let [packages, cores] = [(node.slots_per_package().len(), "package"), (node.allowed_cores().count(), "core")]
            .map(|(n, what)| counted(n, what));
        lines.push(format!("  {name}: {packages}, {cores}, {gpus} {}", ids.join(" ")).trim_end().to_owned());
    }
    let open_mpi =
        [("4.1:", Launcher::OpenMpi4, Dialects::OpenMpi41), ("5:  ", Launcher::OpenMpi5, Dialects::OpenMpi5)];
    // A file for another launcher may have lines that are too long for these.
    let has_room = |dialect| plan.rankfile_for(Some(dialect), &[]).is_ok();
    for (name, launcher, _) in open_mpi.into_iter().filter(|(.., dialect)| has_room(*dialect)) {
        lines.push(format!("  Open MPI {name} {}", launch_line(plan, launcher, file, program).command));
    }
    lines.iter().map(|line| visible(line).into_owned()).collect()
}

/// `no GPU`, `1 core`, `4 ranks`.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::host, *};

    #[test]
    fn it_says_how_the_file_was_made_and_for_which_nodes() {
        let hosts = [host("big", "part-of-a-node"), host("pi", "raspberry-pi")];
        let plan = Plan::of(&hosts, Some(2), 1).unwrap();
        let text = header(&hosts, &plan, "my.rf", "hybrid julia").join("\n");
        for expected in [
            "4 ranks, 2 on a GPU, for 2 nodes.",
            "\n  big: 2 packages, 6 cores, 2 GPUs 0000:07:00.0 0000:88:00.0\n",
            "\n  pi: 1 package, 4 cores, no GPU\n",
            "mpiexec -n 4 -rf my.rf hybrid julia",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
