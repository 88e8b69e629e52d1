//! K-means: sorts flowers into clusters, each around its own center; the flowers are spread over the ranks.
//!
//! Teaches: scatter the data once, then one all-reduce a round: only sums travel, whatever the number of flowers. The sums are of
//! whole millimetres, so they are exact, and the clusters are the same for any number of ranks.
//! Replaces: the parallel k-means that the tutorial's list of other programs links to.
//! Run: `mpiexec -n 4 target/release/examples/k_means --clusters 3`

use std::process::ExitCode;

use clap::Parser;
use mpi::{Count, collective::SystemOperation, datatype::Partition, topology::SimpleCommunicator, traits::*};

/// Sorts the 150 flowers of the iris data into clusters.
#[derive(Parser)]
struct Options {
    /// Number of clusters
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=150))]
    clusters: u32,
}

/// Sepal length and width, petal length and width, in millimetres.
const MEASURES: usize = 4;
type Flower = [u32; MEASURES];
type Center = [f64; MEASURES];

/// What the flowers of a cluster add up to: all that a rank has to tell the others.
#[derive(Clone, Copy, Default)]
struct Sums {
    flowers: u64,
    mm: [u64; MEASURES],
}

impl Sums {
    fn add(&mut self, flower: &Flower) {
        self.flowers += 1;
        for (sum, mm) in self.mm.iter_mut().zip(flower) {
            *sum += u64::from(*mm);
        }
    }

    /// The center of the flowers; none where there is no flower.
    #[expect(clippy::cast_precision_loss, reason = "sums of lengths are far below 2^53")]
    fn mean(&self) -> Option<Center> {
        (self.flowers > 0).then(|| self.mm.map(|mm| mm as f64 / self.flowers as f64))
    }
}

/// The iris data: see `examples/data/README.md`.
fn read_flowers() -> Vec<Flower> {
    let lines = include_str!("data/iris.csv").lines().skip(1);
    let flower = |line: &str| {
        let mut fields = line.split(',').map(|field| field.parse().expect("a length in millimetres"));
        std::array::from_fn(|_| fields.next().expect("four lengths"))
    };
    lines.map(flower).collect()
}

/// Deals out the flowers of rank 0 in shares that differ by at most one. Collective.
fn scatter(world: &SimpleCommunicator, flowers: &[Flower]) -> Vec<Flower> {
    let root = world.process_at_rank(0);
    let mut total: Count = flowers.len().try_into().expect("a number of flowers that MPI can count");
    root.broadcast_into(&mut total);
    let start_of = |rank: i32| rank * total / world.size() * 4; // a flower is 4 numbers
    let starts: Vec<Count> = (0..world.size()).map(start_of).collect();
    let counts: Vec<Count> = (0..world.size()).map(|rank| start_of(rank + 1) - start_of(rank)).collect();
    let my_count = start_of(world.rank() + 1) - start_of(world.rank());
    let mut lengths = vec![0_u32; my_count.try_into().expect("a share is no less than 0")];
    if world.rank() == 0 {
        let shares = Partition::new(flowers.as_flattened(), &counts[..], &starts[..]);
        root.scatter_varcount_into_root(&shares, &mut lengths[..]);
    } else {
        root.scatter_varcount_into(&mut lengths[..]);
    }
    lengths.as_chunks().0.to_vec()
}

/// Square of the distance, in mm^2.
fn distance2(flower: &Flower, center: &Center) -> f64 {
    flower.iter().zip(center).map(|(length, center)| (f64::from(*length) - center).powi(2)).sum()
}

/// The number of the center that is nearest.
fn nearest(flower: &Flower, centers: &[Center]) -> usize {
    let distances = centers.iter().map(|center| distance2(flower, center));
    distances.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).expect("at least one center").0
}

/// Sums of every cluster over the flowers of all ranks, and how many flowers changed cluster. Collective.
fn sum_over_ranks(world: &SimpleCommunicator, mine: &[Sums], moved: u64) -> (Vec<Sums>, u64) {
    let mut numbers: Vec<u64> = mine.iter().flat_map(|sums| [[sums.flowers].as_slice(), &sums.mm].concat()).collect();
    numbers.push(moved);
    let mut totals = vec![0_u64; numbers.len()];
    world.all_reduce_into(&numbers[..], &mut totals[..], SystemOperation::sum());
    let (clusters, moved) = totals.as_chunks::<{ MEASURES + 1 }>();
    (clusters.iter().map(|[flowers, mm @ ..]| Sums { flowers: *flowers, mm: *mm }).collect(), moved[0])
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let root = world.process_at_rank(0);

    // No cluster cannot be asked for: it tells the others to end with the exit code beside it.
    let mut parameters = [0; 2];
    if world.rank() == 0 {
        parameters = match Options::try_parse() {
            Ok(options) => [options.clusters, 0],
            Err(error) => {
                error.print().expect("a message can be printed");
                [0, error.exit_code().unsigned_abs()]
            }
        };
    }
    root.broadcast_into(&mut parameters);
    let [clusters, exit_code] = parameters;
    if clusters == 0 {
        return ExitCode::from(u8::try_from(exit_code).expect("an exit code is small"));
    }
    let k = usize::try_from(clusters).expect("at most 150");

    // Rank 0 alone has the flowers; the first centers are flowers too, evenly spread over the table.
    let all = if world.rank() == 0 { read_flowers() } else { Vec::new() };
    let mut centers: Vec<Center> = vec![[0.0; MEASURES]; k];
    if world.rank() == 0 {
        centers = (0..k).map(|i| all[(2 * i + 1) * all.len() / (2 * k)].map(f64::from)).collect();
    }
    root.broadcast_into(centers.as_flattened_mut());
    let flowers = scatter(&world, &all);
    println!("rank {} has {} flowers", world.rank(), flowers.len());

    let mut labels = vec![usize::MAX; flowers.len()];
    let mut totals = Vec::new();
    let mut round = 0;
    let mut moved = u64::MAX;
    while moved > 0 {
        let mut sums = vec![Sums::default(); k];
        let mut moved_here = 0;
        for (flower, label) in flowers.iter().zip(&mut labels) {
            let cluster = nearest(flower, &centers);
            moved_here += u64::from(*label != cluster);
            *label = cluster;
            sums[cluster].add(flower);
        }
        (totals, moved) = sum_over_ranks(&world, &sums, moved_here);
        centers = totals.iter().zip(&centers).map(|(sums, before)| sums.mean().unwrap_or(*before)).collect();
        round += 1;
        assert!(round < 1000, "the distances shrink in every round, so it ends long before: the sums are wrong");
        if world.rank() == 0 {
            println!("round {round}: {moved} flowers changed cluster");
        }
    }

    let mut inertia_mm2 = 0.0_f64;
    let mine_mm2: f64 = flowers.iter().zip(&labels).map(|(flower, label)| distance2(flower, &centers[*label])).sum();
    world.all_reduce_into(&mine_mm2, &mut inertia_mm2, SystemOperation::sum());
    let sizes: Vec<u64> = totals.iter().map(|sums| sums.flowers).collect();
    if world.rank() == 0 {
        for (i, (center, size)) in centers.iter().zip(&sizes).enumerate() {
            println!("cluster {i}: {size} flowers around {:.3?} cm", center.map(|mm| mm / 10.0));
        }
        println!("sum of squared distances: {:.3} cm2", inertia_mm2 / 100.0);
    }
    assert_eq!(sizes.iter().sum::<u64>(), 150, "every flower is in one cluster");
    if k == 3 {
        // The best three clusters of these data, as every textbook has them.
        assert_eq!(sizes, [50, 62, 38]);
        assert!((inertia_mm2 / 100.0 - 78.851).abs() < 0.001, "{inertia_mm2} mm2");
    }
    ExitCode::SUCCESS
}
