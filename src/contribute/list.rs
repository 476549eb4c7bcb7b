//! Lines in nixpkgs' list of Python packages (`pkgs/top-level/python-packages.nix`).
//!
//! The list is kept in order by `keep-sorted`, which compares blocks as text: a name stands before
//! its own extensions. Where a list is not in order (older ones are not everywhere), a new block goes
//! where the fewest others stand on the wrong side of it.

use rnix::ast::{self, HasEntry as _};
use rowan::ast::AstNode as _;

use super::tree::{attr_text, inner_set};
use crate::nix::read::parse;
use crate::nix::{Expr, Item, print, text};

/// A module to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The attribute.
    pub attr: &'a str,
    /// Arguments that the Python set would give as something else: `zlib`, which is also a module.
    pub from_pkgs: &'a [String],
}

/// What a list has at a place.
struct Block {
    name: String,
    text: String,
    /// Where it starts, comments in front of it left out.
    start: usize,
    /// Where it ends, after its semicolon.
    end: usize,
}

/// The list with a further module, everything else as it is.
///
/// # Errors
/// A sentence, where the text has no place for it.
pub fn insert(text: &str, module: &Listed<'_>) -> Result<String, String> {
    let blocks = blocks(text)?;
    if let Some(there) = blocks.iter().find(|block| block.name == module.attr) {
        return Err(format!("line {} has it", line(text, there.start)));
    }
    let new = block(module);
    let key = new.trim_start();
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return Err("it lists nothing".to_owned());
    };
    // Every place, by how many blocks would be on its wrong side; the last of the best.
    let after = blocks.iter().filter(|block| block.text.as_str() < key);
    let mut wrong = after.count();
    let (mut best, mut place) = (wrong, 0);
    for (index, block) in blocks.iter().enumerate() {
        if block.text.as_str() < key {
            wrong -= 1;
        } else {
            wrong += 1;
        }
        if wrong <= best {
            (best, place) = (wrong, index + 1);
        }
    }
    let mut out = String::with_capacity(text.len() + new.len() + 2);
    match blocks.get(place.wrapping_sub(1)).filter(|_| place > 0) {
        Some(before) => {
            let at = end_of_line(text, before.end);
            out.push_str(text.get(..at).unwrap_or_default());
            // the line that was the last one may end without a line break
            out.push_str("\n\n");
            out.push_str(&new);
            out.push_str(text.get(at..).unwrap_or_default());
        }
        None => {
            let at = start_of_block(text, first.start);
            out.push_str(text.get(..at).unwrap_or_default());
            out.push_str(&new);
            out.push_str("\n\n");
            out.push_str(text.get(at..).unwrap_or_default());
        }
    }
    debug_assert!(last.end <= text.len());
    // Read again: an edit that is not what it should be must not leave this place.
    let again = self::blocks(&out)?;
    if again.len() != blocks.len() + 1 || !again.iter().any(|b| b.name == module.attr) {
        return Err("the new line cannot be read back".to_owned());
    }
    Ok(out)
}

/// The names that a list binds.
///
/// # Errors
/// A sentence, where the text is no list.
pub fn names(text: &str) -> Result<Vec<String>, String> {
    Ok(blocks(text)?.into_iter().map(|block| block.name).collect())
}

/// Blocks that stand before one that they should follow: line, name, and the name of the block
/// before it.
///
/// # Errors
/// A sentence, where the text is no list.
pub fn disorder(text: &str) -> Result<Vec<(usize, String, String)>, String> {
    let blocks = blocks(text)?;
    let pairs = blocks.iter().zip(blocks.iter().skip(1));
    let wrong = pairs.filter(|(before, after)| after.text < before.text);
    let wrong = wrong.map(|(before, after)| {
        let line = line(text, after.start);
        (line, after.name.clone(), before.name.clone())
    });
    Ok(wrong.collect())
}

/// `  name = callPackage ../development/python-modules/name { };`, as nixfmt has it.
fn block(module: &Listed<'_>) -> String {
    let path = format!("../development/python-modules/{}", module.attr);
    let call = Expr::Name("callPackage").apply(Expr::Path(path));
    let call = call.apply(Expr::empty_set());
    let mut set = print(&Expr::Set(vec![Item::bind(module.attr, call)]), &[]);
    if !module.from_pkgs.is_empty() {
        let names: Vec<_> = module
            .from_pkgs
            .iter()
            .map(|name| text::attribute(name))
            .collect();
        let with = format!("{{ inherit (pkgs) {}; }};", names.join(" "));
        set = set.replacen("{ };", &with, 1);
        set = nixfmt_rs::format(&set).unwrap_or(set);
    }
    let mut lines: Vec<&str> = set.lines().collect();
    lines.pop();
    lines.get(1..).unwrap_or_default().join("\n")
}

fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let expr = parse(text).map_err(|error| error.to_string())?;
    let set = inner_set(expr).ok_or("it is not a set of packages")?;
    let region = region(text);
    let mut blocks = Vec::new();
    for binding in set.attrpath_values() {
        let range = binding.syntax().text_range();
        let (start, end) = (usize::from(range.start()), usize::from(range.end()));
        let inside = region.is_none_or(|(from, to)| from <= start && end <= to);
        if inside && let Some(name) = name(&binding) {
            let text = binding.syntax().text().to_string();
            blocks.push(Block {
                name,
                text,
                start,
                end,
            });
        }
    }
    Ok(blocks)
}

fn name(binding: &ast::AttrpathValue) -> Option<String> {
    attr_text(&binding.attrpath()?.attrs().next()?)
}

/// What stands between `keep-sorted`'s marks, where they are there once.
fn region(text: &str) -> Option<(usize, usize)> {
    let start = text.find("# keep-sorted start")?;
    let rest = text.get(start..)?;
    let end = start + rest.find("# keep-sorted end")?;
    let more = text.get(end..)?.contains("# keep-sorted start");
    (!more).then_some((start, end))
}

fn end_of_line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    // Only a comment may stand behind it; another binding on the same line is not split off.
    if line.trim().is_empty() {
        at
    } else if line.trim_start().starts_with('#') {
        at + line.len()
    } else {
        at
    }
}

/// The start of the lines of a block, the comments right above it included.
fn start_of_block(text: &str, start: usize) -> usize {
    let mut at = text
        .get(..start)
        .unwrap_or_default()
        .rfind('\n')
        .map_or(0, |n| n + 1);
    while at > 0 {
        let before = text.get(..at - 1).unwrap_or_default();
        let from = before.rfind('\n').map_or(0, |n| n + 1);
        let line = before.get(from..).unwrap_or_default().trim();
        if !line.starts_with('#') || line.contains("keep-sorted") {
            break;
        }
        at = from;
    }
    at
}

fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "self: super: with self; {

  bootstrap = lib.recurseIntoAttrs {
    flit-core = x;
  };

  setuptools = callPackage ../development/python-modules/setuptools { };

  # in front
  alpha = callPackage ../development/python-modules/alpha { }; # behind

  redis = callPackage ../development/python-modules/redis { };

  redislite = callPackage ../development/python-modules/redislite { };
}
";

    fn inserted(text: &str, attr: &str) -> String {
        let module = Listed {
            attr,
            from_pkgs: &[],
        };
        let new = insert(text, &module).unwrap();
        assert_eq!(nixfmt_rs::format(&new).unwrap(), new);
        new
    }

    /// The names in order, with the comments of their lines.
    fn order(text: &str) -> Vec<String> {
        names(text).unwrap()
    }

    #[test]
    fn modules_go_where_keep_sorted_wants_them() {
        let new = inserted(LIST, "redis-structures");
        let expected = LIST.replace(
            "redis { };\n",
            "redis { };\n\n  redis-structures = callPackage ../development/python-modules/redis-structures { };\n",
        );
        assert_eq!(new, expected);
        // `setuptools`, which is out of order, pulls nothing to itself.
        assert_eq!(
            order(&inserted(LIST, "setuptools-x")).last().unwrap(),
            "setuptools-x"
        );
        let first = inserted(LIST, "aardvark");
        assert!(first.contains("{\n\n  aardvark = "), "{first}");
        assert!(first.contains("aardvark { };\n\n  bootstrap"), "{first}");
        let behind = inserted(LIST, "rebar");
        assert!(
            behind.contains("alpha { }; # behind\n\n  rebar = "),
            "{behind}"
        );
    }

    #[test]
    fn the_first_place_keeps_comments_with_their_block() {
        let list = "{\n  # keep-sorted start block=yes\n  # about b\n  b = 1;\n\n  c = 2;\n  # keep-sorted end\n}\n";
        assert_eq!(
            inserted(list, "a"),
            list.replace(
                "  # about b",
                "  a = callPackage ../development/python-modules/a { };\n\n  # about b"
            )
        );
        let last = inserted(list, "d");
        assert!(last.ends_with("d { };\n  # keep-sorted end\n}\n"), "{last}");
    }

    #[test]
    fn arguments_from_the_top_level_are_inherited() {
        let names = ["openssl".to_owned(), "zlib".to_owned()];
        let module = Listed {
            attr: "native-thing",
            from_pkgs: &names,
        };
        let new = insert(LIST, &module).unwrap();
        assert_eq!(nixfmt_rs::format(&new).unwrap(), new);
        let expected = "native-thing = callPackage ../development/python-modules/native-thing {\n    inherit (pkgs) openssl zlib;\n  };\n";
        assert!(new.contains(expected), "{new}");
        let one = Listed {
            from_pkgs: &names[1..],
            ..module
        };
        let new = insert(LIST, &one).unwrap();
        let expected = "native-thing { inherit (pkgs) zlib; };\n";
        assert!(new.contains(expected), "{new}");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let module = Listed {
            attr: "alpha",
            from_pkgs: &[],
        };
        assert!(insert(LIST, &module).unwrap_err().contains("line 10"));
        assert!(insert("[ ]", &module).is_err());
        assert!(insert("{ }", &module).is_err());
        assert!(insert("{ a = ", &module).is_err());
    }

    #[test]
    fn disorder_is_found() {
        let wrong = disorder(LIST).unwrap();
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0], (10, "alpha".to_owned(), "setuptools".to_owned()));
    }
}
