//! From counts to the bytes of pixels.
//!
//! A band must be turned into bytes before the whole image is known. So the bytes are indexes into a palette, and what
//! depends on the whole image, the normalization over its own minimum and maximum, goes into the palette, which is written
//! last.

use super::colormap::{self, Colormap};
use crate::{cli::Color, device::Kind};

/// From this limit of iterations on there are more counts than a palette has entries.
const PALETTE_ENTRIES: u16 = 256;
/// The golden ratio's fractional part: multiples of it spread over the color wheel however many there are.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// The hue of a rank, in turns of the color wheel.
#[must_use]
pub fn hue(rank: usize) -> f64 {
    GOLDEN * f64::from(u32::try_from(rank % 4096).expect("below 4096"))
}

/// How the pixels of an image are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coloring {
    /// One byte a pixel, an index into a palette sampled from a color map.
    Indexed(Color),
    /// Three bytes a pixel, in the hue of the rank or the device that computed it.
    Tinted(Color),
}

impl Coloring {
    /// The form in which `color` is stored.
    #[must_use]
    pub fn of(color: Color) -> Self {
        match color {
            Color::Viridis | Color::Cubehelix | Color::Grey => Self::Indexed(color),
            Color::Rank | Color::Device => Self::Tinted(color),
        }
    }

    /// Bytes a pixel.
    #[must_use]
    pub fn bytes_per_px(self) -> usize {
        match self {
            Self::Indexed(_) => 1,
            Self::Tinted(_) => 3,
        }
    }

    /// The palette of an image whose counts lie in `min..=max`; `None` where pixels carry their colors themselves.
    ///
    /// Up to 256 iterations the index of a count is the count less 1, and the palette normalizes over `min..=max` as
    /// matplotlib's `imsave` does; above, the index is already normalized over 1..=`max_iter`.
    #[must_use]
    pub fn palette(self, max_iter: u16, min: u16, max: u16) -> Option<Colormap> {
        let Self::Indexed(color) = self else { return None };
        let map = match color {
            Color::Cubehelix => colormap::cubehelix(),
            Color::Grey => colormap::grey(),
            Color::Viridis | Color::Rank | Color::Device => colormap::viridis(),
        };
        if max_iter > PALETTE_ENTRIES {
            return Some(map);
        }
        let mut index = 0_u16;
        Some([[0; 3]; 256].map(|_: [u8; 3]| {
            index += 1;
            map[usize::from(normalized(index, min, max))]
        }))
    }

    /// The bytes of a pixel, for counts from 1 to `max_iter`.
    #[must_use]
    pub fn pixel_bytes(self, max_iter: u16, rank: usize, device: Kind) -> PixelBytes {
        let counts = 0..=max_iter;
        match self {
            Self::Indexed(_) if max_iter <= PALETTE_ENTRIES => PixelBytes::CountLess1,
            Self::Indexed(_) => PixelBytes::One(counts.map(|count| normalized(count, 1, max_iter)).collect()),
            Self::Tinted(color) => {
                let turns = match (color, device) {
                    (Color::Device, Kind::Cpu) => 0.58,
                    (Color::Device, Kind::Gpu) => 0.28,
                    _ => hue(rank),
                };
                let map = colormap::tint(turns);
                PixelBytes::Three(counts.map(|count| map[usize::from(normalized(count, 1, max_iter))]).collect())
            }
        }
    }
}

/// The bytes of a pixel.
#[derive(Clone, Debug)]
pub enum PixelBytes {
    /// A palette index, the count less 1.
    CountLess1,
    /// A palette index, by count.
    One(Vec<u8>),
    /// Red, green and blue, by count.
    Three(Vec<[u8; 3]>),
}

/// Entry of a map of 256 colors for `count` in `min..=max`: floor(256 v) of the fraction v, and the last one for 1. Whole
/// numbers give what matplotlib gets in f64, since 256 v is either whole in both or far from whole.
fn normalized(count: u16, min: u16, max: u16) -> u8 {
    if count <= min || min == max {
        return 0;
    }
    let scaled = 256 * u32::from(count - min) / u32::from(max - min);
    u8::try_from(scaled).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_are_the_ends_of_the_map() {
        assert_eq!((normalized(5, 5, 9), normalized(9, 5, 9), normalized(7, 5, 9)), (0, 255, 128));
    }

    #[test]
    fn an_image_of_one_count_is_all_the_first_color() {
        assert_eq!(normalized(255, 255, 255), 0);
    }

    #[test]
    fn the_palette_normalizes_over_what_occurs() {
        let palette = Coloring::of(Color::Viridis).palette(255, 11, 20).unwrap();
        assert_eq!(palette[10], colormap::viridis()[0]);
        assert_eq!(palette[19], colormap::viridis()[255]);
    }

    #[test]
    fn above_256_iterations_the_index_is_normalized_over_all_counts() {
        let PixelBytes::One(index) = Coloring::of(Color::Grey).pixel_bytes(2000, 0, Kind::Cpu) else { panic!() };
        assert_eq!((index[1], index[2000], index[1000]), (0, 255, 127));
        assert_eq!(Coloring::of(Color::Grey).palette(2000, 700, 800), Some(colormap::grey()));
    }

    #[test]
    fn with_256_iterations_every_count_has_an_index_of_its_own() {
        let pixels = Coloring::of(Color::Grey).pixel_bytes(256, 0, Kind::Cpu);
        assert!(matches!(pixels, PixelBytes::CountLess1), "{pixels:?}");
    }

    #[test]
    fn ranks_and_devices_have_hues_of_their_own() {
        let bytes = |color, rank, device| match Coloring::of(color).pixel_bytes(255, rank, device) {
            PixelBytes::Three(rgb) => rgb[200],
            other => panic!("a tint is a color, not {other:?}"),
        };
        assert_ne!(bytes(Color::Rank, 0, Kind::Cpu), bytes(Color::Rank, 1, Kind::Cpu));
        assert_eq!(bytes(Color::Rank, 1, Kind::Gpu), bytes(Color::Rank, 1, Kind::Cpu));
        assert_ne!(bytes(Color::Device, 1, Kind::Gpu), bytes(Color::Device, 1, Kind::Cpu));
    }
}
