//! The section of one project.

use std::fmt::Write as _;

use super::html::{escape, link};
use super::{Asker, File, Kind, Page, Project};

/// The section of every project, in the order of the table.
pub(super) fn sections(page: &Page, anchors: &[String]) -> String {
    let projects = page.projects.iter().zip(anchors);
    projects
        .map(|(project, anchor)| section(page, anchors, project, anchor))
        .collect()
}

fn section(page: &Page, anchors: &[String], project: &Project, anchor: &str) -> String {
    let kind = project.kind.word();
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<article class=\"project\" id=\"{anchor}\" tabindex=\"-1\" aria-labelledby=\"{anchor}-h\">\n\
         <h3 id=\"{anchor}-h\"><bdi>{}</bdi> <span class=\"version\">{}</span></h3>\n",
        escape(&project.name),
        escape(&project.version)
    );
    if let Some(summary) = &project.summary {
        let _ = writeln!(
            out,
            "<p class=\"summary\"><bdi>{}</bdi></p>",
            escape(summary)
        );
    }
    let _ = write!(
        out,
        "<p class=\"badges\"><span class=\"badge k-{kind}\">{}</span>",
        project.kind.label()
    );
    for (set, text) in [
        (project.direct, "asked for by you"),
        (project.for_build, "only for builds"),
        (project.rebuilt, "built again"),
    ] {
        if set {
            let _ = write!(out, "<span class=\"mark\">{text}</span>");
        }
    }
    out.push_str("</p>\n");
    nix(&mut out, project);
    sentences(&mut out, "Why this version", &project.version_reasons);
    askers(&mut out, anchors, project);
    needs(&mut out, page, anchors, project);
    rebuilds(&mut out, page, anchors, project);
    sentences(&mut out, "How it is built", &project.made);
    about(&mut out, project);
    files(&mut out, &project.files);
    out.push_str("</article>\n");
    out
}

fn nix(out: &mut String, project: &Project) {
    let _ = write!(
        out,
        "<h4>In Nix</h4>\n<p>{}",
        escape(project.kind.meaning())
    );
    if project.rebuilt {
        out.push_str(" It is built again, because something that it needs has an entry.");
    }
    out.push_str("</p>\n");
    list(out, &project.kind_reasons);
    out.push_str("<dl>");
    let rows = [
        ("attribute", project.attribute.as_ref()),
        ("nixpkgs has", project.nixpkgs_version.as_ref()),
        ("only on", project.systems.as_ref()),
    ];
    for (label, text) in rows {
        if let Some(text) = text {
            let _ = write!(
                out,
                "<dt>{label}</dt><dd><code>{}</code></dd>",
                escape(text)
            );
        }
    }
    out.push_str("</dl>\n");
    if project.kind == Kind::Override {
        let name = escape(&project.name);
        let _ = writeln!(
            out,
            "<p class=\"hint\">What could be done instead, and what that would build: <code>pyresolve why {name}</code></p>"
        );
    }
}

fn sentences(out: &mut String, title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        let _ = writeln!(out, "<h4>{title}</h4>");
        list(out, sentences);
    }
}

fn list(out: &mut String, sentences: &[String]) {
    match sentences {
        [] => {}
        [only] => {
            let _ = writeln!(out, "<p>{}</p>", escape(only));
        }
        several => {
            out.push_str("<ul class=\"plain\">");
            for sentence in several {
                let _ = write!(out, "<li>{}</li>", escape(sentence));
            }
            out.push_str("</ul>\n");
        }
    }
}

fn askers(out: &mut String, anchors: &[String], project: &Project) {
    let count = project.asked_by.len();
    let _ = write!(
        out,
        "<h4>Needed by{}</h4>\n<ul class=\"links\">",
        number(count)
    );
    for asker in &project.asked_by {
        let _ = write!(
            out,
            "<li{}>{}",
            if asker.forces {
                " class=\"forces\""
            } else {
                ""
            },
            who(anchors, asker)
        );
        if asker.to_build {
            out.push_str(" <span class=\"mark\">to build it</span>");
        }
        if !asker.requirement.is_empty() {
            let _ = write!(out, "<code>{}</code>", escape(&asker.requirement));
        }
        if asker.forces {
            out.push_str("<span class=\"note\">nixpkgs’ version is not enough for it</span>");
        }
        out.push_str("</li>");
    }
    if count == 0 {
        out.push_str("<li class=\"none\">nobody, as far as the lock tells</li>");
    }
    out.push_str("</ul>\n");
}

fn who(anchors: &[String], asker: &Asker) -> String {
    let called = escape(&asker.called);
    match (asker.by.and_then(|by| anchors.get(by)), &asker.place) {
        (Some(anchor), _) => format!("<a href=\"#{anchor}\"><bdi>{called}</bdi></a>"),
        (None, Some(place)) => format!("<span class=\"place\">{}</span>", escape(place)),
        (None, None) => format!("<bdi>{called}</bdi>"),
    }
}

fn needs(out: &mut String, page: &Page, anchors: &[String], project: &Project) {
    if project.needs.is_empty() {
        return;
    }
    let count = number(project.needs.len());
    let _ = write!(out, "<h4>Needs{count}</h4>\n<ul class=\"links\">");
    for need in &project.needs {
        let (Some(to), Some(anchor)) = (page.projects.get(need.to), anchors.get(need.to)) else {
            continue;
        };
        let _ = write!(
            out,
            "<li><a href=\"#{anchor}\"><i class=\"dot k-{}\"></i><bdi>{}</bdi> {}</a>",
            to.kind.word(),
            escape(&to.name),
            escape(&to.version)
        );
        if need.to_build {
            out.push_str(" <span class=\"mark\">build</span>");
        }
        if !need.requirement.is_empty() {
            let _ = write!(out, "<code>{}</code>", escape(&need.requirement));
        }
        out.push_str("</li>");
    }
    out.push_str("</ul>\n");
}

fn rebuilds(out: &mut String, page: &Page, anchors: &[String], project: &Project) {
    if project.rebuilds.is_empty() {
        return;
    }
    let count = number(project.rebuilds.len());
    let _ = write!(
        out,
        "<h4>Built again because of it{count}</h4>\n<p class=\"names\">"
    );
    for place in &project.rebuilds {
        if let (Some(other), Some(anchor)) = (page.projects.get(*place), anchors.get(*place)) {
            let _ = write!(
                out,
                "<a href=\"#{anchor}\"><bdi>{}</bdi></a> ",
                escape(&other.name)
            );
        }
    }
    out.push_str("</p>\n");
}

fn about(out: &mut String, project: &Project) {
    out.push_str("<h4>About</h4>\n<dl>");
    let license = match &project.license {
        Some(license) => escape(license),
        None => "<span class=\"none\">not told</span>".to_owned(),
    };
    let _ = write!(out, "<dt>licence</dt><dd>{license}</dd>");
    for (label, address) in [
        ("page", &project.homepage),
        ("changelog", &project.changelog),
    ] {
        if let Some(address) = address {
            let _ = write!(out, "<dt>{label}</dt><dd>{}</dd>", link(address, address));
        }
    }
    out.push_str("</dl>\n");
}

fn files(out: &mut String, files: &[File]) {
    if files.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<details><summary>{} {}, with {}</summary>\n<ul class=\"files\">",
        files.len(),
        if files.len() == 1 { "file" } else { "files" },
        if files.len() == 1 {
            "its hash"
        } else {
            "their hashes"
        }
    );
    for file in files {
        let size = file.size.map(size).unwrap_or_default();
        let _ = write!(
            out,
            "<li><bdi>{}</bdi> <span class=\"size\">{size}</span>",
            escape(&file.name)
        );
        for hash in &file.hashes {
            let _ = write!(out, "<code>{}</code>", escape(hash));
        }
        out.push_str("</li>");
    }
    out.push_str("</ul></details>\n");
}

fn number(count: usize) -> String {
    if count > 1 {
        format!(" <span class=\"count\">{count}</span>")
    } else {
        String::new()
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
