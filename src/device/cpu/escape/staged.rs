//! Staged compaction: image kernels on every vector instruction set.
//!
//! Neighbouring points live for very different numbers of iterations, so a vector that runs until its last point has
//! escaped wastes most of its lanes. Here a tile of some ten thousand points takes a few iterations at a time. After each
//! such stage the points that are still alive are moved together, so that every vector of the next stage is full.
//!
//! No point carries its place in the picture (though its coordinates, where they are the c of its orbit). A stage leaves behind, for
//! each point it began with, how many tests it passed, and one bit that says whether it went on. Once no point is left, the stages are walked backward: the counts of
//! a stage are expanded through the bits of the stage before and added to its counts. What comes out at the first stage
//! is in the order of the pixels.
//!
//! An orbit that comes back to a point where it was before goes round for ever and never escapes. So the points of leaps are compared
//! with a point of their own past, which is renewed whenever the iterations have grown by a quarter (after R. P. Brent, "An improved
//! Monte Carlo factorization algorithm", BIT 20, 1980): a cycle of p iterations is found once lcm(p, 32) iterations lie between the two. Who
//! is found to go round leaves the tile with all tests passed, which is what the definition would count. So does, much earlier, who is
//! known to stay near a cycle: see [`trap`](super::trap), which is tried on some points before it is set for all. And before any point
//! is followed, [`patch`](super::patch) says of which rectangles the counts are known already.
//!
//! The work for a pixel that is followed is its iterations x 7.25 vector operations on one lane each, plus two compressions and one
//! expansion a stage. A core reaches about half of that: the first stages compact after three or four iterations.

use fearless_simd::{Simd, SimdBase};

use crate::{
    device::cpu::escape::{
        budget::{self, Budget},
        lane::{BLOCK, Cell, Lane, Pack, Vector},
        map::{Map, Points, Rules, is_carried},
        patch::Patches,
        span,
        staging::{LEAP, StageKind, StageSpec, Staging},
        tally::Tally,
        tile::Tile,
        trap::{Trap, trapped},
    },
    kernel::{escape::EscapeTime, number::Point},
};

/// Iterations between two looks at whether orbits repeat.
const LOOK: usize = 2 * LEAP;

/// What a stage leaves behind for the way back.
#[derive(Debug, Default)]
struct Stage {
    /// Points it began with.
    points: usize,
    /// For each point the tests it passed, padded to whole blocks. Those of patches of which all is known may be anything.
    passed: Vec<u8>,
    /// For each point one bit, set where it went on to the next stage.
    alive: Vec<u64>,
    /// For each point one bit, set where it was found to stay for ever; of use where any was.
    staying: Vec<u64>,
    /// How many were.
    count: usize,
    /// Iterations that those who stay do not make after it.
    left: usize,
    /// Iterations that were not made of the stage itself, or of the first stage's known patches.
    saved: usize,
}

/// A group after its stage.
struct Advanced<S: Simd, T: Lane, const U: usize> {
    points: Points<S, T, U>,
    /// One bit a point, set where it goes on.
    alive: u64,
}

impl Stage {
    fn open(stages: &mut Vec<Self>, index: usize, points: usize) -> &mut Self {
        if stages.len() == index {
            stages.push(Self::default());
        }
        let stage = &mut stages[index];
        let blocks = points.div_ceil(BLOCK);
        (stage.points, stage.count, stage.left, stage.saved) = (points, 0, 0, 0);
        stage.passed.resize(stage.passed.len().max(blocks * BLOCK), 0);
        stage.alive.resize(stage.alive.len().max(blocks), 0);
        stage
    }

    /// Its blocks: where the counts go, and where the bits go of those who go on.
    #[inline(always)]
    fn blocks(&mut self) -> impl Iterator<Item = (&mut [u8], &mut u64)> {
        let blocks = self.points.div_ceil(BLOCK);
        self.passed.chunks_exact_mut(BLOCK).zip(&mut self.alive).take(blocks)
    }

    /// The bits of those who stay, none set.
    fn none_staying(&mut self) -> Vec<u64> {
        let mut staying = std::mem::take(&mut self.staying);
        staying.clear();
        staying.resize(self.points.div_ceil(BLOCK), 0);
        staying
    }

    /// Takes note of those who stay.
    fn keep_staying(&mut self, staying: Vec<u64>) {
        self.count = staying.iter().map(|bits| bits.count_ones() as usize).sum();
        self.staying = staying;
    }

    /// Takes the iterations that those who stay do not make after this stage off their `sums`.
    fn finish_staying<C: Cell>(&self, sums: &mut [C]) {
        if self.count == 0 {
            return;
        }
        let left = C::from_u16(u16::try_from(self.left).expect("iterations are at most 65534"));
        for (bits, sums) in self.staying.iter().zip(sums.chunks_exact_mut(BLOCK)) {
            let mut rest = *bits;
            while rest != 0 {
                let point = rest.trailing_zeros() as usize;
                sums[point] = sums[point].less(left);
                rest &= rest - 1;
            }
        }
    }

    /// Runs the stage, group by group: `advance` gets one of the `blocks`, the place of the group in it and where its counts go,
    /// and returns what became of its points. Those that go on become the new survivors, which none of a group does of which it says
    /// nothing.
    #[inline(always)]
    fn run<K, S, T, B, const U: usize>(
        &mut self,
        simd: S,
        survivors: &mut Survivors<T>,
        blocks: impl Iterator<Item = B>,
        mut advance: impl FnMut(&mut Survivors<T>, B, usize, &mut [u8]) -> Option<Advanced<S, T, U>>,
    ) where
        K: EscapeTime,
        S: Pack,
        T: Lane,
        B: Copy,
    {
        let group_points = U * T::Vector::<S>::LEN;
        for ((passed, alive_bits), block) in self.blocks().zip(blocks) {
            *alive_bits = 0;
            for at in (0..BLOCK).step_by(group_points) {
                if let Some(group) = advance(survivors, block, at, &mut passed[at..at + group_points]) {
                    *alive_bits |= group.alive << at;
                    survivors.push::<K, S, U>(simd, &group.points, group.alive);
                }
            }
        }
    }
}

/// The memory of one thread, used for tile after tile.
#[derive(Debug)]
pub(super) struct Workspace<T> {
    patches: Patches,
    survivors: Survivors<T>,
    stages: Vec<Stage>,
    /// What has been spent on looking who stays.
    spent: Budget,
    /// Sums of the stages walked backward so far, in turn. As wide as the widest count.
    sums: [Vec<u16>; 2],
}

/// The points that are alive, packed.
#[derive(Debug)]
struct Survivors<T> {
    z: Point<Vec<T>>,
    /// Their pixels, where they are of use.
    pixel: Point<Vec<T>>,
    /// Where they were after so many iterations, if anything is known of that.
    past: Point<Vec<T>>,
    past_done: Option<usize>,
    points: usize,
}

impl<T: Lane> Survivors<T> {
    /// Appends the points of a group that have a bit in `alive`.
    #[inline(always)]
    fn push<K: EscapeTime, S: Pack, const U: usize>(&mut self, simd: S, group: &Points<S, T, U>, alive: u64) {
        let len = T::Vector::<S>::LEN;
        let mut at = self.points;
        for u in 0..U {
            let bits = (alive >> (u * len)) & low_bits(len);
            pack(simd, group.z[u], bits, &mut self.z, at);
            if is_carried::<K>() {
                pack(simd, group.pixel[u], bits, &mut self.pixel, at);
            }
            at += bits.count_ones() as usize;
        }
        self.points = at;
    }

    /// Opens a stage after which those who are found to stay spare `left` iterations: how many points go into it, the stage, and a bit
    /// for each, set where it is found to stay.
    fn open_to_stay<'a>(
        &mut self,
        stages: &'a mut Vec<Stage>,
        index: usize,
        left: usize,
    ) -> (usize, &'a mut Stage, Vec<u64>) {
        let points = std::mem::take(&mut self.points);
        let stage = Stage::open(stages, index, points);
        stage.left = left;
        let staying = stage.none_staying();
        (points, stage, staying)
    }

    /// Makes room for a past, which pictures without leaps do not need.
    fn make_room_for_past(&mut self) {
        let room = self.z.x.len();
        self.past.x.resize(room, T::round(0.0));
        self.past.y.resize(room, T::round(0.0));
    }

    /// Keeps the past of the points that are about to be appended.
    #[inline(always)]
    fn push_past<S: Pack, const U: usize>(&mut self, simd: S, past: &[Point<Vector<S, T>>; U], alive: u64) {
        let len = T::Vector::<S>::LEN;
        let mut at = self.points;
        for (u, past) in past.iter().enumerate() {
            let bits = (alive >> (u * len)) & low_bits(len);
            pack(simd, *past, bits, &mut self.past, at);
            at += bits.count_ones() as usize;
        }
    }

    /// The past of the group that begins with point `start`.
    #[inline(always)]
    fn past<S: Simd, const U: usize>(&self, simd: S, start: usize) -> [Point<Vector<S, T>>; U] {
        let len = T::Vector::<S>::LEN;
        let vector = |values: &[T], u: usize| {
            let at = start + u * len;
            Vector(T::Vector::<S>::from_slice(simd, &values[at..at + len]))
        };
        std::array::from_fn(|u| Point { x: vector(&self.past.x, u), y: vector(&self.past.y, u) })
    }

    /// The group that begins with point `start`. Past the last point it holds leftovers.
    #[inline(always)]
    fn group<K: EscapeTime, S: Simd, const U: usize>(&self, simd: S, start: usize) -> Points<S, T, U> {
        let Self { z, pixel, .. } = self;
        Points::load::<K>(simd, Point { x: &z.x, y: &z.y }, Point { x: &pixel.x, y: &pixel.y }, start)
    }
}

/// Writes the lanes of `from` that have a bit in `bits` to `to`, from `at` on.
#[inline(always)]
fn pack<S: Pack, T: Lane>(simd: S, from: Point<Vector<S, T>>, bits: u64, to: &mut Point<Vec<T>>, at: usize) {
    let len = T::Vector::<S>::LEN;
    T::pack(simd, from.x.0, bits).store_slice(&mut to.x[at..at + len]);
    T::pack(simd, from.y.0, bits).store_slice(&mut to.y[at..at + len]);
}

/// The lowest `n` bits, 64 for any `n` above.
#[inline(always)]
fn low_bits(n: usize) -> u64 {
    if n < 64 { (1 << n) - 1 } else { u64::MAX }
}

impl<T: Lane> Workspace<T> {
    /// Room for tiles of `points` points, rows padded to whole blocks.
    pub(super) fn new<K: EscapeTime>(points: usize) -> Self {
        let room = points + BLOCK;
        let zeros = |room| Point { x: vec![T::round(0.0); room], y: vec![T::round(0.0); room] };
        let pixel = zeros(if is_carried::<K>() { room } else { 0 });
        Self {
            patches: Patches::default(),
            survivors: Survivors { z: zeros(room), pixel, past: zeros(0), past_done: None, points: 0 },
            stages: Vec::new(),
            spent: Budget::default(),
            sums: [vec![0; room], vec![0; room]],
        }
    }

    /// Computes `tile` into `out`, whose rows lie `stride` counts apart. Returns how many iterations were not made, since what
    /// becomes of the orbit was known.
    #[inline(always)]
    pub(super) fn fill<K, S, Y, R, C, const U: usize>(
        &mut self,
        simd: S,
        mut tally: Y,
        tile: &Tile<'_, T>,
        out: &mut [C],
        stride: usize,
    ) -> u64
    where
        K: EscapeTime,
        S: Pack,
        Y: Tally<S, T, U>,
        R: Rules,
        C: Cell,
    {
        let total = usize::from(tile.constants.max_iter) - 1;
        let mut spent = self.spent;
        let mut staging = Staging::new(total, &mut spent);
        let mut stages = 0;
        (self.survivors.points, self.survivors.past_done) = (0, None);
        let mut staying = 0;
        while let Some(spec) = staging.next(self.survivors.points, staying) {
            let tally = &mut tally;
            // Each arm is a function of its own. The short stages have their length as a constant, so that they unroll.
            match (spec.kind, spec.steps) {
                (StageKind::Trap, _) => {
                    let mut trap = Trap::after(spec.done, budget::longest(spec.done), &tile.constants);
                    let mut caught = vec![0; trap.longest];
                    let tried = simd.vectorize(
                        #[inline(always)]
                        || self.try_trap::<K, S, R, U>(simd, tile, &trap, &mut caught),
                    );
                    let Some(longest) = staging.longest_that_pays(spec, tried, &caught) else {
                        continue;
                    };
                    trap.longest = longest;
                    simd.vectorize(
                        #[inline(always)]
                        || self.trap::<K, S, R, U>(simd, tile, &trap, stages, spec.left),
                    );
                }
                (_, steps) if stages == 0 => simd.vectorize(
                    #[inline(always)]
                    || self.first::<K, S, Y, R, U>(simd, tally, tile, steps),
                ),
                (StageKind::Leaps, _) if !R::REVOCABLE => simd.vectorize(
                    #[inline(always)]
                    || self.leap::<K, S, Y, R, U>(simd, tally, tile, stages, spec),
                ),
                (_, 4) => simd.vectorize(
                    #[inline(always)]
                    || self.later::<K, S, Y, R, U>(simd, tally, tile, stages, 4),
                ),
                (_, 8) => simd.vectorize(
                    #[inline(always)]
                    || self.later::<K, S, Y, R, U>(simd, tally, tile, stages, 8),
                ),
                (_, steps) => simd.vectorize(
                    #[inline(always)]
                    || self.later::<K, S, Y, R, U>(simd, tally, tile, stages, steps),
                ),
            }
            staying = self.stages[stages].count;
            stages += 1;
        }
        simd.vectorize(
            #[inline(always)]
            || self.unfold(simd, tile, stages, out, stride),
        );
        let mut skipped = self.stages[..stages].iter().map(|stage| (stage.count * stage.left + stage.saved) as u64);
        // What patches have spared says nothing of the orbits that are followed.
        let by_patches = skipped.next().unwrap_or(0);
        let others = skipped.sum();
        spent.add(others);
        self.spent = spent;
        by_patches + others
    }

    /// The first stage: every pixel of the tile, row by row.
    #[inline(always)]
    fn first<K, S, Y, R, const U: usize>(&mut self, simd: S, tally: &mut Y, tile: &Tile<'_, T>, steps: usize)
    where
        K: EscapeTime,
        S: Pack,
        Y: Tally<S, T, U>,
        R: Rules,
    {
        let map = &Map::<K, S, T, R>::new(simd, &tile.constants);
        let row_blocks = tile.width.div_ceil(BLOCK);
        self.survivors.points = 0;
        let stage = Stage::open(&mut self.stages, 0, row_blocks * BLOCK * tile.rows.len());
        self.patches.look::<K, S, T, R, U>(simd, map, tile);
        let blocks = tile.rows.iter().enumerate().flat_map(|(row, &y)| {
            let patches = self.patches.row(row);
            (0..row_blocks).map(move |block| (y, patches, block * BLOCK))
        });
        let mut saved = 0;
        stage.run::<K, S, T, _, U>(
            simd,
            &mut self.survivors,
            blocks,
            #[inline(always)]
            |_, (y, patches, column), at, passed| {
                let group = U * T::Vector::<S>::LEN;
                if let Some(known) = patches.known(column + at, group) {
                    let mut points = tile.width.saturating_sub(column + at).min(group);
                    for &known in known {
                        saved += usize::from(known) * points.min(span::COLUMNS);
                        points = points.saturating_sub(span::COLUMNS);
                    }
                    return None;
                }
                let columns = &tile.columns[column + at..column + at + passed.len()];
                let mut group = Points::row::<K>(simd, columns, y, tile.constants.fixed);
                for _ in 0..tile.free {
                    for u in 0..U {
                        map.advance(&mut group, u);
                    }
                }
                let bits = tally.count(simd, map, &mut group, steps - tile.free, passed);
                // The next stage's first test, made here already: half of the points that fail it are gone before it.
                let bits = bits & tally.inside(map, &group) & low_bits(tile.width.saturating_sub(column + at));
                Some(Advanced { points: group, alive: bits })
            },
        );
        stage.saved = saved;
    }

    /// A later stage: every point that is left, counted step by step.
    #[inline(always)]
    fn later<K, S, Y, R, const U: usize>(
        &mut self,
        simd: S,
        tally: &mut Y,
        tile: &Tile<'_, T>,
        index: usize,
        steps: usize,
    ) where
        K: EscapeTime,
        S: Pack,
        Y: Tally<S, T, U>,
        R: Rules,
    {
        let map = &Map::<K, S, T, R>::new(simd, &tile.constants);
        let points = std::mem::take(&mut self.survivors.points);
        self.survivors.past_done = None;
        let stage = Stage::open(&mut self.stages, index, points);
        stage.run::<K, S, T, _, U>(
            simd,
            &mut self.survivors,
            (0..).step_by(BLOCK),
            #[inline(always)]
            |survivors, block, at, passed| {
                let mut group = survivors.group::<K, S, U>(simd, block + at);
                let bits = tally.count(simd, map, &mut group, steps, passed);
                let alive = bits & low_bits(points.saturating_sub(block + at));
                Some(Advanced { points: group, alive })
            },
        );
    }

    /// A later stage of points that mostly stay: [`LEAP`] steps at a time with one test after them, and one look whether a point is
    /// where it was before. A group that loses a point goes back to where the leap began and is counted step by step from there on.
    #[inline(always)]
    fn leap<K, S, Y, R, const U: usize>(
        &mut self,
        simd: S,
        tally: &mut Y,
        tile: &Tile<'_, T>,
        index: usize,
        spec: StageSpec,
    ) where
        K: EscapeTime,
        S: Pack,
        Y: Tally<S, T, U>,
        R: Rules,
    {
        let StageSpec { steps, done, left, .. } = spec;
        let map = &Map::<K, S, T, R>::new(simd, &tile.constants);
        let past_done = self.survivors.past_done.filter(|past| done < past + past / 4);
        self.survivors.past_done = past_done.or(Some(done));
        self.survivors.make_room_for_past();
        let (points, stage, mut all_staying) = self.survivors.open_to_stay(&mut self.stages, index, left);
        let mut saved = 0;
        stage.run::<K, S, T, _, U>(
            simd,
            &mut self.survivors,
            (0..).step_by(BLOCK),
            #[inline(always)]
            |survivors, block, at, passed| {
                let mut group = survivors.group::<K, S, U>(simd, block + at);
                let past = if past_done.is_some() { survivors.past(simd, block + at) } else { group.z };
                let valid = low_bits(points.saturating_sub(block + at).min(passed.len()));
                let (mut bits, mut staying) = (valid, 0);
                let mut leapt = 0;
                while leapt < steps && bits == valid && staying != valid {
                    let before = group;
                    let leap = LEAP.min(steps - leapt);
                    for _ in 0..leap {
                        for u in 0..U {
                            map.advance(&mut group, u);
                        }
                    }
                    bits = if map.all_inside(&group) { valid } else { tally.inside(map, &group) & valid };
                    if bits == valid {
                        leapt += leap;
                        // Half as often costs half as much, and a cycle is found once twice as many iterations are made of it.
                        let looks = leapt.is_multiple_of(LOOK) || leapt == steps;
                        if looks && group.may_equal(&past) {
                            staying |= group.equal(&past) & valid;
                        }
                    } else {
                        group = before;
                    }
                }
                passed.fill(0);
                if staying == valid {
                    saved += (steps - leapt) * valid.count_ones() as usize;
                    leapt = steps;
                } else if leapt < steps {
                    bits = tally.count(simd, map, &mut group, steps - leapt, passed) & valid;
                }
                let leapt = u8::try_from(leapt).expect("a stage has at most 240 steps");
                passed.iter_mut().for_each(|passed| *passed += leapt);
                let alive = bits & !staying;
                survivors.push_past(simd, &past, alive);
                all_staying[block / BLOCK] |= staying << at;
                Some(Advanced { points: group, alive })
            },
        );
        stage.saved = saved;
        stage.keep_staying(all_staying);
    }

    /// Tries the trap on a few points from everywhere: how many. `caught` gets how many are caught after each length of way.
    #[inline(always)]
    fn try_trap<K, S, R, const U: usize>(&self, simd: S, tile: &Tile<'_, T>, trap: &Trap, caught: &mut [usize]) -> usize
    where
        K: EscapeTime,
        S: Pack,
        R: Rules,
    {
        let map = &Map::<K, S, T, R>::new(simd, &tile.constants);
        let Survivors { z, pixel, points, .. } = &self.survivors;
        let tried = BLOCK.min(*points);
        let sample = |from: &Vec<T>| -> [T; BLOCK] {
            std::array::from_fn(|i| from.get(i.min(tried - 1) * points / tried).copied().unwrap_or(T::round(0.0)))
        };
        let [zx, zy, px, py] = [&z.x, &z.y, &pixel.x, &pixel.y].map(sample);
        let group_points = U * T::Vector::<S>::LEN;
        for at in (0..tried).step_by(group_points) {
            let group = Points::<S, T, U>::load::<K>(simd, Point { x: &zx, y: &zy }, Point { x: &px, y: &py }, at);
            let valid = low_bits((tried - at).min(group_points));
            trapped(
                simd,
                map,
                trap,
                &group,
                |_| trap.disc(simd),
                valid,
                |steps, bits| caught[steps - 1] += bits.count_ones() as usize,
            );
        }
        tried
    }

    /// A stage of no iterations: who has come to stay is taken out. `left` iterations are.
    #[inline(always)]
    fn trap<K, S, R, const U: usize>(&mut self, simd: S, tile: &Tile<'_, T>, trap: &Trap, index: usize, left: usize)
    where
        K: EscapeTime,
        S: Pack,
        R: Rules,
    {
        let map = &Map::<K, S, T, R>::new(simd, &tile.constants);
        self.survivors.past_done = None;
        let (points, stage, mut all_staying) = self.survivors.open_to_stay(&mut self.stages, index, left);
        stage.run::<K, S, T, _, U>(
            simd,
            &mut self.survivors,
            (0..).step_by(BLOCK),
            #[inline(always)]
            |survivors, block, at, passed| {
                let group = survivors.group::<K, S, U>(simd, block + at);
                let valid = low_bits(points.saturating_sub(block + at).min(passed.len()));
                let staying = trapped(simd, map, trap, &group, |_| trap.disc(simd), valid, |_, _| ());
                passed.fill(0);
                all_staying[block / BLOCK] |= staying << at;
                Some(Advanced { points: group, alive: valid & !staying })
            },
        );
        stage.keep_staying(all_staying);
    }

    /// The way back: sums over the stages, last to first, and at the first the pixels.
    #[inline(always)]
    fn unfold<S: Simd, C: Cell>(&mut self, simd: S, tile: &Tile<'_, T>, stages: usize, out: &mut [C], stride: usize) {
        let [mut deeper, mut sums] = self.sums.each_mut().map(|sums| bytemuck::cast_slice_mut::<u16, C>(sums));
        for index in (1..stages).rev() {
            let stage = &mut self.stages[index];
            let is_last = index + 1 == stages;
            let mut taken = 0;
            for ((passed, alive), sums) in stage.blocks().zip(sums.chunks_exact_mut(BLOCK)) {
                let alive = if is_last { 0 } else { *alive };
                C::unfold(simd, C::from_u16(0), passed, alive, &deeper[taken..], sums);
                taken += alive.count_ones() as usize;
            }
            stage.finish_staying(sums);
            (deeper, sums) = (sums, deeper);
        }
        let rows = out.chunks_mut(stride).map(|row| &mut row[..tile.width]).take(tile.rows.len());
        let Some(stage) = self.stages.first_mut().filter(|_| stages > 0) else {
            rows.for_each(|row| row.fill(C::from_u16(tile.constants.max_iter)));
            return;
        };
        let free = u16::try_from(tile.free).expect("a few tests at most are left out");
        let start = C::from_u16(tile.constants.max_iter - free);
        let mut taken = 0;
        for ((passed, alive), pixels) in stage.blocks().zip(rows.flat_map(|row| row.chunks_mut(BLOCK))) {
            let alive = if stages == 1 { 0 } else { *alive };
            let deeper = &deeper[taken..];
            if pixels.len() == BLOCK {
                C::unfold(simd, start, passed, alive, deeper, pixels);
            } else {
                let mut block = [start; BLOCK];
                C::unfold(simd, start, passed, alive, deeper, &mut block);
                pixels.copy_from_slice(&block[..pixels.len()]);
            }
            taken += alive.count_ones() as usize;
        }
        self.patches.write(tile, out, stride);
    }
}
