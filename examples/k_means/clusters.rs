//! Flowers, centers, and the sums from which new centers are made. Knows nothing of ranks.

/// Sepal length and width, petal length and width, in millimeters.
pub(crate) const MEASURES: usize = 4;
pub(crate) type Flower = [u32; MEASURES];
pub(crate) type Center = [f64; MEASURES];

/// What the flowers of a cluster add up to, the lengths and then their number: all that a rank has to tell the others.
pub(crate) type Sums = [u64; MEASURES + 1];

/// Adds a flower to the sums of its cluster.
pub(crate) fn add(sums: &mut Sums, flower: &Flower) {
    for (sum, number) in sums.iter_mut().zip(flower.iter().chain(&[1])) {
        *sum += u64::from(*number);
    }
}

/// The center of the flowers; none where there is no flower.
pub(crate) fn mean([mm @ .., flowers]: &Sums) -> Option<Center> {
    (*flowers > 0).then(|| mm.map(|mm| mm as f64 / *flowers as f64))
}

/// The iris data: see `examples/data/README.md`.
pub(crate) fn read_flowers() -> Vec<Flower> {
    let lines = include_str!("../data/iris.csv").lines().skip(1);
    let flower = |line: &str| {
        let mut fields = line.split(',').map(|field| field.parse().expect("a length in millimeters"));
        std::array::from_fn(|_| fields.next().expect("four lengths"))
    };
    lines.map(flower).collect()
}

/// Square of the distance, in mm^2.
pub(crate) fn distance2(flower: &Flower, center: &Center) -> f64 {
    flower.iter().zip(center).map(|(length, center)| (f64::from(*length) - center).powi(2)).sum()
}

/// The number of the center that is nearest.
pub(crate) fn nearest(flower: &Flower, centers: &[Center]) -> usize {
    let distances = centers.iter().map(|center| distance2(flower, center));
    distances.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).expect("at least one center").0
}
