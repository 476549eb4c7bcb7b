//! The graph as SVG that is part of the page.

use std::fmt::Write as _;

use super::html::escape;
use super::layout::{Drawing, HEIGHT, Line, layout};
use super::{Page, Project};

/// Longer names are cut in the graph; the title has them whole.
const LONGEST: usize = 34;

/// The drawing. Sizes are in pixels; the script scales it.
pub(super) fn graph(page: &Page, anchors: &[String]) -> String {
    let labels: Vec<Label> = page.projects.iter().map(Label::new).collect();
    let widths: Vec<i32> = labels.iter().map(Label::width).collect();
    let edges: Vec<(usize, usize)> = page
        .projects
        .iter()
        .enumerate()
        .flat_map(|(from, project)| project.needs.iter().map(move |need| (from, need.to)))
        .collect();
    let drawing = layout(&widths, &edges);
    let mut out = String::new();
    let Drawing { width, height, .. } = drawing;
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<svg id=\"graph\" role=\"group\" aria-label=\"Who needs whom\" xmlns=\"http://www.w3.org/2000/svg\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         data-width=\"{width}\" data-height=\"{height}\">\n<g class=\"edges\">\n"
    );
    for line in &drawing.lines {
        let _ = writeln!(
            out,
            "<path data-e=\"{} {}\"{} d=\"{}\"/>",
            line.from,
            line.to,
            if line.implied {
                " class=\"implied\""
            } else {
                ""
            },
            path(line)
        );
    }
    out.push_str("</g>\n<g class=\"nodes\">\n");
    for (index, project) in page.projects.iter().enumerate() {
        let (Some(place), Some(label), Some(anchor)) = (
            drawing.places.get(index),
            labels.get(index),
            anchors.get(index),
        ) else {
            continue;
        };
        let column = place.column.map_or(-1, |c| i32::try_from(c).unwrap_or(0));
        let _ = writeln!(
            out,
            "<a class=\"node k-{kind}{direct}\" href=\"#{anchor}\" data-n=\"{index}\" data-c=\"{column}\" data-w=\"{width}\" \
             transform=\"translate({x} {y})\"><title>{title}</title><rect class=\"box\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"6\"/>\
             <rect class=\"bar\" width=\"4\" height=\"{inner}\" x=\"5\" y=\"5\" rx=\"2\"/>\
             <text x=\"15\" y=\"17.5\">{name}<tspan class=\"v\" dx=\"6\">{version}</tspan></text></a>",
            kind = project.kind.word(),
            direct = if project.direct { " direct" } else { "" },
            width = label.width(),
            x = place.x,
            y = place.y,
            inner = HEIGHT - 10,
            title = escape(&format!(
                "{} {}: {}",
                project.name,
                project.version,
                project.kind.label()
            )),
            name = escape(&label.name),
            version = escape(&label.version),
        );
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Smooth lines between columns, straight ones across them.
fn path(line: &Line) -> String {
    let mut out = String::new();
    for pair in line.points.windows(2) {
        if let [(_, x, y), (to_x, _, to_y)] = pair {
            let bend = (to_x - x) / 2;
            if out.is_empty() {
                let _ = write!(out, "M{x} {y}");
            } else {
                let _ = write!(out, "H{x}");
            }
            let _ = write!(
                out,
                "C{} {y} {} {to_y} {to_x} {to_y}",
                x + bend,
                to_x - bend
            );
        }
    }
    out
}

struct Label {
    name: String,
    version: String,
}

impl Label {
    fn new(project: &Project) -> Self {
        Self {
            name: cut(&project.name, LONGEST),
            version: cut(&project.version, 12),
        }
    }

    /// Letters are at most this wide, in nearly all fonts; those who have wider ones lose a bit of
    /// the version.
    fn width(&self) -> i32 {
        let wide = |text: &str, each: f64| text.chars().count() as f64 * each;
        (15.0 + wide(&self.name, 7.1) + 6.0 + wide(&self.version, 6.2) + 9.0).ceil() as i32
    }
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest - 1).collect();
    format!("{kept}…")
}
