//! A study of a program: which runs a sweep over parameters has and in which order, what is kept of each, and what many of them tell.
//!
//! Pure: starts no process, opens no file and asks no clock.

pub mod analysis;
pub mod grid;
pub mod points;
pub mod record;
pub mod results;
pub mod scaling;
pub mod statistics;
pub mod template;
pub mod values;

pub use self::{
    grid::{Grid, Parameter, Run},
    record::{Record, SCHEMA, Spec, Status},
    results::Results,
    template::Template,
    values::Values,
};
