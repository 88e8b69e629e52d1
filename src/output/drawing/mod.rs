//! Drawings: a node with the ranks on it, as data with a renderer each for terminals and for SVG, and the plots of a study.

pub mod node;
pub mod node_drawing;
pub mod plot;
pub mod svg;
pub mod terminal;
