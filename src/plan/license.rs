//! A release's licence in nixpkgs' terms: from its SPDX expression, else its classifiers, else a
//! short text. Never guessed: none where it is not certain.

use super::derivation::License;
use crate::nixpkgs::license::attribute;
use crate::python::About;

/// The licence that a release says it has.
pub(super) fn license(about: &About) -> Option<License> {
    if let Some(expression) = &about.license_expression {
        return from_expression(expression);
    }
    let classified = about.license_classifiers.iter().map(|c| from_classifier(c));
    let classified: Option<Vec<&str>> = classified.filter(|c| *c != Some("")).collect();
    match classified.as_deref() {
        Some([]) => {}
        Some(attrs) => return several(attrs.to_vec()),
        // An ambiguous classifier: the text may say more.
        None => {}
    }
    about.license.as_deref().and_then(from_text)
}

fn several(mut attrs: Vec<&str>) -> Option<License> {
    attrs.sort_unstable();
    attrs.dedup();
    match attrs.as_slice() {
        [] => None,
        [one] => Some(License::One((*one).to_owned())),
        many => Some(License::Several(
            many.iter().map(|a| (*a).to_owned()).collect(),
        )),
    }
}

/// The licence that an SPDX expression names; none where nixpkgs has no name for it.
pub fn of_expression(text: &str) -> Option<License> {
    from_expression(text)
}

/// An SPDX expression. Exceptions and unknown identifiers make it unknown.
fn from_expression(text: &str) -> Option<License> {
    let mode = spdx::ParseMode {
        allow_imprecise_license_names: false,
        allow_slash_as_or_operator: false,
        ..spdx::ParseMode::LAX
    };
    let parsed = spdx::Expression::parse_mode(text, mode).ok()?;
    let mut attrs = Vec::new();
    for node in parsed.requirements() {
        if node.req.addition.is_some() {
            return None;
        }
        attrs.push(attribute(&node.req.license.to_string())?);
    }
    several(attrs)
}

/// A trove classifier; empty for those that say nothing of their own, none for ambiguous ones.
fn from_classifier(classifier: &str) -> Option<&'static str> {
    let text = classifier.strip_prefix("License :: ")?;
    if text == "OSI Approved" {
        return Some("");
    }
    let text = text.strip_prefix("OSI Approved :: ").unwrap_or(text);
    let spdx = match text {
        "MIT License" => "MIT",
        "MIT No Attribution License (MIT-0)" => "MIT-0",
        "Apache Software License" => "Apache-2.0",
        "ISC License (ISCL)" => "ISC",
        "zlib/libpng License" => "Zlib",
        "Boost Software License 1.0 (BSL-1.0)" => "BSL-1.0",
        "Mozilla Public License 1.1 (MPL 1.1)" => "MPL-1.1",
        "Mozilla Public License 2.0 (MPL 2.0)" => "MPL-2.0",
        "Eclipse Public License 2.0 (EPL-2.0)" => "EPL-2.0",
        "European Union Public Licence 1.2 (EUPL 1.2)" => "EUPL-1.2",
        "GNU General Public License v2 (GPLv2)" => "GPL-2.0-only",
        "GNU General Public License v2 or later (GPLv2+)" => "GPL-2.0-or-later",
        "GNU General Public License v3 (GPLv3)" => "GPL-3.0-only",
        "GNU General Public License v3 or later (GPLv3+)" => "GPL-3.0-or-later",
        "GNU Lesser General Public License v2 (LGPLv2)" => "LGPL-2.0-only",
        "GNU Lesser General Public License v2 or later (LGPLv2+)" => "LGPL-2.0-or-later",
        "GNU Lesser General Public License v3 (LGPLv3)" => "LGPL-3.0-only",
        "GNU Lesser General Public License v3 or later (LGPLv3+)" => "LGPL-3.0-or-later",
        "GNU Affero General Public License v3" => "AGPL-3.0-only",
        "GNU Affero General Public License v3 or later (AGPLv3+)" => "AGPL-3.0-or-later",
        "Python Software Foundation License" => "Python-2.0",
        "Zope Public License" => "ZPL-2.1",
        "The Unlicense (Unlicense)" => "Unlicense",
        "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication" => "CC0-1.0",
        "Historical Permission Notice and Disclaimer (HPND)" => "HPND",
        _ => return None,
    };
    attribute(spdx)
}

/// A short text that is an SPDX identifier or a well-known unambiguous spelling.
fn from_text(text: &str) -> Option<License> {
    let text = text.trim();
    if let Some(found) = from_expression(text) {
        return Some(found);
    }
    let spdx = match text.to_ascii_lowercase().as_str() {
        "mit license" | "the mit license" | "the mit license (mit)" | "mit licence" => "MIT",
        "apache 2"
        | "apache 2.0"
        | "apache license 2.0"
        | "apache license, version 2.0"
        | "apache license version 2.0"
        | "apache-2"
        | "apache software license (apache 2.0)"
        | "apache software license 2.0" => "Apache-2.0",
        "bsd 3-clause"
        | "bsd-3"
        | "3-clause bsd"
        | "bsd 3-clause license"
        | "3-clause bsd license"
        | "new bsd"
        | "new bsd license"
        | "modified bsd license" => "BSD-3-Clause",
        "bsd 2-clause" | "bsd-2" | "2-clause bsd" | "bsd 2-clause license" | "simplified bsd" => {
            "BSD-2-Clause"
        }
        "isc license" => "ISC",
        "mpl 2.0" | "mozilla public license 2.0" | "mozilla public license 2.0 (mpl 2.0)" => {
            "MPL-2.0"
        }
        "gplv2" => "GPL-2.0-only",
        "gplv2+" => "GPL-2.0-or-later",
        "gplv3" => "GPL-3.0-only",
        "gplv3+" => "GPL-3.0-or-later",
        "lgplv3" => "LGPL-3.0-only",
        "lgplv3+" => "LGPL-3.0-or-later",
        _ => return None,
    };
    attribute(spdx).map(|attr| License::One(attr.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expression: Option<&str>, classifiers: &[&str], text: Option<&str>) -> Option<License> {
        license(&About {
            license_expression: expression.map(str::to_owned),
            license: text.map(str::to_owned),
            license_classifiers: classifiers.iter().map(|c| (*c).to_owned()).collect(),
            ..About::default()
        })
    }

    fn one(attr: &str) -> Option<License> {
        Some(License::One(attr.to_owned()))
    }

    #[test]
    fn sources_are_tried_in_order() {
        assert_eq!(of(Some("MIT"), &[], Some("GPLv2")), one("mit"));
        assert_eq!(
            of(None, &["License :: OSI Approved :: MIT License"], None),
            one("mit")
        );
        assert_eq!(
            of(
                None,
                &["License :: OSI Approved :: BSD License"],
                Some("BSD-3-Clause")
            ),
            one("bsd3")
        );
        assert_eq!(of(None, &[], Some("Apache License 2.0")), one("asl20"));
    }

    #[test]
    fn what_is_not_certain_is_unknown() {
        assert_eq!(
            of(
                None,
                &["License :: OSI Approved :: BSD License"],
                Some("BSD")
            ),
            None
        );
        assert_eq!(of(Some("LicenseRef-Ours"), &[], None), None);
        assert_eq!(of(None, &[], Some("see LICENSE")), None);
    }

    #[test]
    fn several_licences_are_a_list() {
        assert_eq!(
            of(Some("MIT OR Apache-2.0"), &[], None),
            Some(License::Several(vec!["asl20".into(), "mit".into()]))
        );
    }
}
