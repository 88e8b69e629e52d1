//! The numbers of the file as an array of rows and columns, and what NumPy's format has before them. Knows nothing of ranks.

use ndarray::Array2;
use ndarray_npy::{
    ReadNpyExt, WritableElement,
    npy::header::{Header, Layout},
};

fn is_npy(name: &str) -> bool {
    name.ends_with(".npy")
}

/// What stands before the numbers of an array: type, order and shape in a file `*.npy`, and nothing in another.
pub(crate) fn head(name: &str, rows: usize, columns: usize) -> Vec<u8> {
    if !is_npy(name) {
        return Vec::new();
    }
    let (type_descriptor, layout) = (i32::type_descriptor(), Layout::Standard);
    let header = Header { type_descriptor, layout, shape: vec![rows, columns] };
    header.to_bytes().expect("two numbers make some 100 bytes")
}

/// The array that the bytes of such a file are. A file without a head tells no shape: its rows have `columns` numbers.
pub(crate) fn array(name: &str, bytes: &[u8], columns: usize) -> Array2<i32> {
    if is_npy(name) {
        return Array2::read_npy(bytes).expect("whole numbers of 32 bits in two dimensions");
    }
    let (numbers, rest) = bytes.as_chunks();
    assert!(rest.is_empty() && numbers.len() % columns == 0, "{} bytes are no rows of {columns}", bytes.len());
    let numbers = numbers.iter().map(|bytes| i32::from_ne_bytes(*bytes)).collect();
    Array2::from_shape_vec((bytes.len() / size_of::<i32>() / columns, columns), numbers).expect("so many rows")
}
