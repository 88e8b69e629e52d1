//! MPI-IO: all ranks write one file together, each its own block, and read it together.
//!
//! Teaches: collective input and output, and how to call a part of MPI that rsmpi does not wrap: the foreign calls stand in
//! one small type, which checks what C leaves to the caller.
//! Replaces: the assignments "what MPI-IO is" and "collective I/O with NumPy arrays".
//! Run: `mpiexec -n 4 target/release/examples/mpi_io --file mpi_io.bin`

use std::{
    ffi::{CStr, CString, c_int},
    fs,
    mem::MaybeUninit,
    process::ExitCode,
};

use bytemuck::Pod;
use clap::Parser;
use mpi::{collective::SystemOperation, ffi, topology::SimpleCommunicator, traits::*};

/// Writes and reads one file by all ranks.
#[derive(Parser)]
struct Options {
    /// The file; on several nodes it must be in a folder that they share
    #[arg(long, default_value = "mpi_io.bin", value_parser = file_name)]
    file: CString,
}

/// A name that the C interface can take.
fn file_name(name: &str) -> Result<CString, &'static str> {
    CString::new(name).ok().filter(|name| !name.is_empty()).ok_or("the name is empty, or has a NUL in it")
}

/// Numbers in a rank's block.
const BLOCK: usize = 10;

/// A step that failed on some rank, and so on all; the reason has been printed.
struct Failed;

/// Goes on where every rank succeeded; otherwise the lowest rank that failed says why. Collective.
fn agree<T, E: ToString>(world: &SimpleCommunicator, step: &str, outcome: Result<T, E>) -> Result<T, Failed> {
    let mine = if outcome.is_err() { world.rank() } else { world.size() };
    let mut first = 0;
    world.all_reduce_into(&mine, &mut first, SystemOperation::min());
    match outcome {
        Ok(value) if first == world.size() => Ok(value),
        Err(reason) if first == world.rank() => {
            eprintln!("error: rank {first} cannot {step}: {}", reason.to_string());
            Err(Failed)
        }
        _ => Err(Failed),
    }
}

/// A file that all ranks of the job have open. Every method is collective.
///
/// It is closed by [`SharedFile::close`] and not by a drop, which would wait for ever on a rank that fails alone.
struct SharedFile<'a> {
    handle: ffi::MPI_File,
    world: &'a SimpleCommunicator,
}

#[expect(unsafe_code, reason = "rsmpi does not wrap MPI-IO")]
impl<'a> SharedFile<'a> {
    /// Opens the file; `mode` is a sum of `MPI_MODE_` flags.
    fn open(world: &'a SimpleCommunicator, name: &CStr, mode: u32) -> Result<Self, Failed> {
        let (mode, mut handle) = (mode.cast_signed(), MaybeUninit::uninit());
        // SAFETY: the communicator is alive, the name ends in NUL, and there is room for the handle.
        let code = unsafe {
            ffi::MPI_File_open(world.as_raw(), name.as_ptr(), mode, ffi::RSMPI_INFO_NULL, handle.as_mut_ptr())
        };
        agree(world, &format!("open {}", name.to_string_lossy()), check(code))?;
        // SAFETY: the file is open, so MPI has written the handle.
        Ok(Self { handle: unsafe { handle.assume_init() }, world })
    }

    /// Cuts the file to nothing: an earlier run's longer file would show behind this one's.
    fn clear(&self) -> Result<(), Failed> {
        // SAFETY: the handle is open.
        agree(self.world, "empty the file", check(unsafe { ffi::MPI_File_set_size(self.handle, 0) }))
    }

    /// Writes this rank's `values` from this rank's `offset_bytes` on.
    fn write_at_all<T: Equivalence + Pod>(&self, offset_bytes: usize, values: &[T]) -> Result<(), Failed> {
        let (offset, count, kind) = (offset_of(offset_bytes), values.count(), T::equivalent_datatype().as_raw());
        let mut status = MaybeUninit::uninit();
        // SAFETY: pointer and count are those of a slice whose elements have the MPI type `kind`.
        let code = unsafe {
            let values = values.as_ptr().cast();
            ffi::MPI_File_write_at_all(self.handle, offset, values, count, kind, status.as_mut_ptr())
        };
        // SAFETY: a call that has succeeded has filled the status.
        let moved = check(code).and_then(|()| all_moved(unsafe { status.assume_init_ref() }, kind, count));
        agree(self.world, "write", moved)
    }

    /// Reads `count` values from this rank's `offset_bytes` on.
    fn read_at_all<T: Equivalence + Pod>(&self, offset_bytes: usize, count: usize) -> Result<Vec<T>, Failed> {
        let mut values = vec![T::zeroed(); count];
        let (offset, count, kind) = (offset_of(offset_bytes), values.count(), T::equivalent_datatype().as_raw());
        let mut status = MaybeUninit::uninit();
        // SAFETY: as for writing; and whatever bytes the file has, they are a `T`, since it is `Pod`.
        let code = unsafe {
            let values = values.as_mut_ptr().cast();
            ffi::MPI_File_read_at_all(self.handle, offset, values, count, kind, status.as_mut_ptr())
        };
        // SAFETY: a call that has succeeded has filled the status.
        let moved = check(code).and_then(|()| all_moved(unsafe { status.assume_init_ref() }, kind, count));
        agree(self.world, "read", moved).map(|()| values)
    }

    /// Closes the file: from here on any rank finds in it what all have written.
    fn close(mut self) -> Result<(), Failed> {
        // SAFETY: the handle is open, and nobody has it after this.
        agree(self.world, "close the file", check(unsafe { ffi::MPI_File_close(&raw mut self.handle) }))
    }
}

fn offset_of(bytes: usize) -> ffi::MPI_Offset {
    bytes.try_into().expect("an offset in a file fits in 63 bits")
}

/// What a return code says. Errors of files come back to the caller, where MPI's other errors end the job.
#[expect(unsafe_code, reason = "rsmpi does not wrap MPI-IO")]
fn check(code: c_int) -> Result<(), String> {
    if code.unsigned_abs() == ffi::MPI_SUCCESS {
        return Ok(());
    }
    let (mut text, mut length) = ([0_u8; ffi::MPI_MAX_ERROR_STRING as usize], 0);
    // SAFETY: the text has the room that MPI demands.
    unsafe { ffi::MPI_Error_string(code, text.as_mut_ptr().cast(), &raw mut length) };
    Err(String::from_utf8_lossy(&text[..usize::try_from(length).expect("a length")]).into_owned())
}

/// Fails where fewer than `expected` values were moved: at the end of a file that is too short, or on a full disk.
#[expect(unsafe_code, reason = "rsmpi does not wrap MPI-IO")]
fn all_moved(status: &ffi::MPI_Status, kind: ffi::MPI_Datatype, expected: c_int) -> Result<(), String> {
    let mut count = 0;
    // SAFETY: status and datatype are valid.
    check(unsafe { ffi::MPI_Get_count(status, kind, &raw mut count) })?;
    if count == expected { Ok(()) } else { Err(format!("{count} of {expected} values were moved")) }
}

/// Each rank writes its own block, and reads that of the next rank.
fn write_and_read(world: &SimpleCommunicator, name: &CStr) -> Result<(), Failed> {
    let (rank, size) = (world.rank(), world.size());
    let start_of = |rank: i32| usize::try_from(rank).expect("ranks count from 0") * BLOCK * size_of::<i32>();

    let file = SharedFile::open(world, name, ffi::MPI_MODE_CREATE | ffi::MPI_MODE_WRONLY)?;
    file.clear()?;
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
        let path = name.to_str().expect("the command line was text");
        let bytes = fs::read(path).expect("the file was read just now");
        let expected: Vec<u8> = (0..size).flat_map(|rank| [rank; BLOCK]).flat_map(i32::to_ne_bytes).collect();
        assert_eq!(bytes, expected, "the blocks stand in the order of the ranks, and nothing else is in the file");
        println!("{path} has {} bytes", bytes.len());
    }
    Ok(())
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let root = world.process_at_rank(0);

    // Rank 0 reads the options. An empty name cannot be asked for: it tells the others to end with the exit code.
    let (mut name, mut exit_code) = (Vec::new(), 0);
    if world.rank() == 0 {
        match Options::try_parse() {
            Ok(options) => name = options.file.into_bytes(),
            Err(error) => {
                error.print().expect("a message can be printed");
                exit_code = error.exit_code();
            }
        }
    }
    let mut numbers = [name.len() as u64, u64::from(exit_code.unsigned_abs())];
    root.broadcast_into(&mut numbers);
    let [length, exit_code] = numbers;
    if length == 0 {
        return ExitCode::from(u8::try_from(exit_code).expect("an exit code is small"));
    }
    name.resize(usize::try_from(length).expect("a name fits in memory"), 0);
    root.broadcast_into(&mut name[..]);
    let name = CString::new(name).expect("rank 0 has checked the name");
    write_and_read(&world, &name).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
