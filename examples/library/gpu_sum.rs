//! A GPU program in plain sight: every rank adds up its part of the squares 1 to N on its GPU, and an all-reduce the parts.
//!
//! Teaches: the ranks of a node, a rank's own adapter, a kernel, the copy back, and MPI after that; without a GPU, the cores.
//! Replaces: the section on GPU programming with MPI, which has no program.
//! Run: `mpiexec -n 4 target/release/examples/gpu_sum`

use hybrid::{Devices, GpuDevice, Shader, World, gpu_of_rank};
use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

/// Numbers that each rank squares: as many as 16 workgroups of 64 invocations are.
const NUMBERS: u32 = 16 * 64;

/// Invocation i squares number i.
const SQUARE: &str = "
    @group(0) @binding(0) var<storage, read> numbers: array<u32>;
    @group(0) @binding(1) var<storage, read_write> squares: array<u32>;

    @compute @workgroup_size(64)
    fn square(@builtin(global_invocation_id) id: vec3<u32>) {
        squares[id.x] = numbers[id.x] * numbers[id.x];
    }";

fn squares_on_gpu(gpu: &mut GpuDevice, numbers: &[u32]) -> Vec<u32> {
    let shader = Shader { entry: "square", label: "square".to_owned(), wgsl: SQUARE.to_owned() };
    let kernel = gpu.compile(&shader).expect("the kernel is valid");
    // Copies the numbers there, runs 16 workgroups, and copies as many results back.
    gpu.run(&kernel, &[numbers], 16, numbers.len()).expect("the GPU works")
}

fn main() {
    let job = World::of_job().expect("MPI is started once, by its own launcher");
    let world = SimpleCommunicator::world();
    let (rank, size) = (world.rank(), world.size());
    assert!(size < 64, "a square of more would not fit into 32 bits");

    // Ranks that share a node share its GPUs.
    let node = world.split_shared(rank);
    // The library deals the GPUs of each node among its ranks, the nearest first; a software GPU counts as one here.
    let devices = Devices { software_gpu: true, ..Devices::default() };
    let (gpu, _notes) = gpu_of_rank(&job, &devices).expect("a rank without a GPU has its cores");

    let first = rank as u32 * NUMBERS + 1;
    let numbers: Vec<u32> = (first..first + NUMBERS).collect();
    let (squares, device): (Vec<u32>, _) = match gpu {
        Some(mut gpu) => (squares_on_gpu(&mut gpu, &numbers), gpu.name().to_owned()),
        None => (numbers.iter().map(|number| number * number).collect(), "its cores".to_owned()),
    };
    println!("rank {rank}, number {} of {} on its node, has squared on {device}", node.rank(), node.size());

    let part: u64 = squares.iter().map(|square| u64::from(*square)).sum();
    let mut sum = 0;
    world.all_reduce_into(&part, &mut sum, SystemOperation::sum());
    if rank == 0 {
        println!("the squares of 1 to {} are {sum} together", size as u32 * NUMBERS);
    }
    let n = u64::from(size as u32 * NUMBERS);
    assert_eq!(sum, n * (n + 1) * (2 * n + 1) / 6);
}
