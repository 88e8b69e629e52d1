//! The plots of the convergence study, as SVG and as PNG. Knows no darts, only what runs of a
//! length came to.

use std::ops::Range;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
};
use serde::Serialize;

use super::font::{self, FONT};

/// Width and height of a plot in pixels.
const SIZE_PX: (u32, u32) = (1000, 640);
const BLUE: RGBColor = RGBColor(31, 119, 180);
const ORANGE: RGBColor = RGBColor(214, 96, 20);

/// The runs of one length: a point of each plot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Darts of each run.
    pub darts: u64,
    /// Number of runs.
    pub runs: u32,
    /// Mean of their estimates of pi.
    pub mean: f64,
    /// Sample standard deviation of their estimates.
    pub std_dev: f64,
    /// Standard deviation that the binomial law makes expect.
    pub expected_std_dev: f64,
}

/// A plot, ready to be drawn in either format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plot {
    /// The mean estimate with error bars of one standard deviation, against log2 of the number of darts.
    Estimate,
    /// log2 of the standard deviation against log2 of the number of darts, with the line of slope -1/2 that the binomial
    /// law makes expect.
    StdDev,
}

impl Plot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Estimate, Self::StdDev];

    /// What the plot's file is called after the stem: the names of the tutorial's own plots.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Estimate => "pi_vs_log2_N",
            Self::StdDev => "log2_std_vs_log2_N",
        }
    }

    /// The plot of `rows` as SVG.
    #[must_use]
    pub fn svg(self, rows: &[Row]) -> String {
        let mut svg = String::new();
        self.draw(rows, &SVGBackend::with_string(&mut svg, SIZE_PX).into_drawing_area());
        svg
    }

    /// The plot of `rows` as PNG.
    #[must_use]
    pub fn png(self, rows: &[Row]) -> Vec<u8> {
        let (width, height) = SIZE_PX;
        let mut rgb = vec![0; 3 * (width * height) as usize];
        self.draw(rows, &BitMapBackend::with_buffer(&mut rgb, SIZE_PX).into_drawing_area());
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&rgb, width, height, ExtendedColorType::Rgb8)
            .expect("a buffer of the right size, written to memory");
        png
    }

    fn draw<B: DrawingBackend>(self, rows: &[Row], area: &DrawingArea<B, Shift>) {
        font::register();
        let drawn = match self {
            Self::Estimate => draw_estimate(rows, area),
            Self::StdDev => draw_std_dev(rows, area),
        };
        drawn.and_then(|()| area.present()).expect("drawing in memory does not fail");
    }
}

type DrawingError<B> = DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>;
type Drawn<B> = Result<(), DrawingError<B>>;

fn draw_estimate<B: DrawingBackend>(rows: &[Row], area: &DrawingArea<B, Shift>) -> Drawn<B> {
    let ends = rows.iter().flat_map(|row| [row.mean - row.std_dev, row.mean + row.std_dev]);
    let reach = ends.map(|end| (end - std::f64::consts::PI).abs()).fold(0.0, f64::max) * 1.15 + f64::EPSILON;
    let pi = std::f64::consts::PI;
    let x = x_range(rows);
    let title = format!("Estimate of pi: mean and standard deviation of {} runs", runs(rows));
    let y = Axis { name: "estimate of pi", range: pi - reach..pi + reach, decimals: 3 };
    let mut chart = over_darts(area, &title, x.clone(), y)?;
    chart
        .draw_series(LineSeries::new([(x.start, pi), (x.end, pi)], ORANGE.stroke_width(2)))?
        .label("pi")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 24, y)], ORANGE.stroke_width(2)));
    chart
        .draw_series(rows.iter().map(|row| {
            let (low, high) = (row.mean - row.std_dev, row.mean + row.std_dev);
            ErrorBar::new_vertical(log2(row), low, row.mean, high, BLUE.filled(), 10)
        }))?
        .label("mean, with error bars of one standard deviation")
        .legend(|(x, y)| Circle::new((x + 12, y), 4, BLUE.filled()));
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

fn draw_std_dev<B: DrawingBackend>(rows: &[Row], area: &DrawingArea<B, Shift>) -> Drawn<B> {
    let levels =
        || rows.iter().flat_map(|row| [row.std_dev, row.expected_std_dev]).map(libm::log2).filter(|y| y.is_finite());
    let (low, high) = (levels().fold(f64::INFINITY, f64::min), levels().fold(f64::NEG_INFINITY, f64::max));
    let title = format!("Standard deviation of the estimates of {} runs", runs(rows));
    let y = Axis { name: "log2(standard deviation)", range: low.floor()..high.ceil(), decimals: 0 };
    let mut chart = over_darts(area, &title, x_range(rows), y)?;
    chart
        .draw_series(LineSeries::new(
            rows.iter().map(|row| (log2(row), libm::log2(row.expected_std_dev))),
            ORANGE.stroke_width(2),
        ))?
        .label("slope -1/2: 1.64 / sqrt(N)")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 24, y)], ORANGE.stroke_width(2)));
    chart
        .draw_series(
            rows.iter()
                .filter(|row| row.std_dev > 0.0)
                .map(|row| Circle::new((log2(row), libm::log2(row.std_dev)), 5, BLUE.filled())),
        )?
        .label("standard deviation found")
        .legend(|(x, y)| Circle::new((x + 12, y), 5, BLUE.filled()));
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What is drawn upwards.
struct Axis {
    name: &'static str,
    range: Range<f64>,
    /// Digits of a label after the point.
    decimals: usize,
}

/// An empty chart over log2 of the number of darts, which goes through `x`.
fn over_darts<'a, B: DrawingBackend>(
    area: &'a DrawingArea<B, Shift>,
    title: &str,
    x: Range<f64>,
    y: Axis,
) -> Result<Chart<'a, B>, DrawingError<B>> {
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 26))
        .margin(20)
        .x_label_area_size(55)
        .y_label_area_size(85)
        .build_cartesian_2d(x, y.range)?;
    chart
        .configure_mesh()
        .x_desc("log2(number of darts N)")
        .y_desc(y.name)
        .axis_desc_style((FONT, 20))
        .label_style((FONT, 16))
        .y_label_formatter(&|level| format!("{level:.*}", y.decimals))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    Ok(chart)
}

fn legend<'a, B: DrawingBackend + 'a>(chart: &mut Chart<'a, B>, position: SeriesLabelPosition) -> Drawn<B> {
    chart
        .configure_series_labels()
        .position(position)
        .label_font((FONT, 18))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()
}

fn log2(row: &Row) -> f64 {
    f64::from(row.darts.ilog2())
}

fn x_range(rows: &[Row]) -> Range<f64> {
    let first = rows.first().map_or(0.0, log2);
    let last = rows.last().map_or(1.0, log2);
    first - 1.0..last + 1.0
}

fn runs(rows: &[Row]) -> u32 {
    rows.first().map_or(0, |row| row.runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        (5..=14)
            .map(|power| {
                let darts = 4_u64.pow(power);
                let expected_std_dev = 1.642 / 2.0_f64.powi(i32::try_from(power).unwrap());
                Row { darts, runs: 64, mean: 3.2, std_dev: expected_std_dev * 1.1, expected_std_dev }
            })
            .collect()
    }

    #[test]
    fn an_svg_has_a_mark_for_each_row_and_its_labels() {
        let svg = Plot::StdDev.svg(&rows());
        // One more circle stands in the legend.
        assert_eq!(svg.matches("<circle").count(), 11, "{svg}");
        for label in ["log2(number of darts N)", "log2(standard deviation)", "slope -1/2", "64 runs"] {
            assert!(svg.contains(label), "{label}");
        }
        assert!(Plot::Estimate.svg(&rows()).contains("estimate of pi"));
    }

    #[test]
    fn a_png_shows_something() {
        for plot in Plot::ALL {
            let picture = image::load_from_memory(&plot.png(&rows())).unwrap().to_rgb8();
            assert_eq!(picture.dimensions(), SIZE_PX);
            assert!(picture.pixels().any(|pixel| pixel.0 == [BLUE.0, BLUE.1, BLUE.2]), "{plot:?}");
        }
    }
}
