//! Rules for whole files: format, spelling of texts and paths, what is left to be done; and the list of
//! packages.

use rnix::SyntaxKind;
use rnix::ast;
use rowan::ast::AstNode as _;

use super::{Context, Out, rule};
use crate::contribute::list;

pub(super) fn file(text: &str, expr: &ast::Expr, context: &Context, out: &mut Out) {
    formatting(text, out);
    if context.executable && !text.starts_with("#!") {
        out.say(
            &rule::FILE_MODE,
            0..0,
            "the file may be executed, and has no `#!` line",
            "chmod -x",
        );
    }
    for token in expr
        .syntax()
        .descendants_with_tokens()
        .filter_map(|e| e.into_token())
    {
        let range = token.text_range();
        let span = usize::from(range.start())..usize::from(range.end());
        match token.kind() {
            SyntaxKind::TOKEN_URI => out.say(
                &rule::URI,
                span,
                "an address without quotes",
                format!("write \"{}\"", token.text()),
            ),
            SyntaxKind::TOKEN_PATH_ABS => {
                out.say(
                    &rule::PATH,
                    span,
                    "an absolute path",
                    "name a file beside this one, or a package",
                );
            }
            SyntaxKind::TOKEN_PATH_HOME => {
                out.say(
                    &rule::PATH,
                    span,
                    "a path in somebody's home",
                    "name a file beside this one",
                );
            }
            SyntaxKind::TOKEN_COMMENT if token.text().contains("TODO") => {
                out.say(
                    &rule::TODO,
                    span,
                    token.text().trim_start_matches(['#', ' ']).to_owned(),
                    "do it, then drop the comment",
                );
            }
            _ => {}
        }
    }
    escapes(text, expr, out);
    for select in expr.syntax().descendants().filter_map(ast::Select::cast) {
        let written = select.syntax().text().to_string();
        let span = super::module::range(select.syntax());
        if written == "lib.fakeHash" || written == "lib.fakeSha256" {
            out.say(
                &rule::HASH,
                span,
                format!("`{written}` is left to be filled in"),
                "build once, and put there what Nix says",
            );
        } else if let Some(system) = written.strip_prefix("stdenv.is") {
            out.say(
                &rule::HOST_PLATFORM,
                span,
                format!("`{written}` is the old style"),
                format!("write `stdenv.hostPlatform.is{system}`"),
            );
        }
    }
}

fn formatting(text: &str, out: &mut Out) {
    let Ok(formatted) = nixfmt_rs::format(text) else {
        return;
    };
    if formatted == text {
        return;
    }
    let mut at = 0;
    for (own, wanted) in text
        .split_inclusive('\n')
        .zip(formatted.split_inclusive('\n'))
    {
        if own != wanted {
            break;
        }
        at += own.len();
    }
    out.say(
        &rule::FORMATTING,
        at..at,
        "nixfmt would write it otherwise, from here on",
        "run nixfmt",
    );
}

/// `\.` in a text means `.`, and says something else to a reader.
fn escapes(text: &str, expr: &ast::Expr, out: &mut Out) {
    for string in expr.syntax().descendants().filter_map(ast::Str::cast) {
        let start = usize::from(string.syntax().text_range().start());
        if text.get(start..).is_some_and(|rest| rest.starts_with("''")) {
            continue;
        }
        for token in string
            .syntax()
            .children_with_tokens()
            .filter_map(|e| e.into_token())
        {
            if token.kind() != SyntaxKind::TOKEN_STRING_CONTENT {
                continue;
            }
            let from = usize::from(token.text_range().start());
            let mut chars = token.text().char_indices();
            while let Some((at, c)) = chars.next() {
                if c != '\\' {
                    continue;
                }
                let Some((_, next)) = chars.next() else { break };
                if !matches!(next, '\\' | '$' | '"' | 'r' | 'n' | 't' | '\n') {
                    let span = from + at..from + at + 1 + next.len_utf8();
                    out.say(
                        &rule::ESCAPE_USELESS,
                        span,
                        format!("`\\{next}` is just `{next}`"),
                        format!("write `{next}`"),
                    );
                }
            }
        }
    }
}

/// The list of packages, which is no module.
pub(super) fn list(text: &str, expr: &ast::Expr, out: &mut Out) {
    let is_list = matches!(expr, ast::Expr::Lambda(lambda) if matches!(lambda.param(), Some(ast::Param::IdentParam(_))));
    if !is_list {
        return;
    }
    for (line, name, before) in list::disorder(text).unwrap_or_default() {
        let at = super::start_of(text, line);
        out.say(
            &rule::LIST_ORDER,
            at..at,
            format!("`{name}` stands behind `{before}`"),
            "blocks are compared as text: a name comes before its own extensions",
        );
    }
}
