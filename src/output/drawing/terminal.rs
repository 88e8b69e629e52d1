//! The picture of a node in characters: boxes in boxes, for a terminal that shows UTF-8.

use super::node::{CorePicture, GpuPicture, LEGEND, NodePicture, NumaPicture, PackagePicture};

/// Cores in a row: half a package of today's processors, and narrow enough for a terminal of 100 columns.
const CORES_A_ROW: usize = 12;

/// Columns of a terminal that a drawing should not exceed: where GPUs beside cores would, they stand below.
const COLUMNS: usize = 100;
/// Columns that the boxes take around what is in a NUMA node.
const FRAMES: usize = 12;

/// Lines of equal width.
type Block = Vec<String>;

/// All nodes, one below the other, and what the letters mean.
#[must_use]
pub fn draw(nodes: &[NodePicture]) -> String {
    let drawn: String = nodes.iter().map(draw_node).collect();
    format!("{drawn}{LEGEND}\n")
}

/// One node, without [`LEGEND`]. Ends with a newline.
#[must_use]
pub fn draw_node(node: &NodePicture) -> String {
    let packages: Vec<Block> = node.packages.iter().map(package).collect();
    let block = framed(&node.title, beside(stacked(&packages), &gpus(&node.gpus)));
    block.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn package(package: &PackagePicture) -> Block {
    let numa_nodes: Vec<Block> = package.numa_nodes.iter().map(numa_node).collect();
    framed(&package.title, beside(stacked(&numa_nodes), &gpus(&package.gpus)))
}

fn numa_node(numa: &NumaPicture) -> Block {
    framed(&numa.title, beside(cores(&numa.cores), &gpus(&numa.gpus)))
}

/// A grid with two lines a core: its number, and its ranks.
fn cores(cores: &[CorePicture]) -> Block {
    let numbers: Vec<String> = cores.iter().map(|core| core.number.clone()).collect();
    let labels: Vec<String> = cores.iter().map(CorePicture::label).collect();
    let cell = numbers.iter().chain(&labels).map(|text| width(text)).max().unwrap_or(1);
    let rows = numbers.chunks(CORES_A_ROW).zip(labels.chunks(CORES_A_ROW));
    let mut block = Block::new();
    for (numbers, labels) in rows {
        let border = |left: &str, middle: &str, right: &str| {
            [left, &vec!["─".repeat(cell + 2); numbers.len()].join(middle), right].concat()
        };
        let line = |texts: &[String]| {
            let cells: Vec<String> = texts.iter().map(|text| format!(" {text:^cell$} ")).collect();
            format!("│{}│", cells.join("│"))
        };
        block.extend([border("┌", "┬", "┐"), line(numbers), line(labels), border("└", "┴", "┘")]);
    }
    padded(block)
}

fn gpus(gpus: &[GpuPicture]) -> Block {
    let one = |gpu: &GpuPicture| framed(&format!("GPU {}", gpu.id), padded(gpu.lines()));
    stacked(&gpus.iter().map(one).collect::<Vec<Block>>())
}

/// A box with a title in its upper edge.
fn framed(title: &str, inside: Block) -> Block {
    let inner = inside.first().map_or(0, |line| width(line)).max(width(title) + 1);
    let mut block = vec![format!("┌ {title} {}┐", "─".repeat(inner - width(title)))];
    block.extend(inside.into_iter().map(|line| format!("│ {line}{} │", " ".repeat(inner - width(&line)))));
    block.push(format!("└{}┘", "─".repeat(inner + 2)));
    block
}

fn stacked(blocks: &[Block]) -> Block {
    padded(blocks.concat())
}

fn beside(left: Block, right: &[String]) -> Block {
    if right.is_empty() {
        return left;
    }
    let wide = |block: &[String]| block.first().map_or(0, |line| width(line));
    if wide(&left) + wide(right) + FRAMES > COLUMNS {
        return stacked(&[left, right.to_vec()]);
    }
    let height = left.len().max(right.len());
    let row = |block: &[String], index: usize| block.get(index).cloned().unwrap_or_else(|| " ".repeat(wide(block)));
    (0..height).map(|index| format!("{}  {}", row(&left, index), row(right, index))).collect()
}

fn padded(lines: Block) -> Block {
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    lines.into_iter().map(|line| format!("{line}{}", " ".repeat(widest - width(&line)))).collect()
}

/// Columns of a text that has no wide characters.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{drawing::compose::of_job, report::places::sample::nodes};

    #[test]
    fn a_node_is_drawn_as_boxes_in_boxes() {
        let small = of_job(&nodes().remove(1));
        let expected = "\
┌ small: 3 of 4 cores ──────────┐
│ ┌ package 0  AMD EPYC 9654 ─┐ │
│ │ ┌ NUMA node 0  64 GiB ──┐ │ │
│ │ │ ┌────┬────┬────┬────┐ │ │ │
│ │ │ │ 0  │ 1  │ 2  │ 3  │ │ │ │
│ │ │ │ r3 │ r4 │ .  │ x  │ │ │ │
│ │ │ └────┴────┴────┴────┘ │ │ │
│ │ └───────────────────────┘ │ │
│ └───────────────────────────┘ │
└───────────────────────────────┘
";
        assert_eq!(draw(&[small]).strip_suffix(&format!("{LEGEND}\n")), Some(expected));
    }

    #[test]
    fn the_lines_of_a_node_are_equally_wide_and_gpus_stand_beside_their_cores() {
        let text = draw(&[of_job(&nodes()[0])]);
        let lines: Vec<&str> = text.lines().filter(|line| *line != LEGEND).collect();
        assert!(lines.iter().all(|line| width(line) == width(lines[0])), "{text}");
        assert!(lines.iter().any(|line| line.contains("┬") && line.contains("GPU 0000:c1:00.0")), "{text}");
    }

    #[test]
    fn many_cores_are_broken_into_rows_that_fit() {
        let mut node = of_job(&nodes().remove(1));
        let numa = &mut node.packages[0].numa_nodes[0];
        numa.cores = (0..64)
            .map(|core: u32| CorePicture { number: core.to_string(), ranks: vec![core], allowed: true })
            .collect();
        let text = draw(&[node]);
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        assert!((0..64).all(|rank| text.contains(&format!(" r{rank} "))), "{text}");
    }

    #[test]
    fn gpus_with_long_names_stand_below_cores_that_leave_no_room() {
        let mut node = of_job(&nodes()[0]);
        let numa = &mut node.packages[0].numa_nodes[0];
        numa.cores = (100..112)
            .map(|core: u32| CorePicture { number: core.to_string(), ranks: vec![core], allowed: true })
            .collect();
        numa.gpus[0].name = "x".repeat(32);
        let text = draw_node(&node);
        assert!(text.lines().all(|line| width(line) <= COLUMNS), "{text}");
        assert!(text.contains(" r111 ") && text.contains("┌ GPU 0000:65:00.0 ─"), "{text}");
    }
}
