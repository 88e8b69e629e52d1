//! Images on the GPU: the coordinates of a call go up as tables, the rows of all its bands become one sequence of pixels,
//! and a dispatch takes as many of them as its time allows, be it many bands or a part of a row.
//!
//! Host's side of `shaders/escape.wgsl`.

mod assemble;
mod batch;
mod batches;
mod params;
mod seeker;
mod table;
mod tile;

use std::marker::PhantomData;

use assemble::{Assembler, assemble};
use batches::{Batches, Bound};
use params::GpuReal;
#[cfg(feature = "inside")]
pub use params::{ParamsF32, ParamsF64};
use seeker::Seeker;
use table::Table;
use tile::{Tile, tiles};

use super::{
    context::Context,
    dispatch,
    pacer::Pacer,
    pipeline::{Binding, Contraction, Pipeline},
    shader::{self, Repeats, Shader},
    slot::{Output, Slots},
};
use crate::{
    device::{
        Deliver, DeviceError,
        proof::{self, Orbits},
    },
    kernel::{
        Precision,
        band::Band,
        count::Count,
        escape::EscapeTime,
        image::{Image, Visitor},
    },
};

/// Most bytes of counts a dispatch returns: enough to hide the cost of a launch, small enough to overlap well.
const OUT_BYTES: u64 = 32 << 20;
/// Most bytes of a coordinate table, where the device allows as much.
const TABLE_BYTES: u64 = 64 << 20;

/// The bindings of the kernel, in the order of their numbers.
const BINDINGS: [Binding; 3] = [Binding::Input, Binding::Input, Binding::Output];

/// What the kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Format {
    /// Which kernel.
    pub(super) kernel: &'static str,
    /// In what it computes.
    pub(super) precision: Precision,
    /// Whether counts are packed as bytes, else as 16 bits.
    pub(super) bytes: bool,
}

impl Format {
    /// What `image` needs.
    pub(super) fn of(image: &Image, precision: Precision) -> Self {
        Self { kernel: image.kernel.name(), precision, bytes: image.counts_fit_u8() }
    }

    /// The text for the kernel of `image`, whose format this is.
    pub(super) fn shader(self, image: &Image, repeats: Repeats) -> Shader {
        struct Text(Format, Repeats);
        impl Visitor for Text {
            type Output = Shader;
            fn visit<K: EscapeTime>(self, _: &K) -> Shader {
                shader::escape::<K>(self.0.precision, self.0.per_word(), self.1)
            }
        }
        image.kernel.visit(Text(self, repeats))
    }

    /// Counts in a word of the output.
    fn per_word(self) -> usize {
        size_of::<u32>() / if self.bytes { size_of::<u8>() } else { size_of::<u16>() }
    }

    /// Iterations that must be left where a block begins, in an image whose pixels reach so far; more than any limit where tests
    /// may not wait.
    fn leap_above<T: GpuReal>(self, image: &Image, reach: (f64, f64)) -> u32 {
        let may_wait = image.kernel.visit(MayWait { format: self, image, reach, kind: PhantomData::<T> });
        if may_wait { shader::block(self.precision, self.per_word()) } else { u32::MAX }
    }
}

/// Whether tests may wait in an image.
struct MayWait<'a, T> {
    format: Format,
    image: &'a Image,
    reach: (f64, f64),
    kind: PhantomData<T>,
}

impl<T: GpuReal> Visitor for MayWait<'_, T> {
    type Output = bool;

    fn visit<K: EscapeTime>(self, _: &K) -> bool {
        let orbits = Orbits::of::<K, T>(&self.image.constants(), self.reach);
        orbits.tests_may_wait(shader::tests_apart(self.format.precision), T::MAX.into())
    }
}

/// What is asked of a kernel.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) image: &'a Image,
    pub(super) bands: &'a [Band],
    /// What is to be done about repeats; where it is open, the batches decide by what they find.
    pub(super) repeats: Option<Repeats>,
    /// Threads of the host that deliver.
    pub(super) threads: usize,
    pub(super) deliver: Deliver<'a>,
}

/// The kernel in one format, with its tables.
#[derive(Debug)]
pub(super) struct Kernel {
    format: Format,
    /// One for each of [`Repeats::ALL`].
    pipelines: [Pipeline; Repeats::ALL.len()],
    pacer: Pacer,
    seeker: Seeker,
    columns: Table,
    rows: Table,
}

impl Kernel {
    /// Compiles `text`, the texts for `format`.
    pub(super) fn build(
        context: &Context,
        format: Format,
        text: impl Fn(Repeats) -> Shader,
        contraction: Contraction,
        pacer: Pacer,
    ) -> Result<Self, DeviceError> {
        let build = |repeats| Pipeline::build(context, &text(repeats), &BINDINGS, contraction);
        let [ignoring, seeking] = Repeats::ALL.map(build);
        Ok(Self {
            format,
            pipelines: [ignoring?, seeking?],
            pacer,
            seeker: Seeker::new(),
            columns: Table::new(context)?,
            rows: Table::new(context)?,
        })
    }

    /// How its dispatches are sized, and how long they took.
    pub(super) fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// Computes what `call` asks, whose image needs this kernel's format. Returns how many iterations were not made, since the orbit
    /// was found to repeat.
    pub(super) fn run(&mut self, context: &Context, slots: &mut Slots, call: Call<'_>) -> Result<u64, DeviceError> {
        let run = match (self.format.precision, self.format.bytes) {
            (Precision::F32, true) => Self::run_as::<f32, u8>,
            (Precision::F32, false) => Self::run_as::<f32, u16>,
            (Precision::F64, true) => Self::run_as::<f64, u8>,
            (Precision::F64, false) => Self::run_as::<f64, u16>,
        };
        run(self, context, slots, call)
    }

    fn run_as<T: GpuReal, C: Count>(
        &mut self,
        context: &Context,
        slots: &mut Slots,
        call: Call<'_>,
    ) -> Result<u64, DeviceError> {
        let Call { image, bands, threads, deliver, .. } = call;
        let columns: Vec<T> = image.columns();
        let rows: Vec<T> = bands.iter().flat_map(|band| image.rows::<T>(band.rows.clone())).collect();
        let leap_above = self.format.leap_above::<T>(image, (proof::reach(&columns), proof::reach(&rows)));
        assemble(columns.len(), bands, threads, deliver, |assembler: &mut Assembler<'_, '_, C, Output>| {
            let mut skipped = 0;
            let table_bytes = usize::try_from(TABLE_BYTES.min(context.max_binding_bytes())).expect("64 MiB fit");
            for tile in tiles(columns.len(), rows.len(), table_bytes / size_of::<T>()) {
                self.columns.fill(context, &columns[tile.columns.clone()])?;
                self.rows.fill(context, &rows[tile.rows.clone()])?;
                skipped += self.run_tile::<T, C>(context, slots, (call, leap_above), &tile, assembler)?;
                if assembler.is_enough() {
                    break;
                }
            }
            Ok(skipped)
        })
    }

    /// Computes `tile`, whose coordinates are in the tables.
    fn run_tile<T: GpuReal, C: Count>(
        &mut self,
        context: &Context,
        slots: &mut Slots,
        (Call { image, bands, repeats, .. }, leap_above): (Call<'_>, u32),
        tile: &Tile,
        assembler: &mut Assembler<'_, '_, C, Output>,
    ) -> Result<u64, DeviceError> {
        let max_groups = OUT_BYTES.min(context.max_binding_bytes()) / batch::GROUP_BYTES;
        let max_pixels = (max_groups * batch::group_pixels::<C>()).min(tile.pixels());
        slots.reserve(context, batch::out_bytes::<C>(max_pixels, Repeats::Sought))?;
        let (columns, rows) = (&self.columns.buffer, &self.rows.buffer);
        let bound = self.pipelines.each_ref().map(|pipeline| Bound {
            pipeline: &pipeline.compute,
            bind_groups: slots.each(|slot| pipeline.bind(context, &[columns, rows, &slot.out])),
        });
        let mut batches = Batches::<T, C> {
            image,
            bound,
            repeats,
            pacer: &mut self.pacer,
            seeker: &mut self.seeker,
            assembler,
            max_pixels,
            width: u32::try_from(tile.columns.len()).expect("a table has less than 2^32 entries"),
            ends: tile.ends(image.width as usize, bands.iter().map(|band| band.height() as usize)),
            remaining: 0..tile.pixels(),
            leap_above,
            skipped: 0,
            real: PhantomData,
        };
        dispatch::run(context, slots, &mut batches)?;
        Ok(batches.skipped)
    }
}
