//! Draws what a command printed, colours and all, as an SVG: `… | cargo run --example picture > docs/verify.svg`.

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let picture = anstyle_svg::Term::new().palette(anstyle_svg::WIN10_CONSOLE).min_width_px(900).render_svg(&text);
    // That palette's blue can hardly be read on black.
    let picture = picture.replace("#0037DA", "#5C9DFF");
    std::io::stdout().write_all(picture.as_bytes())
}
