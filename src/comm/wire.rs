//! Values on their way from rank to rank, in the one format that they have there: MessagePack with named fields, defined byte by byte,
//! so that ranks of different machines understand each other. Knows nothing of MPI.

#[cfg(target_endian = "big")]
compile_error!("the counts of bands go from rank to rank as they are in memory, little end first");

use serde::{Serialize, de::DeserializeOwned};

/// `value` as bytes.
pub(super) fn pack(value: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("plain values always have a form")
}

/// The value that another rank packed.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> T {
    rmp_serde::from_slice(bytes).expect("written by this program on a rank of the same job")
}

/// `value`, and `bytes` behind it as they are.
pub(super) fn pack_with(value: &impl Serialize, bytes: &[u8]) -> Vec<u8> {
    let value = pack(value);
    let length = u32::try_from(value.len()).expect("what goes before the bytes is short");
    [&length.to_le_bytes(), &value[..], bytes].concat()
}

/// What [`pack_with`] put together.
pub(super) fn unpack_with<T: DeserializeOwned>(mut message: Vec<u8>) -> (T, Vec<u8>) {
    let (length, rest) = message.split_first_chunk().expect("a length comes first");
    let length = u32::from_le_bytes(*length) as usize;
    let value = unpack(&rest[..length]);
    message.drain(..size_of::<u32>() + length);
    (value, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_to_the_last_bit() {
        let values =
            (u64::MAX, f64::MIN_POSITIVE, vec![f64::INFINITY, -0.0, 0.1], Some("z\u{e9}".to_owned()), None::<u8>);
        assert_eq!(unpack::<(u64, f64, Vec<f64>, Option<String>, Option<u8>)>(&pack(&values)), values);
        assert!(unpack::<f64>(&pack(&f64::NAN)).is_nan());
    }

    /// The bytes are those of the format, whatever machine writes them.
    #[test]
    fn the_layout_is_defined() {
        assert_eq!(pack(&0x0102_0304_u32), [0xce, 1, 2, 3, 4]);
        assert_eq!(pack(&1.5_f64), [0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
        assert_eq!(pack_with(&7_u8, b"ab"), [1, 0, 0, 0, 7, b'a', b'b']);
    }

    #[test]
    fn bytes_follow_a_value_untouched() {
        for bytes in [&b""[..], b"abc", &[0; 1000]] {
            let (value, rest): (Vec<u16>, _) = unpack_with(pack_with(&vec![1_u16, 60_000], bytes));
            assert_eq!((value, &rest[..]), (vec![1, 60_000], bytes));
        }
    }
}
