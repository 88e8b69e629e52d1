//! Requested against actual: what is wrong or wasteful in the placement of a whole job.

use serde::{Deserialize, Serialize};

use super::{Finding, RankFacts, VulkanFacts, inspect};
use crate::topology::Node;

/// All that is known of one node of the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Its topology.
    pub node: Node,
    /// Its ranks, in local order.
    pub ranks: Vec<RankFacts>,
    /// What Vulkan offers there; `None` where nobody has looked.
    pub vulkan: Option<VulkanFacts>,
}

impl NodeFacts {
    /// Adds what Vulkan offers. The places become those that a run comes to: a rank whose GPU Vulkan does not list computes
    /// on its cores, unless it was told to use a GPU.
    #[must_use]
    pub fn with_vulkan(mut self, vulkan: VulkanFacts) -> Self {
        inspect::without_unlisted(&self.node, &mut self.ranks, &vulkan);
        self.vulkan = Some(vulkan);
        self
    }
}

/// The findings of a job, node by node, warnings before notes.
#[must_use]
pub fn audit(nodes: &[NodeFacts]) -> Vec<Finding> {
    nodes
        .iter()
        .flat_map(|NodeFacts { node, ranks, vulkan }| {
            let mut findings = inspect::of_places(node, ranks);
            findings.extend(inspect::of_a_job(node, ranks));
            findings.extend(vulkan.iter().flat_map(|vulkan| inspect::of_vulkan(node, ranks, vulkan)));
            findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.code));
            findings
        })
        .collect()
}

/// The findings of ranks of one node that are yet to be started, as [`map_ranks`](super::map_ranks) places them.
#[must_use]
pub fn foresee(node: &Node, ranks: &[RankFacts]) -> Vec<Finding> {
    inspect::of_places(node, ranks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::Launcher;
    use crate::placement::{
        Code, Device, DeviceFile, DeviceRequest, IcdFile, Place, Requested, Rules, Severity, VulkanAdapter, choose,
        map,
        sample::{node, ranks},
    };
    use crate::topology::{Locality, Witness, Witnesses};

    /// The facts of ranks with these bindings, placed as a run would place them.
    fn facts(node: Node, bindings: &[&str]) -> NodeFacts {
        let locals = ranks(&node, bindings);
        let places = choose(&node, &locals, &Rules::default()).unwrap();
        let ranks =
            locals.into_iter().zip(places).map(|(local, place)| RankFacts { local, place, requested: None }).collect();
        NodeFacts { node, ranks, vulkan: None }
    }

    #[test]
    fn advice_has_the_options_of_the_launcher_that_started_the_ranks() {
        for (launcher, expected) in [
            (
                Some(Launcher::OpenMpi4),
                "start with --map-by ppr:2:node:PE=2 --bind-to core, or with a rankfile made by",
            ),
            (
                Some(Launcher::OpenMpi5),
                "start with --map-by ppr:2:node:PE=2 --bind-to core, or with a rankfile made by",
            ),
            (
                Some(Launcher::Mpich),
                "start with -bind-to core:2, or with the command that `hybrid rankfile write` prints",
            ),
            (Some(Launcher::Slurm), "start with the command that `hybrid rankfile write` prints"),
            (None, "start with the command that `hybrid rankfile write` prints"),
        ] {
            let mut facts = facts(node(1, 1, 4, &[]), &["0-3", "0-3"]);
            facts.ranks.iter_mut().for_each(|rank| rank.local.launcher = launcher);
            let hints = audit(&[facts]).into_iter().filter(|finding| finding.code == Code::RankUnbound);
            let hints: Vec<String> = hints.filter_map(|finding| finding.hint).collect();
            assert!(hints.len() == 1 && hints[0].starts_with(expected), "{launcher:?}: {hints:?}");
        }
    }

    fn two_gpus() -> Node {
        node(2, 1, 2, &[(0x10, Some(0)), (0x20, Some(1))])
    }

    fn gpu(bus: &str) -> Device {
        Device::Gpu(format!("{bus}:00.0").parse().unwrap())
    }

    /// The finding of that code, which must be there and must say all of `parts` in its message or its way out.
    fn expect(facts: &NodeFacts, code: Code, severity: Severity, ranks: &[u32], parts: &[&str]) {
        let findings = audit(std::slice::from_ref(facts));
        let Some(finding) = findings.iter().find(|finding| finding.code == code) else {
            panic!("no {code:?} among {findings:#?}")
        };
        assert_eq!((finding.severity, finding.ranks.as_slice(), finding.host.as_str()), (severity, ranks, "n1"));
        let text = format!("{} {}", finding.message, finding.hint.as_deref().unwrap_or_default());
        assert!(parts.iter().all(|part| text.contains(part)), "{text}\nlacks one of {parts:?}");
    }

    #[test]
    fn a_gpu_whose_rank_has_few_cores_is_named_where_others_are_idle() {
        let node = || node(1, 1, 8, &[(0x10, Some(0))]);
        let parts = ["rank 0 encodes what its GPU computes on 1 core: PUs 2-7 serve no rank", "rankfile"];
        expect(&facts(node(), &["0", "1"]), Code::GpuRankFewCores, Severity::Note, &[0], &parts);
        for bindings in [&["0-3", "4"][..], &["0", "1-7"]] {
            let findings = audit(&[facts(node(), bindings)]);
            assert!(findings.iter().all(|finding| finding.code != Code::GpuRankFewCores), "{findings:#?}");
        }
    }

    #[test]
    fn what_map_makes_and_a_launcher_follows_gives_no_warning() {
        for ranks in 1..=8 {
            let node = node(2, 1, 4, &[(0x10, Some(0)), (0x20, Some(1))]);
            let planned = map(&node, ranks, &Rules::default()).unwrap();
            let bindings: Vec<String> = planned.iter().map(|place| place.cores.to_string()).collect();
            let mut facts = facts(node, &bindings.iter().map(String::as_str).collect::<Vec<_>>());
            let actual: Vec<Place> = facts.ranks.iter().map(|facts| facts.place.clone()).collect();
            assert_eq!(actual, planned, "a run chooses what was planned");
            for (facts, place) in facts.ranks.iter_mut().zip(planned) {
                facts.requested = Some(Requested {
                    rankfile: "ranks.txt".into(),
                    host: "n1.example.org".into(),
                    slots: "0".into(),
                    cores: Some(place.cores),
                    device: Some(match place.device {
                        Device::Gpu(id) => DeviceRequest::ThisGpu(id),
                        Device::Cpu | Device::SoftwareGpu => DeviceRequest::Cpu,
                    }),
                });
            }
            let mut findings = audit(&[facts]);
            if ranks == 1 {
                assert_eq!(findings.remove(0).code, Code::GpuUnused, "one rank cannot use two GPUs");
            }
            assert!(findings.iter().all(|finding| finding.severity == Severity::Note), "{ranks} ranks: {findings:#?}");
        }
    }

    #[test]
    fn asked_and_not_had_is_named_with_rank_and_values() {
        let mut facts = facts(two_gpus(), &["0", "0-3", "3"]);
        let requested = |host: &str, cores: &str, device| {
            let (host, slots) = (host.into(), cores.into());
            Some(Requested { rankfile: "my.rf".into(), host, slots, cores: cores.parse().ok(), device })
        };
        facts.ranks[0].requested = requested("n1", "0", None);
        facts.ranks[1].requested = requested("n1", "1", None);
        facts.ranks[2].requested = requested("n2", "3", Some(DeviceRequest::Cpu));
        let parts = [
            "rank 1 was to have PUs 1 and has 0-3",
            "rank 2 was to be on n2 and is on n1 and was to compute on cpu and computes on 0000:20:00.0",
            "-rf my.rf",
            "rankfile:file=my.rf",
        ];
        expect(&facts, Code::AskedIsNotActual, Severity::Warning, &[1, 2], &parts);
    }

    #[test]
    fn a_host_is_the_same_by_its_short_name_its_address_or_a_relative_one() {
        for host in ["n1", "N1.example.org", "me@n1", "10.0.0.1", "+n0", "localhost"] {
            let mut facts = facts(two_gpus(), &["0-1", "2-3"]);
            let cores = Some(facts.ranks[0].local.binding.clone());
            facts.ranks[0].requested =
                Some(Requested { rankfile: "r".into(), host: host.into(), slots: "0-1".into(), cores, device: None });
            assert_eq!(audit(&[facts]), [], "{host}");
        }
    }

    #[test]
    fn ranks_on_one_core_are_named() {
        let facts = facts(two_gpus(), &["0-1", "2", "2"]);
        expect(&facts, Code::RanksShareCores, Severity::Warning, &[1, 2], &["share PUs 2", ":PE=1"]);
    }

    #[test]
    fn a_rank_across_numa_nodes_is_a_warning_only_where_it_need_not_be() {
        let spread = facts(two_gpus(), &["0,2", "1,3"]);
        let parts = ["rank 0 has cores of NUMA nodes 0-1", "rankfile write"];
        expect(&spread, Code::RankSpansNumaNodes, Severity::Warning, &[0, 1], &parts);
        let alone = facts(two_gpus(), &["0-3"]);
        expect(&alone, Code::RankSpansNumaNodes, Severity::Note, &[0], &["start 3 ranks"]);
    }

    #[test]
    fn a_remote_gpu_is_named_with_what_would_be_nearer() {
        let mut free = facts(two_gpus(), &["0-1"]);
        free.ranks[0].place.device = gpu("20");
        let parts = ["rank 0 computes on GPU 0000:20:00.0", "0000:10:00.0 is nearer and free", "--device 0000:10:00.0"];
        expect(&free, Code::GpuRemote, Severity::Warning, &[0], &parts);

        let mut crossed = facts(two_gpus(), &["0-1", "2-3"]);
        crossed.ranks[0].place.device = gpu("20");
        crossed.ranks[1].place.device = gpu("10");
        expect(&crossed, Code::GpuRemote, Severity::Warning, &[0], &["rank 1 has 0000:10:00.0, which is nearer"]);

        let mut indifferent = facts(two_gpus(), &["0", "1-3"]);
        indifferent.ranks[0].place.device = gpu("20");
        indifferent.ranks[1].place.device = gpu("10");
        expect(&indifferent, Code::GpuRemote, Severity::Warning, &[0], &["rank 1 has 0000:10:00.0, which is nearer"]);

        let one_gpu = || node(2, 1, 2, &[(0x20, Some(1))]);
        let idle = facts(one_gpu(), &["0-1"]);
        expect(&idle, Code::GpuRemote, Severity::Warning, &[0], &["PUs 2-3 next to it serve no rank", "bind rank 0"]);

        let mut busy = facts(one_gpu(), &["0-1", "2-3"]);
        busy.ranks[0].place.device = gpu("20");
        busy.ranks[1].place.device = Device::Cpu;
        expect(&busy, Code::GpuRemote, Severity::Note, &[0], &["none nearer is free"]);

        let mut forbidden = facts(one_gpu(), &["0-1"]);
        forbidden.node.allowed = "0-1".parse().unwrap();
        let parts = ["the job may use no core next to it", "ask for whole nodes"];
        expect(&forbidden, Code::GpuRemote, Severity::Note, &[0], &parts);
    }

    #[test]
    fn idle_shared_and_unbound_are_named() {
        let facts = |bindings: &[&str]| facts(two_gpus(), bindings);
        expect(&facts(&["0-1"]), Code::GpuUnused, Severity::Warning, &[], &["0000:20:00.0", "start 2 ranks"]);
        expect(
            &facts(&["0-3", "0-3"]),
            Code::RankUnbound,
            Severity::Warning,
            &[0, 1],
            &["ppr:2:node:PE=2 --bind-to core"],
        );
        let mut sharing = facts(&["0-1", "2-3"]);
        sharing.ranks[1].place.device = gpu("10");
        expect(&sharing, Code::GpuShared, Severity::Warning, &[0, 1], &["0000:10:00.0 serves 2 ranks, ranks 0-1"]);
    }

    fn icd(path: &str, library: &str, library_found: bool) -> IcdFile {
        IcdFile { path: path.into(), library: library.into(), library_found, ..IcdFile::default() }
    }

    fn nvidias_files() -> Vec<DeviceFile> {
        let file = |path: &str| DeviceFile {
            path: path.into(),
            gpu: None,
            usable: true,
            withheld: false,
            mode: 0o666,
            group: 0,
        };
        vec![file("/dev/nvidia0"), file("/dev/nvidiactl")]
    }

    fn adapter(name: &str, bus: Option<&str>, is_software: bool) -> VulkanAdapter {
        let pci_bus_id = bus.map(|bus| format!("{bus}:00.0").parse().unwrap());
        VulkanAdapter {
            name: name.into(),
            driver: "driver 1.0".into(),
            vendor_id: if is_software { 0x10005 } else { 0x10de },
            device_id: 0x2330,
            pci_bus_id,
            is_software,
        }
    }

    #[test]
    fn each_missing_link_from_the_kernel_to_vulkan_is_named() {
        let nvidia = |found| icd("/etc/vulkan/icd.d/nvidia_icd.json", "libGLX_nvidia.so.0", found);
        let lavapipe = || icd("/usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "libvulkan_lvp.so", true);
        let vulkan = |icd_files: Vec<IcdFile>, restricted_by: Option<&str>| VulkanFacts {
            loader: true,
            icd_files,
            restricted_by: restricted_by.map(str::to_owned),
            device_files: nvidias_files(),
            adapters: vec![adapter("llvmpipe", None, true)],
            ..VulkanFacts::default()
        };
        let without_loader = VulkanFacts { device_files: nvidias_files(), ..VulkanFacts::default() };
        let driven = Some("nvidia");
        for (driver, vulkan, parts) in [
            (None, vulkan(vec![nvidia(true)], None), &["no kernel driver holds it", "install NVIDIA's driver"][..]),
            (driven, without_loader, &["libvulkan.so.1 is not installed", "libvulkan1"]),
            (driven, vulkan(vec![], None), &["there is no ICD file", "nvidia-vulkan-icd"]),
            (driven, vulkan(vec![lavapipe()], None), &["no ICD file names a driver of NVIDIA", "lvp_icd.x86_64.json"]),
            (
                driven,
                vulkan(vec![nvidia(false)], None),
                &["libGLX_nvidia.so.0, which is not there", "nvidia-vulkan-icd"],
            ),
            (
                driven,
                vulkan(vec![lavapipe()], Some("VK_DRIVER_FILES=/lvp.json")),
                &["VK_DRIVER_FILES=/lvp.json names no driver of NVIDIA", "unset VK_DRIVER_FILES"],
            ),
            (driven, vulkan(vec![nvidia(true)], None), &["why is not known", "vulkaninfo", "/dev/nvidia0"]),
        ] {
            let mut facts = facts(two_gpus(), &["0-1", "2-3"]);
            facts.node.gpus.iter_mut().for_each(|gpu| gpu.driver = driver.map(str::to_owned));
            facts.vulkan = Some(vulkan);
            expect(&facts, Code::GpuWithoutVulkan, Severity::Warning, &[], parts);
            expect(&facts, Code::GpuWithoutVulkan, Severity::Warning, &[], &["GPU 0000:10:00.0, 0000:20:00.0:"]);
        }
    }

    #[test]
    fn a_rank_without_an_adapter_computes_on_its_cores_unless_it_was_told_otherwise() {
        for (request, device) in [(DeviceRequest::Auto, Device::Cpu), (DeviceRequest::Gpu, Device::SoftwareGpu)] {
            let mut facts = facts(node(1, 1, 1, &[]), &["0"]);
            facts.ranks[0].place.device = Device::SoftwareGpu;
            facts.ranks[0].local.request = request;
            let facts = facts.with_vulkan(VulkanFacts { loader: true, ..VulkanFacts::default() });
            assert_eq!(facts.ranks[0].place.device, device);
            if request == DeviceRequest::Gpu {
                let parts = ["rank 0 was told to use a GPU", "--device auto"];
                expect(&facts, Code::GpuWithoutVulkan, Severity::Warning, &[0], &parts);
            } else {
                assert_eq!(audit(&[facts]), []);
            }
        }
        let listed =
            VulkanFacts { loader: true, adapters: vec![adapter("H100", Some("10"), false)], ..VulkanFacts::default() };
        let facts = facts(two_gpus(), &["0-1", "2-3"]).with_vulkan(listed);
        let devices: Vec<Device> = facts.ranks.iter().map(|facts| facts.place.device).collect();
        assert_eq!(devices, [gpu("10"), Device::Cpu]);
    }

    #[test]
    fn gpus_that_vulkan_lists_are_not_missed() {
        let mut facts = facts(two_gpus(), &["0-1", "2-3"]);
        let both = |adapters| Some(VulkanFacts { loader: true, adapters, ..VulkanFacts::default() });
        facts.vulkan = both(vec![adapter("H100", Some("10"), false), adapter("H100", Some("20"), false)]);
        assert_eq!(audit(std::slice::from_ref(&facts)), []);
        facts.vulkan = both(vec![adapter("a driver that does not tell bus ids", None, false)]);
        assert_eq!(audit(std::slice::from_ref(&facts)), []);
        facts.vulkan = both(vec![adapter("H100", Some("10"), false)]);
        expect(&facts, Code::GpuWithoutVulkan, Severity::Warning, &[], &["GPU 0000:20:00.0:"]);
    }

    #[test]
    fn each_disagreement_of_the_witnesses_is_named_with_its_cause() {
        use Witness::{Hwloc, Kernel, Vulkan};
        let witnesses = |hwloc_lists_pci, hwloc_setting: Option<&str>, kernel_silent: Option<&str>| Witnesses {
            hwloc_library: Some("/venv/lib/libhwloc.so.15".to_owned()),
            hwloc_lists_pci,
            hwloc_setting: hwloc_setting.map(str::to_owned),
            kernel_silent: kernel_silent.map(str::to_owned),
        };
        for (seen_by, witnesses, parts) in [
            (
                &[Kernel][..],
                witnesses(false, None, None),
                &[
                    "hwloc does not list GPUs 0000:10:00.0, 0000:20:00.0, which the kernel lists",
                    "/venv/lib/libhwloc.so.15 lists no PCI function at all",
                    "before /venv/lib in LD_LIBRARY_PATH",
                ][..],
            ),
            (
                &[Kernel, Vulkan],
                witnesses(false, Some("HWLOC_COMPONENTS=-linuxio"), None),
                &["which the kernel and Vulkan list", "HWLOC_COMPONENTS=-linuxio tells", "unset HWLOC_COMPONENTS"],
            ),
            (
                &[Kernel],
                witnesses(true, None, None),
                &["lists other PCI functions", "is not known", "--filter pci:all"],
            ),
            (
                &[Hwloc],
                witnesses(true, Some("HWLOC_XMLFILE=/n.xml"), None),
                &["the kernel does not list", "HWLOC_XMLFILE=/n.xml makes hwloc read a file", "lstopo FILE.xml"],
            ),
            (&[Hwloc, Vulkan], witnesses(true, None, None), &["not in /sys/bus/pci/devices", "dmesg"]),
            (
                &[Hwloc],
                witnesses(true, None, Some("/sys/bus/pci/devices cannot be read")),
                &["the kernel does not list", "cannot be read", "-v /sys:/sys:ro"],
            ),
        ] {
            let mut facts = facts(two_gpus(), &["0-1", "2-3"]);
            facts.node.witnesses = Some(witnesses);
            facts.node.gpus.iter_mut().for_each(|gpu| gpu.seen_by = seen_by.iter().copied().collect());
            expect(&facts, Code::GpuWitnessesDisagree, Severity::Note, &[], parts);
            expect(&facts, Code::GpuWitnessesDisagree, Severity::Note, &[], &["known all the same"]);
            facts.node.gpus.iter_mut().for_each(|gpu| gpu.locality = Locality::Unknown);
            expect(&facts, Code::GpuWitnessesDisagree, Severity::Warning, &[], &["which cores are near"]);
        }
    }

    #[test]
    fn places_and_kinds_that_are_in_dispute_are_named() {
        let mut facts = facts(two_gpus(), &["0-1", "2-3"]);
        facts.node.witnesses = Some(Witnesses::default());
        assert_eq!(audit(std::slice::from_ref(&facts)), []);
        facts.node.gpus[0].doubt = Some("display whose driver has no render node".to_owned());
        let parts = ["0000:10:00.0 (display whose driver has no render node)", "Vulkan"];
        expect(&facts, Code::GpuWitnessesDisagree, Severity::Note, &[], &parts);
        facts.node.gpus[0].doubt = None;
        facts.node.gpus[1].hwloc_contradicts = "0-1".parse().ok();
        let parts = ["0000:20:00.0 is near PUs 2-3, not 0-1", "numa_node"];
        expect(&facts, Code::GpuWitnessesDisagree, Severity::Note, &[], &parts);
    }

    #[test]
    fn adapters_that_no_rank_can_have_are_named() {
        for (bus, severity, parts) in [
            (Some("30"), Severity::Warning, ["at 0000:30:00.0", "--device 0000:30:00.0"]),
            (None, Severity::Note, ["V3D", "no PCI bus id"]),
        ] {
            let mut facts = facts(node(1, 1, 1, &[]), &["0"]);
            let adapters = vec![adapter("V3D", bus, false)];
            facts.vulkan = Some(VulkanFacts { loader: true, adapters, ..VulkanFacts::default() });
            expect(&facts, Code::GpuWitnessesDisagree, severity, &[], &parts);
        }
    }

    #[test]
    fn a_software_adapter_alone_is_a_warning_only_beside_a_gpu() {
        let software =
            VulkanFacts { loader: true, adapters: vec![adapter("llvmpipe", None, true)], ..VulkanFacts::default() };
        let mut with_gpu = facts(two_gpus(), &["0-1", "2-3"]);
        with_gpu.vulkan = Some(software.clone());
        expect(&with_gpu, Code::SoftwareOnly, Severity::Warning, &[], &["llvmpipe"]);
        let mut without = facts(node(1, 1, 2, &[]), &["0", "1"]);
        without.vulkan = Some(software);
        expect(&without, Code::SoftwareOnly, Severity::Note, &[], &["--software-gpu"]);
    }

    #[test]
    fn warnings_come_before_notes() {
        let facts = facts(two_gpus(), &["0"]);
        let severities: Vec<Severity> = audit(&[facts]).iter().map(|finding| finding.severity).collect();
        assert!(severities.is_sorted_by(|a, b| a >= b) && severities.len() > 1, "{severities:?}");
    }
}
