//! MPI-IO: all ranks write one file together, each its own block, and read it together.
//!
//! Teaches: collective input and output, and how to call a part of MPI that rsmpi does not wrap: the foreign calls stand in
//! one small type, which checks what C leaves to the caller. A file whose name ends in `.npy` is an array for NumPy, too.
//! Replaces: the assignments "what MPI-IO is" and "collective I/O with NumPy arrays".
//! Run: `mpiexec -n 4 target/release/examples/mpi_io --file mpi_io.bin`

mod agree;
mod array;
mod file;

use std::{
    ffi::{CStr, CString},
    fs,
    process::ExitCode,
};

use clap::Parser;
use mpi::{ffi, topology::SimpleCommunicator, traits::*};

use agree::Failed;
use file::SharedFile;

/// Writes and reads one file by all ranks.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// The file, with NumPy's head where it ends in `.npy`; on several nodes it must be in a folder that they share
    #[arg(long, default_value = "mpi_io.bin", value_parser = file_name)]
    file: CString,
}

/// A name that the C interface can take.
fn file_name(name: &str) -> Result<CString, &'static str> {
    CString::new(name).ok().filter(|name| !name.is_empty()).ok_or("the name is empty, or has a NUL in it")
}

/// Numbers in a rank's block.
const BLOCK: usize = 10;

/// Each rank writes its own block, and reads that of the next rank.
fn write_and_read(world: &SimpleCommunicator, name: &CStr) -> Result<(), Failed> {
    let (rank, size) = (world.rank(), world.size());
    let path = name.to_str().expect("the command line was text");
    let head = array::head(path, size as usize, BLOCK);
    let start_of = |rank: i32| head.len() + rank as usize * BLOCK * size_of::<i32>();

    let file = SharedFile::open(world, name, ffi::MPI_MODE_CREATE | ffi::MPI_MODE_WRONLY)?;
    file.clear()?;
    // All ranks make the call; rank 0 alone has something to write.
    file.write_at_all(0, if rank == 0 { &head[..] } else { &[] })?;
    file.write_at_all(start_of(rank), &[rank; BLOCK])?;
    file.close()?;

    let file = SharedFile::open(world, name, ffi::MPI_MODE_RDONLY)?;
    let next = (rank + 1) % size;
    let block: Vec<i32> = file.read_at_all(start_of(next), BLOCK)?;
    file.close()?;
    println!("rank {rank} wrote its block and read that of rank {next}: {block:?}");
    assert_eq!(block, [next; BLOCK]);

    // The file as any program sees it.
    if rank == 0 {
        let bytes = fs::read(path).expect("the file was read just now");
        let blocks = (0..size).flat_map(|rank| [rank; BLOCK]).flat_map(i32::to_ne_bytes);
        let expected: Vec<u8> = head.iter().copied().chain(blocks).collect();
        assert_eq!(bytes, expected, "the blocks stand in the order of the ranks, and nothing else is in the file");
        println!("{path} has {} bytes", bytes.len());
        let array = array::array(path, &bytes, BLOCK);
        println!("shape {:?}, strides {:?}, column 3 is {}", array.shape(), array.strides(), array.column(3));
    }
    Ok(())
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    // The same words on every rank, as MPI-IO demands of a file's name; rank 0 tells what is wrong with them.
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            if world.rank() == 0 {
                error.print().expect("a message can be printed");
            }
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    write_and_read(&world, &options.file).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
