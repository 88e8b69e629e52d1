//! What stands above the lines of a written rankfile: how it was made, for which nodes, and how to start with it.

use super::{Host, Plan, launch_line};
use crate::{launcher::Launcher, topology::SlotUnit, visible::visible, words::none_or_counted};

/// The lines, without the signs of a comment. `file` is what the rankfile will be called, `program` what it is to start.
#[must_use]
pub fn header(hosts: &[Host], plan: &Plan, file: &str, program: &str) -> Vec<String> {
    let on_gpus = plan.ranks.iter().filter(|rank| rank.device.kind() == "gpu").count();
    let mut lines = vec![format!(
        "Made by `hybrid rankfile write` {}: {}, {on_gpus} on a GPU, for {}.",
        env!("CARGO_PKG_VERSION"),
        none_or_counted(plan.ranks.len(), "rank"),
        none_or_counted(hosts.len(), "node")
    )];
    for Host { name, node } in hosts {
        let ids: Vec<String> =
            node.gpus.iter().map(|gpu| format!("{}{}", gpu.pci_bus_id, gpu.partitions_in_words())).collect();
        let gpus = none_or_counted(ids.len(), "GPU");
        let [packages, cores] = [(node.cores_per_package().len(), "package"), (node.allowed_cores().count(), "core")]
            .map(|(n, what)| none_or_counted(n, what));
        lines.push(format!("  {name}: {packages}, {cores}, {gpus} {}", ids.join(" ")).trim_end().to_owned());
    }
    if plan.slot_unit == SlotUnit::Thread {
        lines.push(
            "  Slots are hardware threads, as for the commands below; without their options they would be cores."
                .to_owned(),
        );
    }
    let commands = Launcher::by_dialect(|launcher| {
        // A file for another launcher may have lines that are too long for this one.
        plan.rankfile_for(&[launcher.dialect()?], &[]).ok()?;
        Some(launch_line(plan, launcher, file, program).ok()?.command)
    });
    let width = commands.by_versions().map(|(versions, _)| versions.len() + ":".len()).max().unwrap_or_default();
    for (versions, command) in commands.by_versions() {
        lines.push(format!("  Open MPI {:width$} {command}", format!("{versions}:")));
    }
    lines.iter().map(|line| visible(line).into_owned()).collect()
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
