//! An image computed by a device and put together from what it delivers.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::{ops::ControlFlow, sync::Mutex};

use hybrid::inside::{
    device::{Device, DeviceError},
    kernel::{Precision, band::Band, count::Counts, image::Image},
};
use ndarray::{Array2, s};

/// What came of it.
#[derive(Debug)]
#[allow(dead_code, reason = "each test binary uses its own part")]
pub(crate) struct WholeImage {
    /// The counts; 0, which no count is, where a band was not delivered.
    pub(crate) counts: Array2<u16>,
    /// The numbers of the bands that were delivered, sorted, each as often as it was.
    pub(crate) delivered: Vec<u32>,
    /// Whether all were delivered as bytes where they fit, and as 16 bits where not.
    pub(crate) has_its_width: bool,
    /// Iterations that the device did not make.
    pub(crate) skipped: u64,
}

/// Has `device` compute `bands` of `image`.
pub(crate) fn whole_image(
    device: &mut dyn Device,
    image: &Image,
    precision: Precision,
    bands: &[Band],
) -> Result<WholeImage, DeviceError> {
    let counts = Array2::zeros((image.height as usize, image.width as usize));
    let whole = Mutex::new(WholeImage { counts, delivered: Vec::new(), has_its_width: true, skipped: 0 });
    let deliver = |band: &Band, counts: Counts<'_>| {
        let mut whole = whole.lock().unwrap();
        whole.delivered.push(band.index);
        whole.has_its_width &= matches!(counts, Counts::U8(_)) == image.counts_fit_u8();
        let rows = band.rows.start as usize..band.rows.end as usize;
        let mut place = whole.counts.slice_mut(s![rows, ..]);
        match counts {
            Counts::U8(counts) => place.assign(&counts.mapv(u16::from)),
            Counts::U16(counts) => place.assign(&counts),
        }
        ControlFlow::Continue(())
    };
    let skipped = device.image(image, precision, bands, &deliver)?;
    let mut whole = whole.into_inner().unwrap();
    whole.delivered.sort_unstable();
    Ok(WholeImage { skipped, ..whole })
}
