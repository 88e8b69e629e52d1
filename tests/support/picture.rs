//! A small picture computed in this process, with files as a job has them, for tests that want thousands of them.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::{fs, ops::ControlFlow, path::Path, sync::Mutex};

use hybrid::inside::{
    cli::{Color, ColorScale},
    device::{
        Device, Kind,
        cpu::{CpuDevice, isa::Isa},
    },
    error::Error,
    kernel::{Precision, band::Band, count::Counts, image::Image},
    output::image::{color::Coloring, encode::EncodedBand},
    workload::image::{
        Job,
        open::{self, Names},
    },
};

/// A job and all its bands.
#[derive(Debug)]
pub struct Picture {
    pub job: Job,
    bands: Vec<EncodedBand>,
}

impl Picture {
    pub fn new(width: u32, height: u32, max_iter: u16) -> Self {
        let image = Image { width, height, max_iter, ..Image::tutorial() };
        let (precision, coloring) = (Precision::F64, Coloring::new(Color::Viridis, ColorScale::Linear));
        let job = Job { image, precision, coloring, keep_counts: true, verify: false };
        let all: Vec<Band> = (0..job.bands().len()).map(|index| job.bands().get(index)).collect();
        let pixels = coloring.pixel_bytes(max_iter, 0, Kind::Cpu);
        let bands = Mutex::new(Vec::new());
        let mut device = CpuDevice::new("CPU", Isa::available()[0], 1, None);
        let deliver = |band: &Band, counts: Counts<'_>| {
            bands.lock().unwrap().push(EncodedBand::new(band, counts, &pixels, true));
            ControlFlow::Continue(())
        };
        device.image(&job.image, precision, &all, &deliver).unwrap();
        let mut bands = bands.into_inner().unwrap();
        bands.sort_by_key(|band| band.facts.index);
        Self { job, bands }
    }

    fn names<'a>(picture: &'a Path, counts: &'a Path) -> Names<'a> {
        Names { picture, counts: Some(counts) }
    }

    /// Leaves in `folder` what a job leaves that has noted its state at each of these numbers of bands.
    pub fn leave(&self, folder: &Path, notes: &[usize]) {
        let (picture, counts) = (folder.join("a.png"), folder.join("a.npy"));
        let (mut assembly, _) = open::open(&self.job, Self::names(&picture, &counts), false).unwrap();
        let mut done = 0;
        for note in notes {
            assembly.add(self.bands[done..*note].to_vec()).unwrap();
            assembly.note().unwrap();
            done = *note;
        }
    }

    /// Goes on with what is in `folder`, to the end. Returns the number of bands that were there, and what the user was told.
    pub fn resume(&self, folder: &Path) -> Result<(usize, Vec<String>), Error> {
        let (picture, counts) = (folder.join("a.png"), folder.join("a.npy"));
        let (mut assembly, told) = open::open(&self.job, Self::names(&picture, &counts), true)?;
        let done = assembly.bands() as usize;
        for bands in self.bands[done..].chunks(7) {
            assembly.add(bands.to_vec())?;
        }
        assembly.complete(&self.job)?;
        Ok((done, told))
    }

    /// The complete files.
    pub fn files(folder: &Path) -> [Vec<u8>; 2] {
        ["a.png", "a.npy"].map(|name| fs::read(folder.join(name)).unwrap())
    }

    pub fn bands(&self) -> usize {
        self.bands.len()
    }
}
