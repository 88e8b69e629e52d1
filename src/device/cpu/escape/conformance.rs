//! Every instruction set of this machine against the definition, pixel for pixel, on parameters chosen to hurt.

use ndarray::ArrayViewMut2;
use sha2::{Digest, Sha256};

use super::{tally::Lanes, *};
use crate::kernel::{
    count::Count,
    escape::{self, orbit},
    image::{Image, ImageKernel, Visitor},
    julia::Julia,
    number::Point,
};

/// Parameters in f64, rounded for f32.
#[derive(Debug)]
struct Case {
    name: &'static str,
    columns: Vec<f64>,
    rows: Vec<f64>,
    /// What is fixed for all orbits: of a Julia set c.
    fixed: (f64, f64),
    radius: f64,
    max_iter: u16,
}

/// A kernel under test.
type Fill<'a, T, C> = &'a dyn Fn(&[T], &[T], Constants<T>, &mut [C]);

fn cases() -> Vec<Case> {
    let grid =
        |from: f64, to: f64, n: u32| (0..n).map(|i| from + f64::from(i) * ((to - from) / f64::from(n))).collect();
    let case = |name, width, height, fixed, radius, max_iter| Case {
        name,
        columns: grid(-2.0, 2.0, width),
        rows: grid(1.5, -1.5, height),
        fixed,
        radius,
        max_iter,
    };
    let hostile = vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        3.0,
        f64::NAN,
        0.1,
        f64::INFINITY,
        -0.2,
        f64::NEG_INFINITY,
        0.3,
        1e-40,
        -1e-310,
        0.4,
        1e18,
        1e30,
        1e160,
        -1e308,
        0.5,
        2.999_999_999,
        1e-20,
        0.6,
    ];
    let tutorial = (0.0, 0.65);
    let mut cases = vec![
        case("tutorial", 320, 240, tutorial, 3.0, 255),
        case("long", 200, 120, (-0.8, 0.156), 3.0, 2001),
        case("longest", 40, 9, (-0.4, 0.6), 2.0, 65_535),
        case("all inside but its edges", 130, 40, (-0.1, 0.2), 2.0, 1000),
        case("goes round in two steps", 200, 120, (-1.0, 0.0), 3.0, 2000),
        case("goes round in two steps, bytes", 200, 120, (-1.0, 0.0), 3.0, 255),
        case("goes round in three steps", 130, 70, (-0.123, 0.745), 3.0, 20_000),
        case("goes round in four and in five steps", 130, 70, (-1.310_702_641_336_833, 0.0), 2.5, 5000),
        case("comes near to going round", 130, 70, (-0.75, 0.0), 2.0, 3000),
        case("many tiles", 700, 150, (0.285, 0.01), 3.0, 300),
        case("a row wider than a tile", 40_003, 3, tutorial, 3.0, 60),
        case("Re c is -0", 90, 40, (-0.0, 0.65), 3.0, 255),
        case("c is zero", 90, 40, (0.0, 0.0), 3.0, 255),
        case("leaves and comes back", 129, 64, (-1.0, 0.0), 0.7, 400),
        case("leaves and comes back, bytes", 129, 64, (-1.0, 0.0), 0.7, 255),
        case("leaves and comes back near the bound", 200, 99, (-0.8, 0.156), 1.05, 255),
        case("c larger than the circle bears", 100, 70, (1.0, 5.5), 2.0, 255),
        case("c barely too large", 100, 70, (0.0, 6.0), 3.0, 255),
        case("radius of one", 100, 70, (0.0, 0.0), 1.0, 255),
        case("radius of zero", 65, 5, tutorial, 0.0, 255),
        case("tiny radius", 65, 65, (1e-25, -1e-25), 1e-20, 255),
        case("large radius", 100, 70, tutorial, 1e10, 255),
        case("radius near overflow of f32", 100, 70, tutorial, 1.8e19, 255),
        case("radius near overflow of f64", 100, 70, (-0.5, 0.5), 1.3e154, 255),
        case("infinite radius", 100, 70, tutorial, f64::INFINITY, 255),
        case("radius is no number", 65, 5, tutorial, f64::NAN, 255),
        case("c is no number", 65, 5, (f64::NAN, 0.65), 3.0, 255),
        case("c is infinite", 65, 5, (0.0, f64::INFINITY), 3.0, 255),
        case("c is huge", 65, 5, (1e200, -1e200), 3.0, 255),
    ];
    // Around a fixed point all points turn together, once in 25 iterations, and are outside from the 13th to the 19th.
    cases.push(Case {
        name: "all leave together and come back",
        columns: grid(0.4345, 0.4348, 130),
        rows: grid(0.1307, 0.1305, 30),
        fixed: (0.265_214_910_553_349_67, 0.003_906_525_056_998_58),
        radius: 0.53,
        max_iter: 700,
    });
    // Near a point that no iteration moves and around which distances grow fourfold: neighbours part late.
    cases.push(Case {
        name: "patches that are torn late",
        columns: grid(1.98, 2.02, 400),
        rows: grid(0.02, -0.02, 40),
        fixed: (-2.0, 0.0),
        radius: 2.5,
        max_iter: 255,
    });
    // Of which all is known, with a last patch that is not full.
    let (columns, rows) = (grid(2.0, 2.2, 70), grid(0.4, 0.5, 30));
    cases.push(Case { name: "all leave at once", columns, rows, fixed: tutorial, radius: 3.0, max_iter: 255 });
    // In f32 a pixel beside the middle leaves later, since their roundings differ; without room for these their discs say otherwise.
    for (fixed, radius, columns) in [
        (-506.7214, 269.346_420_961_219_3, vec![23.015_947_341_918_945, 23.015_949_249_267_578, 23.015_951_156_616_21]),
        (-60_849.164, 285.331_175_273_906_1, vec![247.176_773_071_289_06, 247.176_895_141_601_56]),
        (
            -623_973.3,
            3_324.740_025_75,
            vec![790.418_334_960_937_5, 790.418_518_066_406_2, 790.418_762_207_031_2, 790.418_945_312_5],
        ),
    ] {
        let (fixed, rows) = ((fixed, 0.0), vec![0.0]);
        cases.push(Case { name: "apart by roundings", columns, rows, fixed, radius, max_iter: 255 });
    }
    for radius in [0.7, 3.0, 1e5] {
        let (columns, rows) = (grid(-40.0, 40.0, 300), grid(30.0, -30.0, 200));
        cases.push(Case { name: "from afar", columns, rows, fixed: (-1.0, 0.1), radius, max_iter: 255 });
    }
    // A circle smaller than the discs in which orbits are looked for that stay; many leave it late, others never.
    cases.push(Case {
        name: "a circle as small as a disc",
        columns: grid(-0.09, 0.09, 1024),
        rows: grid(0.02, -0.02, 512),
        fixed: (0.0819, 0.0),
        radius: 0.089_999_999_99,
        max_iter: 255,
    });
    let (columns, rows) = (vec![0.1, f64::NAN, -0.2], vec![0.1, f64::NAN]);
    cases.push(Case { name: "small or no number", columns, rows, fixed: tutorial, radius: 3.0, max_iter: 255 });
    for width in [1, 7, 63, 64, 65, 127, 128, 1000] {
        cases.push(case("widths", width, 33, tutorial, 3.0, 255));
        cases.push(case("widths, 16 bits", width, 21, (-0.8, 0.156), 2.0, 700));
    }
    for max_iter in [1, 2, 3, 4, 5, 7, 8, 11, 12, 16, 19, 20, 31, 47, 48, 254, 255, 256, 257, 511] {
        cases.push(case("limits", 70, 50, tutorial, 3.0, max_iter));
        cases.push(case("limits, revocable", 70, 50, (-1.0, 0.0), 0.7, max_iter));
    }
    for (radius, max_iter) in [(3.0, 255), (3.0, 600), (0.7, 255), (1e16, 255), (f64::INFINITY, 255)] {
        for fixed in [(0.0, 0.65), (-0.8, 0.156), (0.0, 0.0)] {
            let (columns, rows) = (hostile.clone(), hostile.clone());
            cases.push(Case { name: "hostile coordinates", columns, rows, fixed, radius, max_iter });
        }
    }
    for zoom in [1e-3, 1e-9, 1e-15, 1e-30] {
        let (columns, rows) = (grid(-0.4 - zoom, -0.4 + zoom, 150), grid(0.1 + zoom, 0.1 - zoom, 80));
        cases.push(Case { name: "zoom", columns, rows, fixed: (0.0, 0.65), radius: 3.0, max_iter: 255 });
        let (columns, rows) = (grid(-zoom, zoom, 150), grid(zoom, -zoom, 80));
        cases.push(Case { name: "zoom at the origin", columns, rows, fixed: (-0.7, 0.3), radius: 3.0, max_iter: 800 });
    }
    cases
}

/// Compares `fill` with the definition on one case.
fn compare<K: EscapeTime, T: Lane, C: Cell>(case: &Case, fill: Fill<'_, T, C>) -> Result<(), String> {
    let rounded = |values: &[f64]| values.iter().map(|&value| T::round(value)).collect::<Vec<_>>();
    let (columns, rows) = (rounded(&case.columns), rounded(&case.rows));
    let constants = Constants {
        fixed: Point { x: T::round(case.fixed.0), y: T::round(case.fixed.1) },
        radius2: T::round(case.radius * case.radius),
        max_iter: case.max_iter,
    };
    let shape = (rows.len(), columns.len());
    let mut expected = vec![C::from_u16(0); shape.0 * shape.1];
    let view = ArrayViewMut2::from_shape(shape, &mut expected).expect("the vector has the shape's size");
    escape::fill::<K, T, C>(&columns, &rows, &constants, view);
    let mut actual = vec![C::from_u16(0); shape.0 * shape.1];
    fill(&columns, &rows, constants, &mut actual);
    match expected.iter().zip(&actual).position(|(expected, actual)| expected != actual) {
        None => Ok(()),
        Some(i) => Err(format!(
            "{}, {}: fixed {:?} radius {} max_iter {} {}x{} {}: row {} column {}: {:?} instead of {:?}",
            K::NAME,
            case.name,
            case.fixed,
            case.radius,
            case.max_iter,
            shape.1,
            shape.0,
            std::any::type_name::<T>(),
            i / shape.1,
            i % shape.1,
            actual[i],
            expected[i],
        )),
    }
}

/// All cases, with counts as bytes where they fit and as 16 bits always.
fn check<K: EscapeTime, T: Lane>(bytes: Fill<'_, T, u8>, words: Fill<'_, T, u16>) -> Result<(), String> {
    for case in cases() {
        if case.max_iter <= 255 {
            compare::<K, T, u8>(&case, bytes)?;
        }
        compare::<K, T, u16>(&case, words)?;
    }
    Ok(())
}

fn with_filler<K: EscapeTime, T: Lane, C: Cell>(
    isa: Isa,
    columns: &[T],
    rows: &[T],
    constants: Constants<T>,
    out: &mut [C],
) {
    let mut filler = Filler::<K, T>::new(isa, columns, constants);
    // In two bands, so that memory used before is used again.
    let (first, second) = rows.split_at(rows.len() / 3);
    let (out_first, out_second) = out.split_at_mut(first.len() * columns.len());
    let skipped = filler.fill(first, out_first) + filler.fill(second, out_second);
    let told: u64 = out.iter().map(|&count| u64::from(constants.max_iter) - Into::<u64>::into(count)).sum();
    assert!(skipped <= told, "{isa}: {skipped} iterations of {told} were not made, {constants:?}");
}

/// Every case by an instruction set.
struct Suite(Isa);

impl Visitor for Suite {
    type Output = Result<(), String>;

    fn visit<K: EscapeTime>(self, _: &K) -> Self::Output {
        self.check::<K, f64>()?;
        self.check::<K, f32>()
    }
}

impl Suite {
    fn check<K: EscapeTime, T: Lane>(&self) -> Result<(), String> {
        let isa = self.0;
        check::<K, T>(&|x, y, c, out| with_filler::<K, T, u8>(isa, x, y, c, out), &|x, y, c, out| {
            with_filler::<K, T, u16>(isa, x, y, c, out);
        })
    }
}

#[test]
fn every_instruction_set_gives_the_counts_of_the_definition_for_every_kernel() {
    for isa in Isa::available() {
        for kernel in ImageKernel::ALL {
            kernel.visit(Suite(isa)).unwrap_or_else(|difference| panic!("{isa}: {difference}"));
        }
    }
}

/// Groups are as wide as an instruction set's vectors make them, patches are not.
#[cfg(target_arch = "x86_64")]
#[test]
fn groups_narrower_and_wider_than_a_patch_spare_the_same() {
    let Some(simd) = Level::new().as_avx2() else {
        return;
    };
    let image = Image { width: 200, height: 150, x: (-2.0, -1.0), y: (0.5, 1.25), ..Image::tutorial() };
    let (mut columns, rows): (Vec<f64>, Vec<f64>) = (image.columns(), image.rows(0..image.height));
    let constants = image.constants();
    let mut expected = vec![0_u8; 200 * 150];
    let view = ArrayViewMut2::from_shape((150, 200), &mut expected).expect("the vector has the shape's size");
    escape::fill::<Julia, f64, u8>(&columns, &rows, &constants, view);
    let spans = Spans::of(&columns);
    let orbits = Orbits::of::<Julia, f64>(&constants, (proof::reach(&columns), proof::reach(&rows)));
    columns.resize(200_usize.next_multiple_of(BLOCK), 0.0);
    let (spans, columns, rows) = (spans.starting_at(0), &*columns, &*rows);
    let tile = Tile { columns, spans, width: 200, rows, constants, orbits, free: 0 };
    let told: u64 = expected.iter().map(|&count| u64::from(constants.max_iter) - u64::from(count)).sum();
    let mut counts = vec![0; expected.len()];
    let mut filled = |fill: &dyn Fn(&mut Workspace<f64>, &mut [u8]) -> u64| {
        counts.fill(0);
        let spared = fill(&mut Workspace::new::<Julia>(TILE_POINTS), &mut counts);
        assert!(counts == expected);
        assert!(spared > told / 100 && spared < told, "{spared} of {told}");
        spared
    };
    let eight = filled(&|work, out| work.fill::<Julia, _, _, General, u8, 2>(simd, Lanes, &tile, out, 200));
    let sixteen = filled(&|work, out| work.fill::<Julia, _, _, General, u8, 4>(simd, Lanes, &tile, out, 200));
    assert_eq!(eight, sixteen);
    // All of a wide group have to be known.
    let wide = filled(&|work, out| work.fill::<Julia, _, _, General, u8, 8>(simd, Lanes, &tile, out, 200));
    assert!(wide <= sixteen, "{wide} {sixteen}");
}

/// A kernel that is wrong in one respect: `step` gets where an orbit starts, its c, and the constants.
fn wrong<K: EscapeTime, T: Lane, C: Count>(
    step: fn(Point<T>, Point<T>, &Constants<T>) -> u16,
) -> impl Fn(&[T], &[T], Constants<T>, &mut [C]) {
    move |columns, rows, constants, out| {
        for (row, &y) in out.chunks_mut(columns.len()).zip(rows) {
            for (pixel, &x) in row.iter_mut().zip(columns) {
                let (z, c) = orbit::<K, T>(Point { x, y }, constants.fixed);
                *pixel = C::from_u16(step(z, c, &constants));
            }
        }
    }
}

fn passes<T: Lane>(z: Point<T>, constants: &Constants<T>) -> bool {
    z.squares().x + z.squares().y < constants.radius2
}

fn next<T: Lane>(z: Point<T>, c: Point<T>) -> Point<T> {
    Julia::next(z, z.squares(), c)
}

/// Wrong in nothing.
fn right<T: Lane>(mut z: Point<T>, c: Point<T>, constants: &Constants<T>) -> u16 {
    let mut n = constants.max_iter;
    while n > 1 && passes(z, constants) {
        z = next(z, c);
        n -= 1;
    }
    n
}

/// Takes a point that has come back for one that never left: the count goes on with every test that is passed.
fn forgiving<T: Lane>(mut z: Point<T>, c: Point<T>, constants: &Constants<T>) -> u16 {
    let mut n = constants.max_iter;
    for _ in 1..constants.max_iter {
        n -= u16::from(passes(z, constants));
        z = next(z, c);
    }
    n
}

/// Stops only where the test says outside, not where it cannot say.
#[expect(clippy::neg_cmp_op_on_partial_ord, reason = "NaN is what this kernel gets wrong")]
fn lenient<T: Lane>(mut z: Point<T>, c: Point<T>, constants: &Constants<T>) -> u16 {
    let mut n = constants.max_iter;
    while n > 1 && !(z.squares().x + z.squares().y >= constants.radius2) {
        z = next(z, c);
        n -= 1;
    }
    n
}

/// Rounds x*x - y*y once instead of three times.
fn contracted(mut z: Point<f64>, c: Point<f64>, constants: &Constants<f64>) -> u16 {
    let mut n = constants.max_iter;
    while n > 1 && passes(z, constants) {
        let Point { x, y } = z;
        z = Point { x: x.mul_add(x, -(y * y)) + c.x, y: (2.0 * x).mul_add(y, c.y) };
        n -= 1;
    }
    n
}

/// Whether the suite catches kernels that are wrong.
struct Saboteurs;

impl Visitor for Saboteurs {
    type Output = ();

    fn visit<K: EscapeTime>(self, _: &K) {
        check::<K, f64>(&wrong::<K, _, _>(right), &wrong::<K, _, _>(right)).expect("the definition agrees with itself");
        for (name, step) in [
            ("forgets that a point has left", forgiving as fn(Point<f64>, Point<f64>, &Constants<f64>) -> u16),
            ("NaN is inside", lenient),
            ("contracted", contracted),
        ] {
            let outcome = check::<K, f64>(&wrong::<K, _, _>(step), &wrong::<K, _, _>(step));
            assert!(outcome.is_err(), "{}: {name} passed", K::NAME);
        }
        let lazy: Fill<'_, f64, u16> = &|columns, rows, constants, out| {
            let whole = columns.len() / BLOCK * BLOCK;
            wrong::<K, _, _>(right)(columns, rows, constants, out);
            out.chunks_mut(columns.len()).for_each(|row| row[whole..].fill(constants.max_iter));
        };
        let outcome = check::<K, f64>(&wrong::<K, _, _>(right), lazy);
        assert!(outcome.is_err(), "{}: one that leaves out the end of a row passed", K::NAME);
    }
}

#[test]
fn kernels_that_are_wrong_in_one_respect_are_caught() {
    for kernel in ImageKernel::ALL {
        kernel.visit(Saboteurs);
    }
}

#[test]
fn whole_pictures_have_the_known_digests() {
    for (scale, expected) in [
        (1, "d076bfe3ebde427e48a1707a5480343354d88d9f0fb9d82bebdaf5e3294c4747"),
        (2, "16cdc64ccb1b2c8274d66df75bb88f8268f9fd27322a6ef224c2e84150529f9b"),
        (3, "9adb0ff953a07628254b534c0f762ea63137e7576b30c380896b04f7a9afab86"),
        (16, "a5aa1b10b7b9e131be086237d01cbe8a6c5f88f7178315473fce3cfcd5ebb635"),
    ] {
        for isa in Isa::available() {
            let image = Image { width: 640 * scale, height: 480 * scale, ..Image::tutorial() };
            let mut filler = Filler::<Julia, f64>::new(isa, &image.columns(), image.constants());
            let mut counts = vec![0_u8; image.width as usize * image.height as usize];
            filler.fill(&image.rows(0..image.height), &mut counts);
            let digest = Sha256::digest(&counts).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert_eq!(digest, expected, "scale {scale} on {isa}");
        }
    }
}
