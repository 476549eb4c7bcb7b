//! The metadata of a release in compact bytes, as the cache keeps it.
//!
//! Its requirements were read once, when they arrived: in the record each stands as the text that it
//! is, with the extra that it is for, so that only those that somebody looks at are read again.
//!
//! ```text
//! version, requires-python: text   repairs, spellings: count, { text, text }*
//! extras: count, text*   the first so many of them are provided: varint
//! requirements: count, { extra + 1, or 0: varint, text }*
//! summary, home page, licence expression, licence: { 0 | 1, text }   addresses: count, { text, text }*
//! licence classifiers: count, text*
//! ```

use std::str::FromStr;
use std::sync::Arc;

use super::bytes::{Reader, put_text, put_varint};
use crate::python::metadata::Header;
use crate::python::requires::{self, Requires, Unread};
use crate::python::{About, ExtraName, Metadata, PackageName, specifier};

/// The record of metadata; `header` is what it was read from.
pub fn write(metadata: &Metadata, header: &[u8]) -> Vec<u8> {
    let lines = &metadata.requires_dist;
    let mut extras: Vec<&ExtraName> = metadata.provides_extra.iter().collect();
    for only in (0..lines.len()).filter_map(|position| lines.only(position)) {
        if !extras.contains(&only) {
            extras.push(only);
        }
    }
    let mut out = Vec::with_capacity(header.len() + 64);
    put_text(&mut out, &metadata.version);
    let python = Header::parse(header);
    let python = python.first("Requires-Python");
    let python = python.filter(|_| metadata.requires_python.is_some());
    put_text(&mut out, python.unwrap_or(""));
    put_pairs(&mut out, &metadata.repairs);
    put_varint(&mut out, metadata.spellings.len() as u64);
    for (name, written) in &metadata.spellings {
        put_text(&mut out, name.as_ref());
        put_text(&mut out, written);
    }
    put_varint(&mut out, extras.len() as u64);
    for extra in &extras {
        put_text(&mut out, extra.as_ref());
    }
    put_varint(&mut out, metadata.provides_extra.len() as u64);
    put_varint(&mut out, lines.len() as u64);
    for position in 0..lines.len() {
        let only = lines.only(position);
        let number = only.and_then(|only| extras.iter().position(|extra| *extra == only));
        put_varint(&mut out, number.map_or(0, |number| number as u64 + 1));
        put_text(&mut out, &lines.written(position));
    }
    put_about(&mut out, &metadata.about);
    out
}

fn put_about(out: &mut Vec<u8>, about: &About) {
    let single = [
        &about.summary,
        &about.home_page,
        &about.license_expression,
        &about.license,
    ];
    for value in single {
        out.push(u8::from(value.is_some()));
        if let Some(value) = value {
            put_text(out, value);
        }
    }
    put_pairs(out, &about.urls);
    put_varint(out, about.license_classifiers.len() as u64);
    for classifier in &about.license_classifiers {
        put_text(out, classifier);
    }
}

fn put_pairs(out: &mut Vec<u8>, pairs: &[(String, String)]) {
    put_varint(out, pairs.len() as u64);
    for (one, other) in pairs {
        put_text(out, one);
        put_text(out, other);
    }
}

/// Reads a record of a project's release; none where it is damaged.
pub fn read(name: &PackageName, bytes: &[u8], reader: &Arc<requires::Reader>) -> Option<Metadata> {
    let mut input = Reader(bytes);
    let version = input.text()?.to_owned();
    let python = input.text()?;
    let requires_python = match python {
        "" => None,
        text => Some(specifier::parse_lenient(text).ok()?.0).filter(|s| !s.is_empty()),
    };
    let repairs = pairs(&mut input)?;
    let mut spellings = Vec::new();
    for _ in 0..input.varint()? {
        let name = PackageName::from_str(input.text()?).ok()?;
        spellings.push((name, input.text()?.to_owned()));
    }
    let mut extras = Vec::new();
    for _ in 0..input.varint()? {
        extras.push(ExtraName::from_str(input.text()?).ok()?);
    }
    let provided = usize::try_from(input.varint()?).ok()?;
    let provides_extra = extras.get(..provided)?.to_vec();
    let requires_dist = lines(&mut input, extras, reader)?;
    Some(Metadata {
        name: name.clone(),
        version,
        requires_dist,
        spellings,
        requires_python,
        provides_extra,
        about: about(&mut input)?,
        repairs,
    })
}

fn lines(
    input: &mut Reader<'_>,
    extras: Vec<ExtraName>,
    reader: &Arc<requires::Reader>,
) -> Option<Requires> {
    let count = input.varint()?;
    let mut text = String::with_capacity(input.0.len());
    let mut found = Vec::with_capacity(count.min(1 << 12) as usize);
    for _ in 0..count {
        let only = usize::try_from(input.varint()?).ok()?.checked_sub(1);
        if only.is_some_and(|number| number >= extras.len()) {
            return None;
        }
        let start = text.len();
        text.push_str(input.text()?);
        let at = start..text.len();
        found.push(Unread { at, only });
    }
    Some(Requires::unread(
        text.into(),
        extras.into(),
        found.into_iter(),
        Arc::clone(reader),
    ))
}

fn about(input: &mut Reader<'_>) -> Option<About> {
    let mut single = || {
        let [there] = input.array()?;
        Some(match there {
            0 => None,
            _ => Some(input.text()?.to_owned()),
        })
    };
    let (summary, home_page) = (single()?, single()?);
    let (license_expression, license) = (single()?, single()?);
    let urls = pairs(input)?;
    let mut license_classifiers = Vec::new();
    for _ in 0..input.varint()? {
        license_classifiers.push(input.text()?.to_owned());
    }
    Some(About {
        summary,
        home_page,
        urls,
        license_expression,
        license,
        license_classifiers,
    })
}

fn pairs(input: &mut Reader<'_>) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for _ in 0..input.varint()? {
        pairs.push((input.text()?.to_owned(), input.text()?.to_owned()));
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_comes_back() {
        let header = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: s\n\
            Home-page: https://h.test\nProject-URL: Source, https://s.test\nLicense: MIT\n\
            Classifier: License :: OSI Approved\nRequires-Python: >=3.8.*\nProvides-Extra: x\n\
            Requires-Dist: PyYAML (>=1)\nRequires-Dist: b>=1.*; extra == 'x'\n\
            Requires-Dist: c; os_name == 'nt' and extra == 'y'\nRequires-Dist: d\n";
        let metadata = Metadata::parse(header.as_bytes()).unwrap();
        let bytes = write(&metadata, header.as_bytes());
        let read = |bytes| read(&metadata.name, bytes, &Arc::default());
        let back = read(&bytes).unwrap();
        assert_eq!(back, metadata);
        let extras = |metadata: &Metadata| -> Vec<Option<String>> {
            let lines = &metadata.requires_dist;
            let only = (0..lines.len()).map(|p| lines.only(p));
            only.map(|only| only.map(ToString::to_string)).collect()
        };
        // What was repaired is not trusted to be for an extra only.
        assert_eq!(extras(&back), [None, None, Some("y".to_owned()), None]);
        assert_eq!(extras(&back), extras(&metadata));
        assert_eq!(write(&back, header.as_bytes()), bytes);
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), None);
        }
    }
}
