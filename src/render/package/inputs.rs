//! The programs and libraries of an entry's build, with who says so.

use super::{Groups, Uses, needed_list, strings};
use crate::nix::{Expr, Item, Operator};
use crate::plan::Derivation;

/// `nativeBuildInputs`, `buildInputs`, and what tells their hooks what to do.
pub(super) fn inputs(d: &Derivation, overrides: bool, out: &mut Groups, uses: &mut Uses) {
    let lists = [
        ("nativeBuildInputs", &d.native_inputs),
        ("buildInputs", &d.inputs),
    ];
    for (name, needed) in lists.into_iter().filter(|(_, needed)| !needed.is_empty()) {
        let ours = needed_list("pkgs", needed, uses);
        let list = match (overrides, ours) {
            (false, ours) => ours,
            (true, Expr::Binary(Operator::Concat, mut parts)) => {
                parts.insert(0, Expr::Name("old").select_or(name, Expr::List(Vec::new())));
                Expr::Binary(Operator::Concat, parts)
            }
            (true, ours) => {
                let old = Expr::Name("old").select_or(name, Expr::List(Vec::new()));
                Expr::Binary(Operator::Concat, vec![old, ours])
            }
        };
        let mut items: Vec<Item> = Vec::new();
        for needed in needed.iter().filter(|_| name == "buildInputs") {
            let places = d.evidence.get(&needed.attr).into_iter().flatten();
            let place = places.filter_map(|place| place.split(": ").next()).next();
            let say = |place: &str| Item::Comment(format!("{}: {place}", needed.attr));
            items.extend(place.map(say));
        }
        items.push(Item::bind(name, list));
        out.add(items);
    }
    if !d.of_drivers.is_empty() {
        let driver = "the machine's driver has it".to_owned();
        out.add(vec![
            Item::Comment(driver),
            Item::bind("autoPatchelfIgnoreMissingDeps", strings(&d.of_drivers)),
        ]);
    }
    if d.own_cmake {
        let cmake = "the build system runs CMake itself".to_owned();
        out.add(vec![
            Item::Comment(cmake),
            Item::bind("dontUseCmakeConfigure", Expr::Name("true")),
        ]);
    }
}
