//! What it costs to turn counts into a piece of a PNG, against deflating bytes that are filtered already.
//!
//! `cargo bench --bench encode`. Throughput is in bytes of pixels a second, on one core, of a band that is in its cache.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hybrid::{
    cli::Color,
    device::Kind,
    kernel::{
        band::Bands,
        julia::{Counts, Julia, fill},
    },
    output::{color::Coloring, encode::EncodedBand},
};
use ndarray::Array2;

fn encode(criterion: &mut Criterion) {
    let julia = Julia {
        width: 10_240,
        height: 7_680,
        x: (-2.0, 2.0),
        y: (-1.5, 1.5),
        c: (0.0, 0.65),
        radius: 3.0,
        max_iter: 255,
    };
    let bands = Bands::of(julia.width, julia.height);
    let band = bands.get(bands.len() / 3);
    let mut counts = Array2::<u8>::zeros((band.height() as usize, julia.width as usize));
    fill(&julia.columns(), &julia.lines(band.rows.clone()), &julia.constants::<f64>(), counts.view_mut());
    let filtered: Vec<u8> = counts
        .outer_iter()
        .zip(counts.outer_iter().skip(1))
        .flat_map(|(above, row)| row.iter().zip(above).map(|(byte, up)| byte.wrapping_sub(*up)).collect::<Vec<_>>())
        .collect();
    let pixels = Coloring::of(Color::Viridis).pixel_bytes(255, 0, Kind::Cpu);

    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes(filtered.len() as u64));
    group.bench_function("deflate alone", |bencher| bencher.iter(|| fdeflate::compress_to_vec(&filtered)));
    group.throughput(Throughput::Bytes(counts.len() as u64));
    group.bench_function("a band", |bencher| {
        bencher.iter(|| EncodedBand::new(&band, Counts::U8(counts.view()), &pixels, false));
    });
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
