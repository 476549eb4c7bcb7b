//! [`Expr`] to text. The printer places lines, comments and blank lines; the last word on layout
//! has nixfmt (RFC 166), which never adds or removes any of them.

use super::expr::{Argument, Expr, Item, Operator, Piece};
use super::text;

/// The text of an expression as a file, in nixpkgs' format.
pub fn print(expr: &Expr, header: &[String]) -> String {
    let mut printer = Printer {
        out: String::new(),
        indent: 0,
    };
    for line in header {
        printer.comment(line);
    }
    printer.expr(expr, Level::Any);
    printer.out.push('\n');
    // What the printer writes parses, which its tests hold it to; unformatted text is still right.
    nixfmt_rs::format(&printer.out).unwrap_or(printer.out)
}

/// How tightly an expression must hold together where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Any,
    Operand(Operator),
    Function,
    Atom,
}

impl PartialOrd for Operator {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Operator {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |o: &Operator| match o {
            Operator::And => 0,
            Operator::Equal => 1,
            Operator::Update => 2,
            Operator::Plus => 3,
            Operator::Concat => 4,
        };
        rank(self).cmp(&rank(other))
    }
}

struct Printer {
    out: String,
    indent: usize,
}

impl Printer {
    fn newline(&mut self) {
        self.out.push('\n');
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    fn comment(&mut self, line: &str) {
        let line = text::comment(line);
        self.out.push('#');
        if !line.is_empty() {
            self.out.push(' ');
            self.out.push_str(&line);
        }
        self.newline();
    }

    fn expr(&mut self, expr: &Expr, level: Level) {
        if level > own_level(expr) {
            self.out.push('(');
            self.bare(expr);
            self.out.push(')');
        } else {
            self.bare(expr);
        }
    }

    fn bare(&mut self, expr: &Expr) {
        match expr {
            Expr::Str(text) => self.out.push_str(&text::string(text)),
            Expr::Lines(lines) => self.lines(lines),
            Expr::Template(pieces) => self.template(pieces),
            Expr::Name(name) => self.out.push_str(name),
            Expr::Variable(name) => self.out.push_str(&text::attribute(name)),
            Expr::File(name) => {
                self.out.push_str("./");
                self.out.push_str(name);
            }
            Expr::Path(path) => self.path(path),
            Expr::SearchPath(name) => {
                self.out.push('<');
                self.out.push_str(name);
                self.out.push('>');
            }
            Expr::Select(base, path) => self.select(base, path),
            Expr::SelectOr(base, path, default) => {
                self.select(base, path);
                self.out.push_str(" or ");
                self.expr(default, Level::Atom);
            }
            Expr::Index(base, name, default) => {
                self.expr(base, Level::Atom);
                self.out.push_str(".${");
                self.expr(name, Level::Any);
                self.out.push_str("} or ");
                self.expr(default, Level::Atom);
            }
            Expr::List(items) => self.list(items),
            Expr::Set(items) => self.set(items),
            Expr::Apply(function, arguments) => {
                self.expr(function, Level::Function);
                for argument in arguments {
                    self.out.push(' ');
                    self.expr(argument, Level::Atom);
                }
            }
            Expr::Binary(operator, operands) => self.binary(*operator, operands),
            Expr::If(condition, then, otherwise) => {
                self.out.push_str("if ");
                self.expr(condition, Level::Any);
                self.out.push_str(" then");
                self.block(then);
                self.newline();
                self.out.push_str("else");
                if matches!(**otherwise, Expr::If(..)) {
                    self.out.push(' ');
                    self.expr(otherwise, Level::Any);
                } else {
                    self.block(otherwise);
                }
            }
            Expr::Lambda(name, body) => {
                self.out.push_str(name);
                self.out.push_str(": ");
                self.expr(body, Level::Any);
            }
            Expr::Formals(formals, body) => self.formals(formals, body),
            Expr::Arguments(arguments, body) => self.arguments(arguments, body),
            Expr::With(names, body) => {
                self.out.push_str("with ");
                self.expr(names, Level::Any);
                self.out.push_str("; ");
                self.expr(body, Level::Any);
            }
            Expr::Let(items, body) => {
                self.out.push_str("let");
                self.items(items);
                self.newline();
                self.out.push_str("in");
                self.newline();
                self.expr(body, Level::Any);
            }
        }
    }

    fn template(&mut self, pieces: &[Piece]) {
        self.out.push('"');
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(part) => {
                    let written = text::string(part);
                    let written = written.strip_prefix('"').unwrap_or(&written);
                    let mut written = written.strip_suffix('"').unwrap_or(written).to_owned();
                    // Two dollars before a brace would switch the interpolation off.
                    if written.ends_with('$')
                        && matches!(pieces.get(index + 1), Some(Piece::Value(_)))
                    {
                        written.pop();
                        written.push_str("\\$");
                    }
                    self.out.push_str(&written);
                }
                Piece::Value(value) => {
                    self.out.push_str("${");
                    self.expr(value, Level::Any);
                    self.out.push('}');
                }
            }
        }
        self.out.push('"');
    }

    fn block(&mut self, expr: &Expr) {
        self.indent += 1;
        self.newline();
        self.expr(expr, Level::Any);
        self.indent -= 1;
    }

    fn select(&mut self, base: &Expr, path: &[String]) {
        self.expr(base, Level::Atom);
        for name in path {
            self.out.push('.');
            self.out.push_str(&text::attribute(name));
        }
    }

    /// A path as it is where Nix can read it, else its unusual part as a string.
    fn path(&mut self, path: &str) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+/".contains(&b);
        if path.bytes().all(plain) && !path.contains("//") && !path.ends_with('/') {
            self.out.push_str(path);
            return;
        }
        self.out.push_str("(./. + ");
        self.out.push_str(&text::string(&format!("/{path}")));
        self.out.push(')');
    }

    fn lines(&mut self, lines: &[String]) {
        // Nix takes away the indentation that all lines share.
        let mut written = lines.iter().filter(|line| !line.is_empty());
        if written.all(|line| line.starts_with(' ')) {
            let whole: String = lines
                .iter()
                .flat_map(|line| [line.as_str(), "\n"])
                .collect();
            self.out.push_str(&text::string(&whole));
            return;
        }
        self.out.push_str("''");
        self.indent += 1;
        for line in lines {
            self.newline();
            self.out.push_str(&text::indented_line(line));
        }
        self.indent -= 1;
        self.newline();
        self.out.push_str("''");
    }

    fn list(&mut self, items: &[Expr]) {
        match items {
            [] => self.out.push_str("[ ]"),
            [one] => {
                self.out.push_str("[ ");
                self.expr(one, Level::Atom);
                self.out.push_str(" ]");
            }
            many => {
                self.out.push('[');
                self.indent += 1;
                for item in many {
                    self.newline();
                    self.expr(item, Level::Atom);
                }
                self.indent -= 1;
                self.newline();
                self.out.push(']');
            }
        }
    }

    fn set(&mut self, items: &[Item]) {
        if items.is_empty() {
            self.out.push_str("{ }");
            return;
        }
        self.out.push('{');
        self.items(items);
        self.newline();
        self.out.push('}');
    }

    fn items(&mut self, items: &[Item]) {
        self.indent += 1;
        for item in items {
            if *item == Item::Blank {
                self.out.push('\n');
                continue;
            }
            self.newline();
            match item {
                Item::Blank => {}
                Item::Comment(line) => {
                    let line = text::comment(line);
                    self.out.push_str("# ");
                    self.out.push_str(&line);
                }
                Item::Bind(name, value) => {
                    self.out.push_str(&text::attribute(name));
                    self.out.push_str(" = ");
                    self.expr(value, Level::Any);
                    self.out.push(';');
                }
                Item::Take(from, names) => {
                    self.out.push_str("inherit (");
                    self.expr(from, Level::Any);
                    self.out.push(')');
                    for name in names {
                        self.out.push(' ');
                        self.out.push_str(&text::attribute(name));
                    }
                    self.out.push(';');
                }
                Item::Inherit(from, names) => {
                    self.out.push_str("inherit");
                    if let Some(from) = from {
                        self.out.push_str(" (");
                        self.expr(from, Level::Any);
                        self.out.push(')');
                    }
                    for name in names {
                        self.out.push(' ');
                        self.out.push_str(name);
                    }
                    self.out.push(';');
                }
            }
        }
        self.indent -= 1;
    }

    fn binary(&mut self, operator: Operator, operands: &[Expr]) {
        let sign = match operator {
            Operator::Concat => "++ ",
            Operator::Update => "// ",
            Operator::And => " && ",
            Operator::Plus => " + ",
            Operator::Equal => " == ",
        };
        for (index, operand) in operands.iter().enumerate() {
            if index > 0 {
                if matches!(operator, Operator::Concat | Operator::Update) {
                    self.newline();
                }
                self.out.push_str(sign);
            }
            self.expr(operand, Level::Function.min(above(operator)));
        }
    }

    fn arguments(&mut self, arguments: &[Argument], body: &Expr) {
        self.out.push('{');
        self.indent += 1;
        for argument in arguments {
            match argument {
                Argument::Blank => self.out.push('\n'),
                Argument::Comment(line) => {
                    self.newline();
                    self.out.push_str("# ");
                    self.out.push_str(&text::comment(line));
                }
                Argument::Name(name) => {
                    self.newline();
                    self.out.push_str(name);
                    self.out.push(',');
                }
            }
        }
        self.indent -= 1;
        self.newline();
        self.out.push_str("}:\n\n");
        self.expr(body, Level::Any);
    }

    fn formals(&mut self, formals: &[(&'static str, Option<Expr>)], body: &Expr) {
        self.out.push('{');
        self.indent += 1;
        for (name, default) in formals {
            self.newline();
            self.out.push_str(name);
            if let Some(default) = default {
                self.out.push_str(" ? ");
                self.expr(default, Level::Any);
            }
            self.out.push(',');
        }
        self.indent -= 1;
        self.newline();
        self.out.push_str("}:");
        self.newline();
        self.expr(body, Level::Any);
    }
}

/// What operands of an operator must be: anything that binds more tightly than it.
fn above(operator: Operator) -> Level {
    match operator {
        Operator::And => Level::Operand(Operator::Equal),
        Operator::Equal => Level::Operand(Operator::Update),
        Operator::Update => Level::Operand(Operator::Plus),
        Operator::Plus => Level::Operand(Operator::Concat),
        Operator::Concat => Level::Function,
    }
}

fn own_level(expr: &Expr) -> Level {
    match expr {
        Expr::Str(_)
        | Expr::Template(_)
        | Expr::Variable(_)
        | Expr::Lines(_)
        | Expr::Name(_)
        | Expr::File(_)
        | Expr::Path(_)
        | Expr::SearchPath(_)
        | Expr::Select(..)
        | Expr::List(_)
        | Expr::Set(_) => Level::Atom,
        Expr::Apply(..) => Level::Function,
        Expr::Binary(operator, _) => Level::Operand(*operator),
        // `a.b or c // d` parses as it is meant, but a reader stumbles.
        Expr::SelectOr(..)
        | Expr::Index(..)
        | Expr::If(..)
        | Expr::Lambda(..)
        | Expr::Formals(..)
        | Expr::Arguments(..)
        | Expr::Let(..)
        | Expr::With(..) => Level::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&'static str]) -> Expr {
        Expr::List(
            names
                .iter()
                .map(|n| Expr::Name("final").select(*n))
                .collect(),
        )
    }

    #[test]
    fn everything_prints_in_nixpkgs_format() {
        let condition = Expr::Name("stdenv")
            .select("hostPlatform")
            .select("isLinux");
        let optionals = Expr::Name("lib")
            .select("optionals")
            .apply(condition.clone())
            .apply(list(&["x"]));
        let expr = Expr::Formals(
            vec![(
                "pkgs",
                Some(
                    Expr::Name("import")
                        .apply(Expr::SearchPath("nixpkgs"))
                        .apply(Expr::empty_set()),
                ),
            )],
            Box::new(Expr::Let(
                vec![
                    Item::Inherit(Some(Expr::Name("pkgs")), vec!["lib", "stdenv"]),
                    Item::Blank,
                    Item::Comment("why\nnot".to_owned()),
                    Item::bind("2to3", Expr::Name("final").select("2to3")),
                    Item::bind(
                        "a",
                        Expr::Binary(Operator::Concat, vec![list(&["b", "or"]), optionals]),
                    ),
                    Item::bind(
                        "b",
                        Expr::If(
                            Box::new(condition),
                            Box::new(Expr::str("${x}")),
                            Box::new(Expr::Lines(vec!["touch 'a'".to_owned(), "b''".to_owned()])),
                        ),
                    ),
                    Item::bind(
                        "c",
                        Expr::Binary(
                            Operator::Update,
                            vec![
                                Expr::Name("old").select_or("meta", Expr::empty_set()),
                                Expr::Set(vec![Item::bind("d", Expr::Name("true"))]),
                            ],
                        ),
                    ),
                ],
                Box::new(
                    Expr::Name("a")
                        .apply(list(&[]).lambda("x"))
                        .apply(Expr::str("y")),
                ),
            )),
        );
        let text = print(&expr, &["one".to_owned(), String::new(), "two".to_owned()]);
        assert!(rnix::Root::parse(&text).errors().is_empty(), "{text}");
        assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
        assert_eq!(text, PRINTED);
    }

    const PRINTED: &str = r#"# one
#
# two
{
  pkgs ? import <nixpkgs> { },
}:
let
  inherit (pkgs) lib stdenv;

  # why not
  "2to3" = final."2to3";
  a = [
    final.b
    final."or"
  ]
  ++ lib.optionals stdenv.hostPlatform.isLinux [ final.x ];
  b =
    if stdenv.hostPlatform.isLinux then
      "\${x}"
    else
      ''
        touch 'a'
        b'''
      '';
  c = (old.meta or { }) // {
    d = true;
  };
in
a (x: [ ]) "y"
"#;

    #[test]
    fn shared_indentation_is_not_lost() {
        let text = print(&Expr::Lines(vec!["  a".to_owned(), "  b".to_owned()]), &[]);
        assert_eq!(text, "\"  a\\n  b\\n\"\n");
    }

    #[test]
    fn operands_are_parenthesised_only_where_needed() {
        let name = |n| Expr::Name(n);
        let update = Expr::Binary(Operator::Update, vec![name("a"), name("b")]);
        let and = Expr::Binary(Operator::And, vec![update.clone(), name("c")]);
        assert_eq!(print(&and, &[]), "a // b && c\n");
        let concat = Expr::Binary(Operator::Concat, vec![update, name("c")]);
        assert_eq!(print(&concat, &[]), "(a // b) ++ c\n");
        let call = name("f").apply(name("g").apply(name("x")));
        assert_eq!(print(&call, &[]), "f (g x)\n");
        let call = name("f").apply(name("x").select("a")).apply(name("y"));
        assert_eq!(print(&call, &[]), "f x.a y\n");
    }
}
