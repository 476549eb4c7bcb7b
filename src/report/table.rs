//! The table of all projects.

use std::fmt::Write as _;

use super::html::escape;
use super::{Asker, Page, Project};

/// So many of those who need a project are named.
const SHOWN: usize = 3;

/// The rows.
pub(super) fn rows(page: &Page, anchors: &[String]) -> String {
    let mut out = String::new();
    for (index, (project, anchor)) in page.projects.iter().zip(anchors).enumerate() {
        let needs: Vec<String> = project.needs.iter().map(|n| n.to.to_string()).collect();
        let mut marks = String::new();
        if project.direct {
            marks
                .push_str(" <span class=\"mark\" title=\"your project asks for it\">direct</span>");
        }
        if project.for_build {
            marks.push_str(" <span class=\"mark\" title=\"only builds need it\">build</span>");
        }
        if project.rebuilt {
            marks.push_str(
                " <span class=\"mark warm\" title=\"built again, as something below it has an entry\">rebuilt</span>",
            );
        }
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<tr data-n=\"{index}\" data-kind=\"{kind}\" data-needs=\"{needs}\"{direct}{build}{rebuilt}>\
             <th scope=\"row\"><a href=\"#{anchor}\"><bdi>{name}</bdi></a>{marks}</th>\
             <td class=\"num\">{version}</td>\
             <td><span class=\"badge k-{kind}\">{label}</span></td>\
             <td class=\"num nix\">{nixpkgs}</td>\
             <td class=\"why\">{why}</td></tr>",
            kind = project.kind.word(),
            needs = needs.join(" "),
            direct = flag("direct", project.direct),
            build = flag("build", project.for_build),
            rebuilt = flag("rebuilt", project.rebuilt),
            name = escape(&project.name),
            version = escape(&project.version),
            label = project.kind.label(),
            nixpkgs = project
                .nixpkgs_version
                .as_ref()
                .map_or("<span class=\"none\">–</span>".to_owned(), |v| escape(v)),
            why = why(page, project),
        );
    }
    out
}

fn flag(name: &str, set: bool) -> String {
    if set {
        format!(" data-{name}")
    } else {
        String::new()
    }
}

/// The reason, where there is one; else who needs it.
fn why(page: &Page, project: &Project) -> String {
    if let Some(reason) = project.kind_reasons.first() {
        return format!("<b>{}</b>", escape(reason));
    }
    let name = |asker: &Asker| match asker.by.and_then(|by| page.projects.get(by)) {
        Some(by) => by.name.clone(),
        None => asker.place.clone().unwrap_or(asker.called.clone()),
    };
    let mut names: Vec<String> = project.asked_by.iter().map(name).collect();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    escape(&format!("{}{more}", names.join(", ")))
}
