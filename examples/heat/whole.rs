//! The blocks of all ranks beside the plate that one process has computed: every bit must be the same.

use mpi::{topology::CartesianCommunicator, traits::*};

use crate::{exchange::block_of, grid::Grid};

/// The heat of the whole plate by one process alone.
pub(crate) fn serial(size: usize, steps: u32, hot: f32) -> Vec<f32> {
    let mut grid = Grid::new(size, &(0..size), &(0..size), hot);
    for _ in 0..steps {
        grid.update(1..size + 1, 1..size + 1);
        grid.finish_step();
    }
    grid.heat()
}

/// Gathers the plate on rank 0, has it computed there once more by `serial`, compares and tells. Whether the bits are the same;
/// on the other ranks there is nothing to compare. Collective.
pub(crate) fn is_serial(
    cart: &CartesianCommunicator,
    size: usize,
    heat: &[f32],
    serial: impl FnOnce() -> Vec<f32>,
    together_s: f64,
) -> bool {
    if cart.rank() != 0 {
        cart.process_at_rank(0).send(heat);
        return true;
    }
    let mut plate = vec![0.0; size * size];
    for rank in 0..cart.size() {
        let block = if rank == 0 { heat.to_vec() } else { cart.process_at_rank(rank).receive_vec::<f32>().0 };
        let (rows, columns) = block_of(cart, rank, size);
        for (row, heat) in rows.zip(block.chunks(columns.len())) {
            plate[row * size..][columns.clone()].copy_from_slice(heat);
        }
    }
    let start_s = mpi::time();
    let alone = serial();
    let alone_s = mpi::time() - start_s;
    let differing = plate.iter().zip(&alone).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    println!(
        "heat {} in the middle; {differing} of {} cells differ from the serial program",
        plate[plate.len() / 2 + size / 2],
        plate.len()
    );
    println!("together {together_s:.4} s, alone {alone_s:.4} s, speed-up {:.2}", alone_s / together_s);
    differing == 0
}
