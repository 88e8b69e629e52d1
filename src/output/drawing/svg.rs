//! The picture of a node as an SVG drawing: the same boxes as in the terminal, each core and GPU in the hues of its ranks.

use svg::{
    Document, Node as _,
    node::element::{Group, Rectangle, Text},
};

use super::node::{CorePicture, GpuPicture, LEGEND, NodePicture, NumaPicture, PackagePicture};
use crate::{output::image::color::hue, visible::visible};

/// Cores in a row.
const CORES_A_ROW: usize = 12;
/// Side lengths of a core, in pixels.
const CORE_PX: (f64, f64) = (44.0, 40.0);
/// Height of a line in a GPU, whose width and height follow from its text, and of the first one with its margin.
const GPU_LINE_PX: (f64, f64) = (17.0, 24.0);
/// Blank between boxes.
const GAP_PX: f64 = 10.0;
/// Height of the line that holds a box's title.
const TITLE_PX: f64 = 24.0;
/// Font size of titles, and that of everything else.
const FONT_PX: (f64, f64) = (14.0, 12.0);
/// Width of a character as a part of the font's size, on the safe side for sans-serif fonts.
const CHARACTER: f64 = 0.62;

/// Something drawn, and how large it is.
struct Drawn {
    group: Group,
    width: f64,
    height: f64,
}

/// All nodes, one below the other, and what the letters mean.
#[must_use]
pub fn draw(nodes: &[NodePicture]) -> String {
    let mut all = column(nodes.iter().map(node).collect());
    all.group.append(text(LEGEND, 0.0, all.height + GAP_PX + FONT_PX.1, FONT_PX.1, "start", "#444"));
    let (width, height) = (all.width.max(text_width(LEGEND, FONT_PX.1)), all.height + 2.0 * GAP_PX + FONT_PX.1);
    let (width, height) = (width + 2.0 * GAP_PX, height + 2.0 * GAP_PX);
    let background = rectangle(0.0, 0.0, width, height, "#ffffff", "none");
    Document::new()
        .set("viewBox", (0.0, 0.0, width, height))
        .set("width", width)
        .set("height", height)
        .set("font-family", "DejaVu Sans, Verdana, sans-serif")
        .add(background)
        .add(moved(all.group, GAP_PX, GAP_PX))
        .to_string()
}

fn node(node: &NodePicture) -> Drawn {
    let packages = column(node.packages.iter().map(package).collect());
    framed(&node.title, "#f4f4f4", "#333333", row(packages, gpus(&node.gpus)))
}

fn package(package: &PackagePicture) -> Drawn {
    let numa_nodes = column(package.numa_nodes.iter().map(numa_node).collect());
    framed(&package.title, "#e6ecf2", "#7a8896", row(numa_nodes, gpus(&package.gpus)))
}

fn numa_node(numa: &NumaPicture) -> Drawn {
    framed(&numa.title, "#ffffff", "#a9b4bf", row(cores(&numa.cores), gpus(&numa.gpus)))
}

fn cores(cores: &[CorePicture]) -> Drawn {
    let label = |core: &CorePicture| core.label();
    let widest = cores.iter().map(|core| text_width(&label(core), FONT_PX.1) + 8.0).fold(CORE_PX.0, f64::max);
    let mut group = Group::new();
    let (mut width, mut height) = (0.0_f64, 0.0_f64);
    for (row, cores) in cores.chunks(CORES_A_ROW).enumerate() {
        for (column, core) in cores.iter().enumerate() {
            let (x, y) = (as_f64(column) * (widest + 4.0), as_f64(row) * (CORE_PX.1 + 4.0));
            let background = if core.allowed { "#ffffff" } else { "#d0d0d0" };
            group.append(tinted(&core.ranks, background, x, y, widest, CORE_PX.1));
            let middle = x + widest / 2.0;
            group.append(text(&core.number.clone(), middle, y + 14.0, 10.0, "middle", "#555555"));
            group.append(text(&label(core), middle, y + 32.0, FONT_PX.1, "middle", "#000000"));
            (width, height) = (width.max(x + widest), height.max(y + CORE_PX.1));
        }
    }
    Drawn { group, width, height }
}

fn gpus(gpus: &[GpuPicture]) -> Drawn {
    column(gpus.iter().map(gpu).collect())
}

fn gpu(gpu: &GpuPicture) -> Drawn {
    let lines = [vec![format!("GPU {}", gpu.id)], gpu.lines()].concat();
    let height = GPU_LINE_PX.1 + GPU_LINE_PX.0 * as_f64(lines.len() - 1);
    let width = lines.iter().map(|line| text_width(line, FONT_PX.1)).fold(0.0, f64::max) + 16.0;
    let mut group = Group::new();
    group.append(tinted(&gpu.ranks, "#ffffff", 0.0, 0.0, width, height));
    for (index, line) in lines.iter().enumerate() {
        group.append(text(line, 8.0, 16.0 + GPU_LINE_PX.0 * as_f64(index), FONT_PX.1, "start", "#000000"));
    }
    Drawn { group, width, height }
}

/// A box in the hues of these ranks, side by side.
fn tinted(ranks: &[u32], idle: &str, x: f64, y: f64, width: f64, height: f64) -> Group {
    let mut group = Group::new();
    let part = width / as_f64(ranks.len().max(1));
    for (index, &rank) in ranks.iter().enumerate() {
        let degrees = (hue(rank as usize) * 360.0 % 360.0).round();
        let fill = format!("hsl({degrees}, 70%, 80%)");
        group.append(rectangle(x + part * as_f64(index), y, part, height, &fill, "none"));
    }
    let fill = if ranks.is_empty() { idle } else { "none" };
    group.add(rectangle(x, y, width, height, fill, "#606060"))
}

fn framed(title: &str, fill: &str, stroke: &str, inside: Drawn) -> Drawn {
    let width = inside.width.max(text_width(title, FONT_PX.0)) + 2.0 * GAP_PX;
    let height = TITLE_PX + inside.height + GAP_PX;
    let group = Group::new()
        .add(rectangle(0.0, 0.0, width, height, fill, stroke))
        .add(text(title, GAP_PX, 17.0, FONT_PX.0, "start", "#000000"))
        .add(moved(inside.group, GAP_PX, TITLE_PX));
    Drawn { group, width, height }
}

fn column(parts: Vec<Drawn>) -> Drawn {
    let mut whole = Drawn { group: Group::new(), width: 0.0, height: 0.0 };
    for part in parts {
        let y = if whole.height > 0.0 { whole.height + GAP_PX } else { 0.0 };
        whole.group.append(moved(part.group, 0.0, y));
        (whole.width, whole.height) = (whole.width.max(part.width), y + part.height);
    }
    whole
}

fn row(left: Drawn, right: Drawn) -> Drawn {
    if right.width == 0.0 {
        return left;
    }
    let x = left.width + GAP_PX;
    Drawn {
        group: Group::new().add(left.group).add(moved(right.group, x, 0.0)),
        width: x + right.width,
        height: left.height.max(right.height),
    }
}

fn moved(group: Group, x: f64, y: f64) -> Group {
    group.set("transform", format!("translate({x} {y})"))
}

fn rectangle(x: f64, y: f64, width: f64, height: f64, fill: &str, stroke: &str) -> Rectangle {
    Rectangle::new()
        .set("x", x)
        .set("y", y)
        .set("width", width)
        .set("height", height)
        .set("rx", 3)
        .set("fill", fill)
        .set("stroke", stroke)
}

fn text(words: &str, x: f64, y: f64, size_px: f64, anchor: &str, fill: &str) -> Text {
    Text::new(visible(words))
        .set("x", x)
        .set("y", y)
        .set("font-size", size_px)
        .set("text-anchor", anchor)
        .set("fill", fill)
}

fn text_width(words: &str, size_px: f64) -> f64 {
    as_f64(words.chars().count()) * size_px * CHARACTER
}

#[expect(clippy::cast_precision_loss, reason = "numbers of boxes and characters")]
fn as_f64(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{drawing::compose::of_job, report::places::sample::nodes};

    #[test]
    fn every_core_and_gpu_is_in_the_drawing() {
        let drawing = draw(&nodes().iter().map(of_job).collect::<Vec<_>>());
        for words in ["big: 8 of 8 cores", "NUMA node 1", "GPU 0000:c1:00.0", "NVIDIA H100", "r1", "r4", "x: not for"] {
            assert!(drawing.contains(words), "{words} in\n{drawing}");
        }
    }

    #[test]
    fn words_cannot_break_the_drawing() {
        let mut node = of_job(&nodes()[1]);
        node.title = "<a & b>".to_owned();
        let drawing = draw(&[node]);
        assert!(drawing.contains("&lt;a &amp; b&gt;"), "{drawing}");
    }
}
