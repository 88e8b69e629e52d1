//! What it costs to turn counts into a piece of a PNG, against deflating bytes that are filtered already.
//!
//! `cargo bench --bench encode`. Throughput is in bytes of pixels a second, on one core, of a band that is in its cache.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hybrid::inside::{
    cli::{Color, ColorScale},
    device::Kind,
    kernel::{
        Precision,
        band::Bands,
        count::{Count, Counts},
        image::Image,
    },
    output::image::{color::Coloring, encode::EncodedBand},
};
use ndarray::Array2;

fn encode(criterion: &mut Criterion) {
    let image = Image { width: 10_240, height: 7_680, ..Image::tutorial() };
    let bands = Bands::of(image.width, image.height);
    let band = bands.get(bands.len() / 3);
    let counts: Array2<u8> = image.definition(Precision::F64, band.rows.clone()).mapv(u8::from_u16);
    let filtered: Vec<u8> = counts
        .outer_iter()
        .zip(counts.outer_iter().skip(1))
        .flat_map(|(above, row)| row.iter().zip(above).map(|(byte, up)| byte.wrapping_sub(*up)).collect::<Vec<_>>())
        .collect();
    let pixels = Coloring::new(Color::Viridis, ColorScale::Linear).pixel_bytes(255, 0, Kind::Cpu);

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
