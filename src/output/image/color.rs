//! From counts to the bytes of pixels.
//!
//! A band must be turned into bytes before the whole image is known. So the bytes are indexes into a palette, and what
//! depends on the whole image, the normalization over its own minimum and maximum, goes into the palette, which is written
//! last.

use super::colormap::{self, Colormap};
use crate::{
    cli::{Color, ColorScale},
    device::Kind,
};

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
pub enum Form {
    /// One byte a pixel, an index into a palette sampled from a color map.
    Indexed,
    /// Three bytes a pixel, in the hue of the rank or the device that computed it.
    Tinted,
}

/// From counts to colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coloring {
    color: Color,
    scale: ColorScale,
}

impl Coloring {
    /// The colors of `color`, with counts spread over them by `scale`.
    #[must_use]
    pub fn new(color: Color, scale: ColorScale) -> Self {
        Self { color, scale }
    }

    /// The form in which pixels are stored.
    #[must_use]
    pub fn form(self) -> Form {
        match self.color {
            Color::Viridis | Color::Cubehelix | Color::Grey => Form::Indexed,
            Color::Rank | Color::Device => Form::Tinted,
        }
    }

    /// Bytes a pixel.
    #[must_use]
    pub fn bytes_per_px(self) -> usize {
        match self.form() {
            Form::Indexed => 1,
            Form::Tinted => 3,
        }
    }

    /// The palette of an image whose counts lie in `min..=max`; `None` where pixels carry their colors themselves.
    ///
    /// Up to 256 iterations the index of a count is the count less 1, and the palette normalizes: linearly over `min..=max`, as
    /// matplotlib's `imsave` does, or by logarithms over 1..=`max_iter`; above, the index is normalized already, over 1..=`max_iter`.
    #[must_use]
    pub fn palette(self, max_iter: u16, min: u16, max: u16) -> Option<Colormap> {
        let map = match self.color {
            Color::Viridis => colormap::viridis(),
            Color::Cubehelix => colormap::cubehelix(),
            Color::Grey => colormap::grey(),
            Color::Rank | Color::Device => return None,
        };
        if max_iter > PALETTE_ENTRIES {
            return Some(map);
        }
        let mut index = 0_u16;
        Some([[0; 3]; 256].map(|_: [u8; 3]| {
            index += 1;
            map[usize::from(match self.scale {
                ColorScale::Linear => linear(index, min, max),
                ColorScale::Log => logarithmic(index.min(max_iter), max_iter),
            })]
        }))
    }

    /// The bytes of a pixel, for counts from 1 to `max_iter`.
    #[must_use]
    pub fn pixel_bytes(self, max_iter: u16, rank: usize, device: Kind) -> PixelBytes {
        let entry = |count| match self.scale {
            ColorScale::Linear => linear(count, 1, max_iter),
            ColorScale::Log => logarithmic(count, max_iter),
        };
        let counts = 0..=max_iter;
        match self.form() {
            Form::Indexed if max_iter <= PALETTE_ENTRIES => PixelBytes::CountLess1,
            Form::Indexed => PixelBytes::One(counts.map(entry).collect()),
            Form::Tinted => {
                let turns = match (self.color, device) {
                    (Color::Device, Kind::Cpu) => 0.58,
                    (Color::Device, Kind::Gpu) => 0.28,
                    _ => hue(rank),
                };
                let map = colormap::tint(turns);
                PixelBytes::Three(counts.map(|count| map[usize::from(entry(count))]).collect())
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
fn linear(count: u16, min: u16, max: u16) -> u8 {
    if count <= min || min == max {
        return 0;
    }
    let scaled = 256 * u32::from(count - min) / u32::from(max - min);
    u8::try_from(scaled).unwrap_or(u8::MAX)
}

/// Entry of a map of 256 colors for `count` in `1..=max_iter`, by the n = `max_iter` - `count` iterations that were made: 256 v of
/// the fraction v = 1 - log(n + 1) / log(`max_iter`), as [`linear`] takes it. In whole numbers, so that no machine's own logarithm
/// decides on a color.
fn logarithmic(count: u16, max_iter: u16) -> u8 {
    let (made, all) = (log2(u32::from(max_iter - count.max(1)) + 1), log2(u32::from(max_iter)));
    let scaled = (256 * (all - made)).checked_div(all).unwrap_or(0);
    u8::try_from(scaled).unwrap_or(u8::MAX)
}

/// The logarithm of `x`, at least 1, to base 2 in units of 2^-32, rounded down but for the last few: a bit for each squaring of the
/// fraction (J. C. Majithia, D. Levan, "A note on base-2 logarithm computations", Proc. IEEE 61, 1973).
fn log2(x: u32) -> u64 {
    const ONE: u64 = 1 << 31;
    let whole = x.ilog2();
    let mut fraction = u64::from(x) << (31 - whole);
    let mut log = u64::from(whole);
    for _ in 0..32 {
        fraction = (fraction * fraction) >> 31;
        let bit = u64::from(fraction >= 2 * ONE);
        fraction >>= bit;
        log = log << 1 | bit;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colors(color: Color) -> Coloring {
        Coloring::new(color, ColorScale::Linear)
    }

    #[test]
    fn the_ends_of_the_range_are_the_ends_of_the_map() {
        assert_eq!((linear(5, 5, 9), linear(9, 5, 9), linear(7, 5, 9)), (0, 255, 128));
    }

    #[test]
    fn an_image_of_one_count_is_all_the_first_color() {
        assert_eq!(linear(255, 255, 255), 0);
    }

    #[test]
    fn the_palette_normalizes_over_what_occurs() {
        let palette = colors(Color::Viridis).palette(255, 11, 20).unwrap();
        assert_eq!(palette[10], colormap::viridis()[0]);
        assert_eq!(palette[19], colormap::viridis()[255]);
    }

    #[test]
    fn above_256_iterations_the_index_is_normalized_over_all_counts() {
        let PixelBytes::One(index) = colors(Color::Grey).pixel_bytes(2000, 0, Kind::Cpu) else { panic!() };
        assert_eq!((index[1], index[2000], index[1000]), (0, 255, 127));
        assert_eq!(colors(Color::Grey).palette(2000, 700, 800), Some(colormap::grey()));
    }

    #[test]
    fn with_256_iterations_every_count_has_an_index_of_its_own() {
        let pixels = colors(Color::Grey).pixel_bytes(256, 0, Kind::Cpu);
        assert!(matches!(pixels, PixelBytes::CountLess1), "{pixels:?}");
    }

    #[test]
    fn ranks_and_devices_have_hues_of_their_own() {
        let bytes = |color, rank, device| match colors(color).pixel_bytes(255, rank, device) {
            PixelBytes::Three(rgb) => rgb[200],
            other => panic!("a tint is a color, not {other:?}"),
        };
        assert_ne!(bytes(Color::Rank, 0, Kind::Cpu), bytes(Color::Rank, 1, Kind::Cpu));
        assert_eq!(bytes(Color::Rank, 1, Kind::Gpu), bytes(Color::Rank, 1, Kind::Cpu));
        assert_ne!(bytes(Color::Device, 1, Kind::Gpu), bytes(Color::Device, 1, Kind::Cpu));
    }

    #[test]
    fn logarithms_are_those_of_mathematics() {
        for x in (1..5000).chain(65_000..=65_536) {
            #[expect(clippy::cast_precision_loss, reason = "a logarithm below 17 in 36 bits")]
            let found = log2(x) as f64 / f64::from(2_u32).powi(32);
            assert!((found - f64::from(x).log2()).abs() < 1e-8, "{x}: {found}");
        }
        assert!((0..17_u32).all(|power| log2(1 << power) == u64::from(power) << 32));
    }

    #[test]
    fn each_doubling_of_the_iterations_has_as_many_colors() {
        let entry = |made: u16| logarithmic(4096 - made, 4096);
        assert_eq!([0, 1, 3, 7, 63, 1023, 4095].map(entry), [255, 234, 213, 192, 128, 42, 0]);
        assert!((1..4096).all(|count| logarithmic(count, 4096) <= logarithmic(count + 1, 4096)));
        assert_eq!(
            (logarithmic(1, 1), logarithmic(1, 2), logarithmic(2, 2), logarithmic(u16::MAX, u16::MAX)),
            (0, 0, 255, 255)
        );
    }

    #[test]
    fn a_palette_by_logarithms_does_not_depend_on_what_occurs() {
        let coloring = Coloring::new(Color::Grey, ColorScale::Log);
        let palette = coloring.palette(256, 100, 101).unwrap();
        assert_eq!((palette[0], palette[255], palette[255 - 15]), ([0; 3], [255; 3], [128; 3]));
        assert!(matches!(coloring.pixel_bytes(256, 0, Kind::Cpu), PixelBytes::CountLess1));
        let PixelBytes::One(index) = coloring.pixel_bytes(4096, 0, Kind::Cpu) else { panic!() };
        assert_eq!((index[1], index[4096], index[4096 - 63]), (0, 255, 128));
    }
}
