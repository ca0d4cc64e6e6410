//! Draws what a command printed, colours and all, as an SVG: `… | cargo run --example picture > docs/verify.svg`.

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let picture = anstyle_svg::Term::new().min_width_px(900).render_svg(&text);
    std::io::stdout().write_all(picture.as_bytes())
}
