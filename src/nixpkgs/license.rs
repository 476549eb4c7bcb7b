//! SPDX identifiers to nixpkgs' `lib.licenses`.

const TABLE: &str = include_str!("../../data/nixpkgs/licenses.tsv");

/// The attribute in `lib.licenses` for an SPDX identifier; letter case does not matter.
pub fn attribute(spdx: &str) -> Option<&'static str> {
    let current = current(spdx);
    rows()
        .find(|(id, _)| id.eq_ignore_ascii_case(current))
        .map(|(_, attr)| attr)
}

/// Identifiers that SPDX has replaced or that nixpkgs files under another one.
fn current(spdx: &str) -> &str {
    match spdx.to_ascii_lowercase().as_str() {
        "gpl-2.0" => "GPL-2.0-only",
        "gpl-2.0+" => "GPL-2.0-or-later",
        "gpl-3.0" => "GPL-3.0-only",
        "gpl-3.0+" => "GPL-3.0-or-later",
        "lgpl-2.0" => "LGPL-2.0-only",
        "lgpl-2.0+" => "LGPL-2.0-or-later",
        "lgpl-2.1" => "LGPL-2.1-only",
        "lgpl-2.1+" => "LGPL-2.1-or-later",
        "lgpl-3.0" => "LGPL-3.0-only",
        "lgpl-3.0+" => "LGPL-3.0-or-later",
        "agpl-3.0" => "AGPL-3.0-only",
        "agpl-3.0+" => "AGPL-3.0-or-later",
        "psf-2.0" => "Python-2.0",
        _ => spdx,
    }
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_find_their_attribute() {
        assert_eq!(attribute("MIT"), Some("mit"));
        assert_eq!(attribute("apache-2.0"), Some("asl20"));
        assert_eq!(attribute("GPL-3.0"), Some("gpl3Only"));
        assert_eq!(attribute("PSF-2.0"), Some("psfl"));
        assert_eq!(attribute("LicenseRef-Ours"), None);
    }
}
