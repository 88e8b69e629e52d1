//! The style of the page: its colors are variables, which `page` sets for light and for dark.

/// In the language of style sheets.
pub(super) const STYLE: &str = "
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 54rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--faint); }
h3 { font-size: 1rem; margin: 1.5rem 0 .2rem; }
p { margin: .3rem 0; }
ul { padding-left: 1.2rem; margin: .3rem 0; }
#notes ul { border-left: 4px solid var(--line-1); padding: .2rem 0 .2rem 1.6rem; }
figure { margin: 1.2rem 0 2rem; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: .9rem; margin-top: .3rem; }
.narrow { display: none; }
@media (max-width: 40rem) { body { padding: .8rem; } .wide { display: none; } .narrow { display: block; } }
.table { overflow-x: auto; margin: .4rem 0; }
table { border-collapse: collapse; font-size: .88rem; overflow-wrap: normal; }
th, td { padding: .2rem .55rem; text-align: left; border-bottom: 1px solid var(--faint); white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font-size: .85rem; font-family: ui-monospace, monospace; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid var(--faint); }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; }
summary { cursor: pointer; font-size: .88rem; }
footer { margin-top: 2rem; font-size: .85rem; }
";
