//! What panes and overlays are drawn with. All text passes through [`clean`] on its way to a cell.

pub mod age;
pub mod bar;
pub mod clean;
pub mod frame;
pub mod pen;
pub mod segments;
pub mod symbol;
pub mod table;
