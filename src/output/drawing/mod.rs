//! Drawings: a node with the ranks on it, as data with a renderer each for terminals and for SVG, and the plots of a study.

pub mod chart;
pub mod compose;
mod font;
pub mod node;
pub mod plot;
pub mod svg;
pub mod terminal;
