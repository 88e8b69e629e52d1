//! One launch of a kernel: what is bound, and the grid of its workgroups.

/// Workgroups in one dimension of a dispatch: what every device allows.
pub(super) const MAX_WORKGROUPS: u32 = 65_535;

/// The two-dimensional grid that holds a number of workgroups; a kernel numbers them y * width + x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Workgroups in a row.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
}

impl Grid {
    /// A grid of at least `workgroups`, at most 65535^2, and less than a row more.
    pub(super) fn of(workgroups: u32) -> Self {
        let height = workgroups.div_ceil(MAX_WORKGROUPS).max(1);
        Self { width: workgroups.div_ceil(height), height }
    }
}

/// One launch of a kernel.
#[derive(Debug)]
pub(super) struct Dispatch<'a> {
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    pub(super) bind_group: &'a wgpu::BindGroup,
    /// The kernel's immediate data, set with the launch: no copy must wait for the kernel before.
    pub(super) params: Vec<u8>,
    /// Whether its time is wanted by the device's clock. Reading that makes the next dispatch wait for this one.
    pub(super) is_timed: bool,
    pub(super) grid: Grid,
    /// Bytes of the output that the host wants, a multiple of 4, at most what the slots have room for.
    pub(super) out_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_holds_its_workgroups_within_the_limit_of_a_dimension() {
        for workgroups in [1, 2, 65_535, 65_536, 100_003, 16_777_216, 65_535 * 65_535] {
            let Grid { width, height } = Grid::of(workgroups);
            assert!(width <= MAX_WORKGROUPS && height <= MAX_WORKGROUPS, "{workgroups}");
            let held = u64::from(width) * u64::from(height);
            assert!((u64::from(workgroups)..u64::from(workgroups) + u64::from(height)).contains(&held), "{workgroups}");
        }
    }
}
