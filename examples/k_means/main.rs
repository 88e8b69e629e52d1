//! K-means: sorts flowers into clusters, each around its own center; the flowers are spread over the ranks.
//!
//! Teaches: scatter the data once, then one all-reduce a round: only sums travel, whatever the number of flowers. The sums are of
//! whole millimeters, so they are exact, and the clusters are the same for any number of ranks.
//! Replaces: the parallel k-means that the tutorial's list of other programs links to.
//! Run: `mpiexec -n 4 target/release/examples/k_means --clusters 3`

mod clusters;
mod exchange;

use std::process::ExitCode;

use clap::Parser;
use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

use clusters::{Center, Flower, MEASURES, Sums, add, distance2, mean, nearest, read_flowers};
use exchange::{scatter, sum_over_ranks};

/// Sorts the 150 flowers of the iris data into clusters.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Number of clusters
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=150))]
    clusters: u32,
}

/// Gives flowers to the nearest center and moves the centers, until no flower changes. The sums of all clusters; the cluster
/// of each of this rank's flowers is in `labels`. Collective.
fn rounds(world: &SimpleCommunicator, flowers: &[Flower], labels: &mut [usize], centers: &mut [Center]) -> Vec<Sums> {
    labels.fill(usize::MAX);
    for round in 1..1000 {
        let mut sums = vec![Sums::default(); centers.len()];
        let mut moved_here = 0;
        for (flower, label) in flowers.iter().zip(&mut *labels) {
            let cluster = nearest(flower, centers);
            moved_here += u64::from(*label != cluster);
            *label = cluster;
            add(&mut sums[cluster], flower);
        }
        let (totals, moved) = sum_over_ranks(world, &sums, moved_here);
        for (center, sums) in centers.iter_mut().zip(&totals) {
            *center = mean(sums).unwrap_or(*center);
        }
        if world.rank() == 0 {
            println!("round {round}: {moved} flowers changed cluster");
        }
        if moved == 0 {
            return totals;
        }
    }
    panic!("the distances shrink in every round, so it ends long before: the sums are wrong");
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let root = world.process_at_rank(0);

    // Every rank reads the same words; rank 0 tells what is wrong with them.
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            if world.rank() == 0 {
                error.print().expect("a message can be printed");
            }
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let k = options.clusters as usize;

    // Rank 0 alone has the flowers; the first centers are flowers too, evenly spread over the table.
    let all = if world.rank() == 0 { read_flowers() } else { Vec::new() };
    let mut centers: Vec<Center> = vec![[0.0; MEASURES]; k];
    if world.rank() == 0 {
        centers = (0..k).map(|i| all[(2 * i + 1) * all.len() / (2 * k)].map(f64::from)).collect();
    }
    root.broadcast_into(centers.as_flattened_mut());
    let flowers = scatter(&world, &all);
    println!("rank {} has {} flowers", world.rank(), flowers.len());

    let mut labels = vec![0; flowers.len()];
    let totals = rounds(&world, &flowers, &mut labels, &mut centers);

    let mut inertia_mm2 = 0.0_f64;
    let mine_mm2: f64 = flowers.iter().zip(&labels).map(|(flower, label)| distance2(flower, &centers[*label])).sum();
    world.all_reduce_into(&mine_mm2, &mut inertia_mm2, SystemOperation::sum());
    let sizes: Vec<u64> = totals.iter().map(|sums| sums[MEASURES]).collect();
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
