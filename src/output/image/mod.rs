//! Files of an image: colors for counts, bands encoded where they are computed, and files of any format that grow band by
//! band. Knows nothing of who computes the bands, nor of the journal that notes how far the files are.

pub mod color;
pub mod colormap;
pub mod encode;
pub mod npy;
pub mod png;
pub mod sink;
