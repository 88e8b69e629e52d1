//! Julia on the GPU: coordinate tables, the dispatches of a call, and the bands put together from what they return.
//!
//! Twin of `shaders/julia.wgsl`. The rows of all bands of a call are one sequence of pixels to the kernel; a dispatch
//! takes as many of them as its time allows, which may be many bands or a part of a row.

use std::{marker::PhantomData, ops::Range};

use bytemuck::{Pod, Zeroable};

use super::{
    assemble::{Assembler, Packed},
    context::Context,
    dispatch::{self, Dispatch, Grid, Slot, Work},
    pacer::Pacer,
    pipeline::{Binding, Contraction, Pipeline},
    shader,
    shader::Shader,
    tile::tiles,
};
use crate::{
    device::Deliver,
    error::Error,
    kernel::{
        Precision,
        band::Band,
        julia::{Julia, Real},
    },
};

/// Invocations of a workgroup; `GROUP` in the shader.
const GROUP: u64 = 64;
/// What a pixel costs besides its iterations, in iterations: coordinates, packing, the way to the host.
const PIXEL_STEPS: u64 = 8;
/// Most bytes of counts a dispatch returns: enough to hide the cost of a launch, small enough to overlap well.
const OUT_BYTES: u64 = 16 << 20;
/// Most bytes of a coordinate table, where the device allows as much.
const TABLE_BYTES: u64 = 64 << 20;

/// The bindings of the kernel, in the order of their numbers.
const BINDINGS: [Binding; 4] = [Binding::Uniform, Binding::Input, Binding::Input, Binding::Output];

/// A uniform of the shader for one precision. bytemuck derives its guarantees for concrete types alone.
macro_rules! params {
    ($name:ident, $real:ty) => {
        #[doc = concat!("The shader's `Params` where `real` is ", stringify!($real), ".")]
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Pod, Zeroable)]
        #[expect(missing_docs, reason = "the shader's twin explains each member")]
        pub struct $name {
            pub c_re: $real,
            pub c_im: $real,
            pub radius2: $real,
            pub max_iter: u32,
            pub width: u32,
            pub first_column: u32,
            pub first_row: u32,
            pub pixels: u32,
            pub grid_width: u32,
        }

        impl GpuReal for $real {
            type Params = $name;

            fn params(julia: &Julia, piece: &Piece) -> $name {
                let constants = julia.constants();
                $name {
                    c_re: constants.c_re,
                    c_im: constants.c_im,
                    radius2: constants.radius2,
                    max_iter: u32::from(constants.max_iter),
                    width: piece.width,
                    first_column: piece.first_column,
                    first_row: piece.first_row,
                    pixels: piece.pixels,
                    grid_width: piece.grid.width,
                }
            }
        }
    };
}

/// A floating-point format of the kernel.
pub(super) trait GpuReal: Real + Pod {
    /// The uniform.
    type Params: Pod;

    fn params(julia: &Julia, piece: &Piece) -> Self::Params;
}

params!(ParamsF32, f32);
params!(ParamsF64, f64);

/// What the kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Format {
    /// In what it computes.
    pub(super) precision: Precision,
    /// Whether counts are packed as bytes, else as 16 bits.
    pub(super) bytes: bool,
}

impl Format {
    /// What `julia` needs.
    pub(super) fn of(julia: &Julia, precision: Precision) -> Self {
        Self { precision, bytes: julia.counts_fit_u8() }
    }

    /// The kernel's text.
    pub(super) fn shader(self) -> Shader {
        shader::julia(self.precision, size_of::<u32>() / self.count_bytes())
    }

    fn count_bytes(self) -> usize {
        if self.bytes { size_of::<u8>() } else { size_of::<u16>() }
    }

    fn real_bytes(self) -> usize {
        match self.precision {
            Precision::F32 => size_of::<f32>(),
            Precision::F64 => size_of::<f64>(),
        }
    }

    fn params_bytes(self) -> usize {
        match self.precision {
            Precision::F32 => size_of::<ParamsF32>(),
            Precision::F64 => size_of::<ParamsF64>(),
        }
    }
}

/// The kernel in one format, with its buffers.
#[derive(Debug)]
pub(super) struct Kernel {
    format: Format,
    pipeline: Pipeline,
    pacer: Pacer,
    slots: [Slot; 2],
    /// Pixels that fit in a slot.
    most_pixels: u64,
    /// Reals that fit in a table.
    most_entries: usize,
    columns: Table,
    lines: Table,
}

impl Kernel {
    /// Compiles `shader`, a text for `format`, and allocates what it needs.
    pub(super) fn build(
        context: &Context,
        format: Format,
        shader: &Shader,
        contraction: Contraction,
    ) -> Result<Self, Error> {
        let limits = context.device.limits();
        let binding_bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let out_bytes = OUT_BYTES.min(binding_bytes);
        let entries = TABLE_BYTES.min(binding_bytes) / format.real_bytes() as u64;
        let slot = || Slot::new(context, format.params_bytes() as u64, out_bytes);
        Ok(Self {
            format,
            pipeline: Pipeline::build(context, shader, &BINDINGS, contraction)?,
            pacer: Pacer::new(),
            slots: [slot()?, slot()?],
            most_pixels: out_bytes / format.count_bytes() as u64,
            most_entries: usize::try_from(entries).expect("TABLE_BYTES fits in usize"),
            columns: Table::new(context)?,
            lines: Table::new(context)?,
        })
    }

    /// Seconds of the longest dispatch so far.
    pub(super) fn longest_s(&self) -> f64 {
        self.pacer.longest_s()
    }

    /// Computes `bands` of `julia`, which needs this kernel's format, and delivers them.
    pub(super) fn run(
        &mut self,
        context: &Context,
        julia: &Julia,
        bands: &[Band],
        deliver: Deliver<'_>,
    ) -> Result<(), Error> {
        match (self.format.precision, self.format.bytes) {
            (Precision::F32, true) => self.run_as::<f32, u8>(context, julia, bands, deliver),
            (Precision::F32, false) => self.run_as::<f32, u16>(context, julia, bands, deliver),
            (Precision::F64, true) => self.run_as::<f64, u8>(context, julia, bands, deliver),
            (Precision::F64, false) => self.run_as::<f64, u16>(context, julia, bands, deliver),
        }
    }

    fn run_as<T: GpuReal, C: Packed>(
        &mut self,
        context: &Context,
        julia: &Julia,
        bands: &[Band],
        deliver: Deliver<'_>,
    ) -> Result<(), Error> {
        let columns: Vec<T> = julia.columns().into_iter().map(T::round).collect();
        let lines: Vec<T> = bands.iter().flat_map(|band| julia.lines(band.rows.clone())).map(T::round).collect();
        let mut assembler = Assembler::<C>::new(columns.len(), bands, deliver);
        for tile in tiles(columns.len(), lines.len(), self.most_entries) {
            self.columns.fill(context, &columns[tile.columns.clone()])?;
            self.lines.fill(context, &lines[tile.rows.clone()])?;
            let mut work = TileWork::<T, C> {
                julia,
                bind_groups: [self.bind_group(context, 0), self.bind_group(context, 1)],
                pipeline: &self.pipeline.compute,
                pacer: &mut self.pacer,
                most_pixels: self.most_pixels,
                width: u32::try_from(tile.columns.len()).expect("a table has less than 2^32 entries"),
                remaining: 0..tile.pixels(),
                assembler: &mut assembler,
                real: PhantomData,
            };
            dispatch::run(context, &self.slots, &mut work)?;
        }
        Ok(())
    }

    fn bind_group(&self, context: &Context, slot: usize) -> wgpu::BindGroup {
        let Slot { params, out, .. } = &self.slots[slot];
        let entries: Vec<_> = (0..)
            .zip([params, &self.columns.buffer, &self.lines.buffer, out])
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.bindings,
            entries: &entries,
        })
    }
}

/// A coordinate table on the device.
#[derive(Debug)]
struct Table {
    buffer: wgpu::Buffer,
}

impl Table {
    const USAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST);

    fn new(context: &Context) -> Result<Self, Error> {
        Ok(Self { buffer: context.buffer("a coordinate table", 16 << 10, Self::USAGE)? })
    }

    /// Replaces the contents by `values`, in a larger buffer where they do not fit.
    fn fill<T: Pod>(&mut self, context: &Context, values: &[T]) -> Result<(), Error> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let needed_bytes = bytes.len() as u64;
        if self.buffer.size() < needed_bytes {
            self.buffer = context.buffer("a coordinate table", needed_bytes.next_power_of_two(), Self::USAGE)?;
        }
        context.queue.write_buffer(&self.buffer, 0, bytes);
        Ok(())
    }
}

/// The pixels of one dispatch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    width: u32,
    first_column: u32,
    first_row: u32,
    pixels: u32,
    grid: Grid,
}

/// The dispatches of one tile.
struct TileWork<'a, 'b, T, C> {
    julia: &'a Julia,
    bind_groups: [wgpu::BindGroup; 2],
    pipeline: &'a wgpu::ComputePipeline,
    pacer: &'a mut Pacer,
    most_pixels: u64,
    /// Pixels in a row of the tile.
    width: u32,
    /// Pixels of the tile that are not launched yet.
    remaining: Range<u64>,
    assembler: &'a mut Assembler<'b, C>,
    real: PhantomData<T>,
}

impl<T: GpuReal, C: Packed> TileWork<'_, '_, T, C> {
    /// The next pixels: no more than fit in a slot and in the time of a dispatch, and whole workgroups of them.
    fn next_piece(&mut self) -> Piece {
        let per_word = (size_of::<u32>() / size_of::<C>()) as u64;
        let group_pixels = GROUP * per_word;
        let most_steps = u64::from(self.julia.max_iter) + PIXEL_STEPS;
        let in_time = (self.pacer.items(most_steps) / group_pixels).max(1) * group_pixels;
        let start = self.remaining.start;
        let pixels = in_time.min(self.most_pixels).min(self.remaining.end - start);
        self.remaining.start += pixels;
        let small = |value: u64| u32::try_from(value).expect("tables and slots hold less than 2^32 pixels");
        let width = u64::from(self.width);
        Piece {
            width: self.width,
            first_column: small(start % width),
            first_row: small(start / width),
            pixels: small(pixels),
            grid: Grid::of(small(pixels.div_ceil(group_pixels))),
        }
    }
}

impl<T: GpuReal, C: Packed> Work for TileWork<'_, '_, T, C> {
    type Piece = Piece;

    fn launch(&mut self, slot: usize, launch: &mut dyn FnMut(Dispatch<'_>)) -> Option<Piece> {
        if self.remaining.is_empty() {
            return None;
        }
        let piece = self.next_piece();
        let counts_bytes = u64::from(piece.pixels) * size_of::<C>() as u64;
        launch(Dispatch {
            pipeline: self.pipeline,
            bind_group: &self.bind_groups[slot],
            params: bytemuck::bytes_of(&T::params(self.julia, &piece)),
            grid: piece.grid,
            out_bytes: counts_bytes.next_multiple_of(size_of::<u32>() as u64),
        });
        Some(piece)
    }

    fn finish(&mut self, piece: Piece, seconds: f64, out: &[u8]) {
        let pixels = piece.pixels as usize;
        let counts: &[C] = &bytemuck::cast_slice(out)[..pixels];
        let left: u64 = counts.iter().map(|&count| Into::<u64>::into(count)).sum();
        let pixels = u64::from(piece.pixels);
        let iterations = pixels * u64::from(self.julia.max_iter) - left;
        self.pacer.record(iterations + pixels * PIXEL_STEPS, seconds);
        if std::env::var_os("DBG").is_some() {
            eprintln!("{} px {:.3} ms {} it", piece.pixels, seconds * 1e3, iterations);
        }
        self.assembler.append(counts);
    }
}
