//! The font of plots, which is in the program: nodes of a cluster have none.

use std::sync::Once;

use plotters::style::{FontStyle, register_font};

/// Its name in an SVG, and the name that the embedded font has here.
pub(super) const FONT: &str = "sans-serif";

/// Makes it known before anything is drawn.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let registered = register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
        assert!(registered.is_ok(), "the embedded font is a font");
    });
}
