//! A block of cells with a frame of ghost cells around it, and a step of the heat equation. Knows nothing of ranks.

use mpi::traits::*;
use std::ops::Range;

/// A cell: how hot it is, and how well it conducts. Sent as it lies in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Equivalence)]
pub(crate) struct Cell {
    pub(crate) heat: f32,
    pub(crate) flow: f32,
}

/// The four sides of a block; `side ^ 1` is opposite.
pub(crate) const UP: usize = 0;
pub(crate) const DOWN: usize = 1;
pub(crate) const LEFT: usize = 2;
pub(crate) const RIGHT: usize = 3;

/// What one block has of the plate. Cells are counted with the frame: 1 to `height`, 1 to `width`.
pub(crate) struct Grid {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) cells: Vec<Cell>,
    next: Vec<f32>,
}

impl Grid {
    /// These rows and columns of a plate of `size` x `size` cells: a hot square, a bar that conducts badly, and cold walls.
    pub(crate) fn new(size: usize, rows: &Range<usize>, columns: &Range<usize>, hot: f32) -> Self {
        let (height, width) = (rows.len(), columns.len());
        let mut cells = vec![Cell::default(); (height + 2) * (width + 2)];
        for row in rows.clone() {
            for column in columns.clone() {
                let is_hot = (size / 8..size / 2).contains(&row) && (size / 8..size / 2).contains(&column);
                let is_bar = (size / 2..size * 5 / 8).contains(&column);
                let cell = (row - rows.start + 1) * (width + 2) + column - columns.start + 1;
                cells[cell] = Cell { heat: if is_hot { hot } else { 0.0 }, flow: if is_bar { 0.02 } else { 0.2 } };
            }
        }
        Self { height, width, next: vec![0.0; cells.len()], cells }
    }

    /// Where a cell is in the list.
    fn at(&self, row: usize, column: usize) -> usize {
        row * (self.width + 2) + column
    }

    /// The cells along a side: of the block, or with 1 for `ghost` of the frame beyond it.
    fn along(&self, side: usize, ghost: usize) -> Vec<usize> {
        let (height, width) = (self.height, self.width);
        match side {
            UP => (1..=width).map(|column| self.at(1 - ghost, column)).collect(),
            DOWN => (1..=width).map(|column| self.at(height + ghost, column)).collect(),
            LEFT => (1..=height).map(|row| self.at(row, 1 - ghost)).collect(),
            _ => (1..=height).map(|row| self.at(row, width + ghost)).collect(),
        }
    }

    /// What the neighbor on that side needs.
    pub(crate) fn edge(&self, side: usize) -> Vec<Cell> {
        self.along(side, 0).into_iter().map(|cell| self.cells[cell]).collect()
    }

    /// Puts what the neighbor on that side has sent into the frame.
    pub(crate) fn set_ghosts(&mut self, side: usize, cells: &[Cell]) {
        for (place, cell) in self.along(side, 1).into_iter().zip(cells) {
            self.cells[place] = *cell;
        }
    }

    /// The heat of some cells one step later. Every sum has its order, so every rank has the same bits.
    pub(crate) fn update(&mut self, rows: Range<usize>, columns: Range<usize>) {
        for row in rows {
            for column in columns.clone() {
                let place = self.at(row, column);
                let cell = self.cells[place];
                let from = |other: usize| {
                    let other = self.cells[other];
                    (cell.flow + other.flow) * 0.5 * (other.heat - cell.heat)
                };
                let (above, below) = (place - self.width - 2, place + self.width + 2);
                self.next[place] = cell.heat + ((from(above) + from(below)) + (from(place - 1) + from(place + 1)));
            }
        }
    }

    /// The cells that need no ghost.
    pub(crate) fn update_inside(&mut self) {
        self.update(2..self.height, 2..self.width);
    }

    /// The cells that do.
    pub(crate) fn update_rim(&mut self) {
        let (height, width) = (self.height, self.width);
        self.update(1..2, 1..width + 1);
        self.update(height..height + 1, 1..width + 1);
        self.update(1..height + 1, 1..2);
        self.update(1..height + 1, width..width + 1);
    }

    /// The step is done: what was next is now.
    pub(crate) fn finish_step(&mut self) {
        for row in 1..=self.height {
            for place in self.at(row, 1)..=self.at(row, self.width) {
                self.cells[place].heat = self.next[place];
            }
        }
    }

    /// The heat of the block, row by row.
    pub(crate) fn heat(&self) -> Vec<f32> {
        let rows = self.cells.chunks(self.width + 2).skip(1).take(self.height);
        rows.flat_map(|row| &row[1..=self.width]).map(|cell| cell.heat).collect()
    }
}
