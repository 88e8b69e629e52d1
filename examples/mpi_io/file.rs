//! A file that all ranks have open: the foreign calls of MPI-IO in one type, which checks what C leaves to the caller.

use std::{
    ffi::{CStr, c_int},
    mem::MaybeUninit,
};

use bytemuck::Pod;
use mpi::{ffi, topology::SimpleCommunicator, traits::*};

use crate::agree::{Failed, agree};

/// A file that all ranks of the job have open. Every method is collective.
///
/// It is closed by [`SharedFile::close`] and not by a drop, which would wait for ever on a rank that fails alone.
pub(crate) struct SharedFile<'a> {
    handle: ffi::MPI_File,
    world: &'a SimpleCommunicator,
}

#[expect(unsafe_code, reason = "rsmpi does not wrap MPI-IO")]
impl<'a> SharedFile<'a> {
    /// Opens the file; `mode` is a sum of `MPI_MODE_` flags.
    pub(crate) fn open(world: &'a SimpleCommunicator, name: &CStr, mode: u32) -> Result<Self, Failed> {
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
    pub(crate) fn clear(&self) -> Result<(), Failed> {
        // SAFETY: the handle is open.
        agree(self.world, "empty the file", check(unsafe { ffi::MPI_File_set_size(self.handle, 0) }))
    }

    /// Writes this rank's `values` from this rank's `offset_bytes` on.
    pub(crate) fn write_at_all<T: Equivalence + Pod>(&self, offset_bytes: usize, values: &[T]) -> Result<(), Failed> {
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
    pub(crate) fn read_at_all<T: Equivalence + Pod>(
        &self,
        offset_bytes: usize,
        count: usize,
    ) -> Result<Vec<T>, Failed> {
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
    pub(crate) fn close(mut self) -> Result<(), Failed> {
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
