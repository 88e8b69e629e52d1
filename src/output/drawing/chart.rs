//! Charts of a study, as SVG and as PNG: lines over numbers of ranks with the spread of each point, and bars of parts. Knows nothing
//! of what is measured.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::{coord::Shift, element::DashedPathElement, prelude::*};

use super::font::{self, FONT};

/// So many lines or bars can be told apart.
pub const MOST: usize = 8;
/// Colors that people with any color vision can tell apart: M. Okabe, K. Ito, "Color universal design" (2008), and black for the ideal.
pub const COLORS: [&str; MOST] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#8A6D00", "#6F5BA7"];
/// Of the ideal, of text and of axes.
pub const INK: &str = "#202428";
/// Of lines in the background.
pub const FAINT: &str = "#D5D9DD";
/// Behind all.
pub const PAPER: &str = "#FFFFFF";

const TITLE_PX: i32 = 21;
const TEXT_PX: i32 = 16;
/// A letter's mean width, as a part of its height.
const LETTER: f64 = 0.5;
/// Height of a bar with its label.
const BAR_PX: i32 = 46;

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What is drawn.
    pub content: Content,
}

/// What a chart shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Lines over numbers of ranks.
    Lines {
        /// What is drawn upwards.
        y: String,
        /// How the numbers upwards are spread.
        scale: Scale,
        /// Measured.
        lines: Vec<Line>,
        /// What would be best.
        ideal: Option<Line>,
    },
    /// Bars to the right, each of the same parts.
    Bars {
        /// What is drawn to the right.
        x: String,
        /// Names of the parts.
        parts: Vec<String>,
        /// Each bar's name and its parts.
        bars: Vec<(String, Vec<f64>)>,
    },
}

/// How numbers are spread over the height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly from zero on.
    FromZero,
    /// By their logarithm, as the numbers of ranks are.
    Logarithmic,
    /// Parts of a whole, in percent.
    Percent,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is called.
    pub name: String,
    /// Its points.
    pub marks: Vec<Mark>,
}

/// A point with its spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Number of ranks.
    pub x: f64,
    /// What was measured.
    pub y: f64,
    /// Between which that is.
    pub ends: (f64, f64),
}

type Area<'a, B> = DrawingArea<B, Shift>;
type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

impl Chart {
    /// As SVG, so many pixels wide.
    #[must_use]
    pub fn svg(&self, width: u32) -> String {
        let mut svg = String::new();
        let size = self.size(width);
        self.draw(&SVGBackend::with_string(&mut svg, size).into_drawing_area());
        svg
    }

    /// As PNG, so many pixels wide.
    #[must_use]
    pub fn png(&self, width: u32) -> Vec<u8> {
        let (width, height) = self.size(width);
        let mut rgb = vec![0; 3 * (width * height) as usize];
        self.draw(&BitMapBackend::with_buffer(&mut rgb, (width, height)).into_drawing_area());
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&rgb, width, height, ExtendedColorType::Rgb8)
            .expect("a buffer of the right size, written to memory");
        png
    }

    fn size(&self, width: u32) -> (u32, u32) {
        let head = self.head(width).bottom;
        let body = match &self.content {
            Content::Lines { .. } => (width / 2).max(260),
            Content::Bars { bars, .. } => (BAR_PX.unsigned_abs() * u32::try_from(bars.len()).unwrap_or(1)) + 70,
        };
        (width, head.unsigned_abs() + body)
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<'_, B>) {
        font::register();
        self.try_draw(area).and_then(|()| area.present()).expect("drawing in memory does not fail");
    }

    fn try_draw<B: DrawingBackend>(&self, area: &Area<'_, B>) -> Drawn<B> {
        area.fill(&color(PAPER))?;
        let head = self.head(area.dim_in_pixel().0);
        for (text, at, px) in &head.texts {
            area.draw(&Text::new(text.clone(), *at, (FONT, *px).into_font().color(&color(INK))))?;
        }
        for ((x, y), paint) in &head.signs {
            match paint {
                Some(paint) => area.draw(&Rectangle::new([(*x, *y + 2), (x + 16, y + 12)], color(paint).filled()))?,
                None => area.draw(&dashes(vec![(*x, y + 7), (x + 18, y + 7)]))?,
            }
        }
        let (_, body) = area.split_vertically(head.bottom);
        match &self.content {
            Content::Lines { y, scale, lines, ideal } => draw_lines(&body, y, *scale, lines, ideal.as_ref()),
            Content::Bars { x, parts, bars } => draw_bars(&body, x, parts.len(), bars),
        }
    }

    /// The title and what each color stands for, in as many lines as they need.
    fn head(&self, width: u32) -> Head {
        let width = i32::try_from(width).unwrap_or(i32::MAX);
        let mut head = Head { texts: Vec::new(), signs: Vec::new(), bottom: 8 };
        for line in wrapped(&self.title, width - 20, TITLE_PX) {
            head.texts.push((line, (12, head.bottom), TITLE_PX));
            head.bottom += TITLE_PX + 5;
        }
        let mut names: Vec<(&str, Option<&'static str>)> = match &self.content {
            Content::Lines { lines, .. } => lines.iter().map(|line| line.name.as_str()).zip(COLORS.map(Some)).collect(),
            Content::Bars { parts, .. } => parts.iter().map(String::as_str).zip(COLORS.map(Some)).collect(),
        };
        if let Content::Lines { ideal: Some(ideal), .. } = &self.content {
            names.push((&ideal.name, None));
        }
        let mut x = 12;
        head.bottom += 4;
        for (name, paint) in names {
            let end = x + 22 + width_of(name, TEXT_PX) + 16;
            if end > width && x > 12 {
                x = 12;
                head.bottom += TEXT_PX + 6;
            }
            head.signs.push(((x, head.bottom), paint));
            head.texts.push((name.to_owned(), (x + 22, head.bottom), TEXT_PX));
            x += 22 + width_of(name, TEXT_PX) + 16;
        }
        head.bottom += TEXT_PX + 10;
        head
    }
}

/// What stands above the drawing.
struct Head {
    texts: Vec<(String, (i32, i32), i32)>,
    signs: Vec<((i32, i32), Option<&'static str>)>,
    bottom: i32,
}

/// An RRGGBB color.
fn color(text: &str) -> RGBColor {
    let part = |from: usize| u8::from_str_radix(&text[from..from + 2], 16).expect("a color of this file");
    RGBColor(part(1), part(3), part(5))
}

#[expect(clippy::cast_possible_truncation, reason = "a width in pixels")]
fn width_of(text: &str, px: i32) -> i32 {
    let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    (f64::from(letters) * f64::from(px) * LETTER) as i32
}

/// A text in lines that are no wider.
fn wrapped(text: &str, width: i32, px: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width_of(line, px) + width_of(word, px) + px < width => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn dashes<C: Clone>(points: Vec<C>) -> DashedPathElement<std::vec::IntoIter<C>, i32> {
    DashedPathElement::new(points, 6, 4, color(INK).stroke_width(2))
}

fn draw_lines<B: DrawingBackend>(
    area: &Area<'_, B>,
    y_name: &str,
    scale: Scale,
    lines: &[Line],
    ideal: Option<&Line>,
) -> Drawn<B> {
    let all = || lines.iter().chain(ideal).flat_map(|line| &line.marks);
    let up = |y: f64| match scale {
        Scale::FromZero => y,
        Scale::Percent => 100.0 * y,
        Scale::Logarithmic => libm::log2(y),
    };
    let x_ends = ends(all().map(|mark| libm::log2(mark.x)));
    let measured = lines.iter().flat_map(|line| &line.marks).flat_map(|mark| [mark.y, mark.ends.1, mark.ends.0]);
    let y_ends = ends(measured.chain(ideal.into_iter().flat_map(|line| line.marks.iter().map(|mark| mark.y))).map(up));
    let x_margin = ((x_ends.1 - x_ends.0) * 0.06).max(0.12);
    let y_range = match scale {
        Scale::FromZero | Scale::Percent => 0.0..y_ends.1 * 1.1,
        Scale::Logarithmic => y_ends.0.min(0.0) - 0.2..y_ends.1 + 0.3,
    };
    let decimals = if y_ends.1 < 0.05 {
        4
    } else if y_ends.1 < 0.5 {
        3
    } else if y_ends.1 < 5.0 {
        2
    } else {
        0
    };
    let y_label = |y: &f64| match scale {
        Scale::FromZero => format!("{y:.decimals$}"),
        Scale::Percent => format!("{y:.0} %"),
        Scale::Logarithmic => power(*y),
    };
    let mut chart = ChartBuilder::on(area)
        .margin_right(16)
        .margin_top(4)
        .x_label_area_size(44)
        .y_label_area_size(68)
        .build_cartesian_2d(x_ends.0 - x_margin..x_ends.1 + x_margin, y_range)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_desc("ranks")
        .y_desc(y_name)
        .axis_desc_style((FONT, TEXT_PX).into_font().color(&color(INK)))
        .label_style((FONT, TEXT_PX - 1).into_font().color(&color(INK)))
        .axis_style(color(INK))
        .bold_line_style(color(FAINT))
        .light_line_style(color(PAPER))
        .x_labels(steps(x_ends))
        .y_labels(if scale == Scale::Logarithmic { steps(y_ends) } else { 6 })
        .x_label_formatter(&|x| power(*x))
        .y_label_formatter(&y_label)
        .draw()?;
    // Lines stand a little beside each other, so that their bars can be told apart.
    let step = (x_ends.1 - x_ends.0).max(1.0) * 0.012;
    let middle = f64::from(u32::try_from(lines.len().saturating_sub(1)).unwrap_or(0)) / 2.0;
    let x = |mark: &Mark, number: f64| libm::log2(mark.x) + step * (number - middle);
    if let Some(ideal) = ideal {
        chart.draw_series(std::iter::once(dashes(
            ideal.marks.iter().map(|mark| (libm::log2(mark.x), up(mark.y))).collect(),
        )))?;
    }
    for ((line, paint), number) in lines.iter().zip(COLORS).zip((0_u32..).map(f64::from)) {
        let paint = color(paint);
        let points = line.marks.iter().map(|mark| (x(mark, number), up(mark.y)));
        chart.draw_series(LineSeries::new(points, paint.stroke_width(2)))?;
        chart.draw_series(line.marks.iter().map(|mark| {
            let (low, high) = (up(mark.ends.0), up(mark.ends.1));
            ErrorBar::new_vertical(x(mark, number), low, up(mark.y), high, paint.filled(), 10)
        }))?;
    }
    Ok(())
}

/// `2^x` where `x` is whole, else nothing.
fn power(x: f64) -> String {
    let whole = libm::round(x);
    if (x - whole).abs() > 1e-6 { String::new() } else { format!("{}", libm::exp2(whole)) }
}

/// Labels for about each doubling.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number of doublings")]
fn steps(ends: (f64, f64)) -> usize {
    (ends.1 - ends.0).max(1.0) as usize + 2
}

fn ends(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let finite = numbers.filter(|number| number.is_finite());
    (finite.clone().fold(f64::INFINITY, f64::min), finite.fold(f64::NEG_INFINITY, f64::max))
}

fn draw_bars<B: DrawingBackend>(
    area: &Area<'_, B>,
    x_name: &str,
    parts: usize,
    bars: &[(String, Vec<f64>)],
) -> Drawn<B> {
    let longest = bars.iter().map(|(_, parts)| parts.iter().sum::<f64>()).fold(f64::MIN_POSITIVE, f64::max);
    let count = f64::from(u32::try_from(bars.len()).unwrap_or(u32::MAX));
    let mut chart = ChartBuilder::on(area)
        .margin_right(20)
        .margin_left(12)
        .x_label_area_size(44)
        .build_cartesian_2d(0.0..longest * 1.02, 0.0..count)?;
    let decimals = if longest < 0.05 {
        3
    } else if longest < 5.0 {
        2
    } else {
        0
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_desc(x_name)
        .axis_desc_style((FONT, TEXT_PX).into_font().color(&color(INK)))
        .label_style((FONT, TEXT_PX - 1).into_font().color(&color(INK)))
        .axis_style(color(INK))
        .bold_line_style(color(FAINT))
        .light_line_style(color(PAPER))
        .x_labels(5)
        .x_label_formatter(&|x| format!("{x:.decimals$}"))
        .draw()?;
    let mut top = count;
    for (name, values) in bars {
        let mut from = 0.0;
        for (value, paint) in values.iter().take(parts).zip(COLORS) {
            let bar = [(from, top - 0.5), (from + value, top - 0.95)];
            chart.draw_series(std::iter::once(Rectangle::new(bar, color(paint).filled())))?;
            from += value;
        }
        let label = Text::new(name.clone(), (0.0, top - 0.1), (FONT, TEXT_PX).into_font().color(&color(INK)));
        chart.draw_series(std::iter::once(label))?;
        top -= 1.0;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Chart {
        let mark = |x: f64, y: f64| Mark { x, y, ends: (y * 0.9, y * 1.1) };
        let line = |name: &str, last: f64| Line {
            name: name.to_owned(),
            marks: vec![mark(1.0, 1.0), mark(2.0, 1.8), mark(4.0, last)],
        };
        let content = Content::Lines {
            y: "speed-up".to_owned(),
            scale: Scale::Logarithmic,
            lines: vec![line("device=cpu", 3.0), line("device=gpu", 3.5)],
            ideal: Some(line("ideal", 4.0)),
        };
        Chart { title: "Strong scaling: speed-up over the smallest number of ranks".to_owned(), content }
    }

    fn bars() -> Chart {
        let content = Content::Bars {
            x: "seconds".to_owned(),
            parts: vec!["compute".to_owned(), "wait".to_owned()],
            bars: vec![("np=1".to_owned(), vec![1.0, 0.0]), ("np=2".to_owned(), vec![0.5, 0.1])],
        };
        Chart { title: "Time by phase".to_owned(), content }
    }

    #[test]
    fn an_svg_has_a_mark_for_each_point_and_names_all_that_it_shows() {
        for width in [380, 760] {
            let svg = lines().svg(width);
            assert_eq!(svg.matches("<circle").count(), 6, "{svg}");
            for text in ["speed-up", "ranks", "device=cpu", "device=gpu", "ideal", "\n4\n"] {
                assert!(svg.contains(text), "{text} in {svg}");
            }
            let svg = bars().svg(width);
            for text in ["compute", "wait", "np=2", "seconds"] {
                assert!(svg.contains(text), "{text} in {svg}");
            }
        }
    }

    #[test]
    fn a_narrow_chart_needs_more_lines_for_its_words() {
        assert!(lines().head(380).bottom > lines().head(760).bottom);
        assert!(lines().head(380).texts.iter().all(|(text, (x, _), px)| x + width_of(text, *px) < 400));
    }

    #[test]
    fn a_png_shows_every_color() {
        for chart in [lines(), bars()] {
            let picture = image::load_from_memory(&chart.png(760)).unwrap().to_rgb8();
            for paint in &COLORS[..2] {
                let RGBColor(r, g, b) = color(paint);
                assert!(picture.pixels().any(|pixel| pixel.0 == [r, g, b]), "{paint}");
            }
        }
    }
}
