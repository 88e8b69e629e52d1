//! A node as nested boxes, before anybody draws it: packages, NUMA nodes, cores with the ranks on them, and each GPU beside
//! what is next to it. Knows neither characters nor pixels, nor where the ranks come from.

use crate::topology::CpuSet;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePicture {
    /// Its name, and what it is.
    pub title: String,
    /// Its packages.
    pub packages: Vec<PackagePicture>,
    /// GPUs of which nobody knows where they hang, and software adapters.
    pub gpus: Vec<GpuPicture>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePicture {
    /// Its number, and the processor's model.
    pub title: String,
    /// Its NUMA nodes.
    pub numa_nodes: Vec<NumaPicture>,
    /// GPUs that are next to the package as a whole.
    pub gpus: Vec<GpuPicture>,
}

/// The cores of a package that belong to one NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumaPicture {
    /// Its number, and the size of its memory.
    pub title: String,
    /// Its cores.
    pub cores: Vec<CorePicture>,
    /// GPUs next to it.
    pub gpus: Vec<GpuPicture>,
}

/// A core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorePicture {
    /// What the core is called, `-` where it has no name.
    pub number: String,
    /// The ranks that compute on it or feed a GPU from it, ascending.
    pub ranks: Vec<u32>,
    /// Whether the job may use it.
    pub allowed: bool,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuPicture {
    /// Its PCI bus id, or that it is a software adapter.
    pub id: String,
    /// The product's name.
    pub name: String,
    /// The ranks that compute on it, ascending.
    pub ranks: Vec<u32>,
    /// What has to be said of its place.
    pub place: Option<&'static str>,
}

impl CorePicture {
    /// What stands in the core: its ranks, `.` where it is idle, `x` where the job may not use it.
    #[must_use]
    pub fn label(&self) -> String {
        match (self.allowed, self.ranks.is_empty()) {
            (false, _) => "x".to_owned(),
            (true, true) => ".".to_owned(),
            (true, false) => ranks_in_short(&self.ranks),
        }
    }
}

impl GpuPicture {
    /// The lines that stand in its box.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let ranks = if self.ranks.is_empty() { "idle".to_owned() } else { ranks_in_short(&self.ranks) };
        [self.name.clone(), ranks].into_iter().chain(self.place.map(str::to_owned)).collect()
    }
}

/// What the letters in the cores mean.
pub const LEGEND: &str = "r0: rank 0 is there   .: idle   x: not for this job";

/// Stretches of ranks that are named; where there are more, as many ranks are, and the others are counted.
const NAMED: usize = 3;

/// `r0-3`, `r0,2` or `r0,4,8+97`.
fn ranks_in_short(ranks: &[u32]) -> String {
    let list = |ranks: &[u32]| ranks.iter().map(|&rank| rank as usize).collect::<CpuSet>().to_string();
    let all = list(ranks);
    if all.split(',').count() <= NAMED {
        return format!("r{all}");
    }
    format!("r{}+{}", list(&ranks[..NAMED]), ranks.len() - NAMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_names_few_ranks_and_counts_many() {
        let label =
            |ranks: &[u32]| CorePicture { number: "0".to_owned(), ranks: ranks.to_vec(), allowed: true }.label();
        assert_eq!([label(&[]), label(&[0, 1, 2, 3]), label(&[0, 2])], [".", "r0-3", "r0,2"]);
        let crowd: Vec<u32> = (0..400).step_by(4).collect();
        assert_eq!(label(&crowd), "r0,4,8+97");
    }
}
