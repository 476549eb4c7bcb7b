//! Simple API pages in JSON (PEP 691, 700, 592, 658, 714) to packed pages.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use url::Url;

use super::bytes::digest;
use super::packed::{Builder, Head, Listed};
use super::scan::Scanner;
use crate::python::PackageName;

/// Reads a JSON page; `base` is its address.
///
/// # Errors
/// Where the text is no JSON, no Simple API page, or of an unknown major version.
pub fn parse_json(
    project: &PackageName,
    base: &Url,
    text: &str,
) -> Result<(Head, Vec<u8>), String> {
    let mut builder = Builder::new(project, base).with_room(text.len());
    if scan(&mut builder, text).is_some() {
        return Ok(builder.finish());
    }
    let mut builder = Builder::new(project, base).with_room(text.len());
    parse(&mut builder, text)?;
    Ok(builder.finish())
}

/// The fast way; none where the text is not quite as expected.
fn scan(builder: &mut Builder, text: &str) -> Option<()> {
    let mut scanner = Scanner::new(text);
    scanner.take(b'{')?;
    let mut seen = false;
    loop {
        match scanner.key()? {
            "files" => {
                scan_files(builder, &mut scanner)?;
                seen = true;
            }
            "meta" => {
                let before = scanner.rest();
                scanner.skip()?;
                let len = before.len() - scanner.rest().len();
                let meta: Meta = serde_json::from_str(before.get(..len)?).ok()?;
                meta.api_version?.strip_prefix("1.")?;
            }
            _ => scanner.skip()?,
        }
        if !scanner.another(b'}')? {
            break;
        }
    }
    (seen && scanner.is_done()).then_some(())
}

fn scan_files(builder: &mut Builder, scanner: &mut Scanner) -> Option<()> {
    scanner.take(b'[')?;
    if scanner.peek()? == b']' {
        return scanner.take(b']');
    }
    loop {
        scanner.peek()?;
        let start = scanner.rest();
        match scanner.file() {
            Some(listed) => builder.add(&listed),
            None => {
                // This file is written in an unusual way: the full parser reads it alone.
                let mut values = serde_json::Deserializer::from_str(start).into_iter::<File>();
                values.next()?.ok()?.add_to(builder);
                let used = values.byte_offset();
                *scanner = Scanner::new(start);
                scanner.advance(used);
            }
        }
        if !scanner.another(b']')? {
            return Some(());
        }
    }
}

/// The way that understands all JSON.
fn parse(builder: &mut Builder, text: &str) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let seen = Root(builder)
        .deserialize(&mut json)
        .and_then(|seen| json.end().map(|()| seen))
        .map_err(|e| format!("it is not a Simple API page in JSON ({e})"))?;
    if !seen {
        return Err("the JSON has no `files`, so it is not a Simple API page".to_owned());
    }
    Ok(())
}

/// The whole page; tells whether `files` was there.
struct Root<'b, 'n>(&'b mut Builder<'n>);

impl<'de> DeserializeSeed<'de> for Root<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut seen = false;
        while let Some(key) = map.next_key::<Cow<str>>()? {
            match &*key {
                "files" => {
                    map.next_value_seed(FileList(self.0))?;
                    seen = true;
                }
                "meta" => {
                    let meta: Meta = map.next_value()?;
                    let version = meta.api_version.unwrap_or_default();
                    if !version.is_empty() && !version.starts_with("1.") {
                        return Err(serde::de::Error::custom(format!(
                            "version {version} of the Simple API is unknown"
                        )));
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(seen)
    }
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(rename = "api-version", borrow)]
    api_version: Option<Cow<'a, str>>,
}

struct FileList<'b, 'n>(&'b mut Builder<'n>);

impl<'de> DeserializeSeed<'de> for FileList<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for FileList<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(file) = list.next_element::<File>()? {
            file.add_to(self.0);
        }
        Ok(())
    }
}

impl File<'_> {
    fn add_to(&self, builder: &mut Builder) {
        let metadata = [
            &self.core_metadata,
            &self.dist_info_metadata,
            &self.data_dist_info_metadata,
        ]
        .into_iter()
        .find(|flag| !matches!(flag, Flag::Missing))
        .unwrap_or(&Flag::Missing);
        builder.add(&Listed {
            file: &self.filename,
            url: self.url.split('#').next().unwrap_or_default(),
            sha256: self.hashes.sha256.as_deref().and_then(digest),
            size: self.size,
            requires_python: self.requires_python.as_deref(),
            uploaded: self.upload_time.as_deref(),
            yanked: match &self.yanked {
                Flag::Missing | Flag::No => None,
                Flag::Yes => Some(""),
                Flag::Text(text) => Some(text),
            },
            has_metadata: matches!(metadata, Flag::Yes | Flag::Text(_)),
            metadata_sha256: match metadata {
                Flag::Text(text) => digest(text),
                _ => None,
            },
        });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File<'a> {
    #[serde(borrow)]
    filename: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow, default)]
    hashes: Hashes<'a>,
    size: Option<u64>,
    #[serde(borrow)]
    requires_python: Option<Text<'a>>,
    #[serde(borrow)]
    upload_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    yanked: Flag<'a>,
    #[serde(borrow, default)]
    core_metadata: Flag<'a>,
    #[serde(borrow, default)]
    dist_info_metadata: Flag<'a>,
    #[serde(borrow, default)]
    data_dist_info_metadata: Flag<'a>,
}

#[derive(Deserialize, Default)]
struct Hashes<'a> {
    #[serde(borrow)]
    sha256: Option<Text<'a>>,
}

/// A text that is borrowed wherever it has no escapes; an `Option<Cow<str>>` would be copied.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// `false`, `true`, a text, or an object of digests, of which the sha256 counts.
#[derive(Default)]
enum Flag<'a> {
    #[default]
    Missing,
    No,
    Yes,
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Flag<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("true, false, a text or digests")
    }

    fn visit_unit<E>(self) -> Result<Flag<'de>, E> {
        Ok(Flag::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Flag<'de>, E> {
        Ok(if value { Flag::Yes } else { Flag::No })
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Flag<'de>, E> {
        Ok(Flag::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Flag<'de>, E> {
        Ok(Flag::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flag<'de>, A::Error> {
        let mut flag = Flag::Yes;
        while let Some(key) = map.next_key::<Cow<str>>()? {
            if key == "sha256" {
                flag = Flag::Text(map.next_value::<Text>()?.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Page;
    use crate::index::release::Body;
    use crate::python::Version;
    use std::str::FromStr;

    fn page(text: &str) -> Page {
        let name = PackageName::from_str("demo").unwrap();
        let base = Url::parse("https://index.test/simple/demo/").unwrap();
        let (head, body) = parse_json(&name, &base, text).unwrap();
        Page::packed(name, Some(base), head, Body::Memory(body), None)
    }

    #[test]
    fn every_form_of_the_flags() {
        let digest = "0f".repeat(32);
        let page = page(&format!(
            r#"{{"meta":{{"api-version":"1.4"}},"name":"demo","alternate":{{"files":1}},"files":[
            {{"filename":"demo-1-py3-none-any.whl","url":"a\u002fdemo-1-py3-none-any.whl#sha256=0","hashes":{{}},
              "core-metadata":{{"sha256":"{digest}"}},"data-dist-info-metadata":false,"yanked":false}},
            {{"filename":"demo-2-py3-none-any.whl","url":"/b","hashes":{{"md5":"1","sha256":"{digest}"}},
              "data-dist-info-metadata":true,"yanked":true,"size":null,"requires-python":null}},
            {{"filename":"demo-3-py3-none-any.whl","url":"/c","dist-info-metadata":{{}},"yanked":"bad \"one\""}},
            {{"filename":"demo-4-py3-none-any.whl","url":"/c","requires-python":"not a specifier"}}]}}"#
        ));
        let release = |v: &str| page.release(&Version::from_str(v).unwrap()).unwrap();
        assert_eq!(page.versions().len(), 4);
        let one = &release("1").wheels[0];
        assert_eq!(
            one.url.as_str(),
            "https://index.test/simple/demo/a/demo-1-py3-none-any.whl"
        );
        assert_eq!(one.metadata_sha256.unwrap().hex(), digest);
        assert!(one.has_metadata && one.yanked.is_none());
        let two = &release("2").wheels[0];
        assert_eq!(two.url.as_str(), "https://index.test/b");
        assert_eq!(two.sha256.unwrap().hex(), digest);
        assert!(two.has_metadata && two.metadata_sha256.is_none());
        assert_eq!(two.yanked.as_deref(), Some(""));
        assert!(release("3").wheels[0].has_metadata);
        assert_eq!(
            release("3").wheels[0].yanked.as_deref(),
            Some("bad \"one\"")
        );
        assert_eq!(release("4").wheels[0].requires_python, None);
    }

    #[test]
    fn both_ways_see_the_same() {
        let digest = "0f".repeat(32);
        let text = format!(
            r#" {{ "name" : "demo", "meta": {{"api-version":"1.1","x":["{{"]}}, "versions":["1","2"], "files" : [
            {{"core-metadata":{{"sha256":"{digest}"}},"filename":"demo-1-py3-none-any.whl","hashes":{{"sha256":"{digest}"}},
              "provenance":null,"requires-python":">=3","size":5,"upload-time":"2024-01-01T00:00:00Z",
              "url":"https://files.test/a/demo-1-py3-none-any.whl","yanked":false}},
            {{"filename":"demo-2.zip","url":"b\/demo-2.zip","hashes":{{}},"yanked":"a \"b\"","gpg-sig":true}},
            {{"filename":"demo-3.zip","url":"demo-3.zip","hashes":{{"md5":"0"}},"size":null,"yanked":true,
              "requires-python":null,"extra":{{"a":[1,2,{{}}]}}}} ] , "last" : 1.5 }} "#
        );
        let name = PackageName::from_str("demo").unwrap();
        let base = Url::parse("https://index.test/simple/demo/").unwrap();
        let (mut fast, mut full) = (Builder::new(&name, &base), Builder::new(&name, &base));
        scan(&mut fast, &text).unwrap();
        parse(&mut full, &text).unwrap();
        let (fast, full) = (fast.finish(), full.finish());
        assert_eq!(fast.0.slots.len(), 3);
        assert_eq!((fast.0.to_bytes(), fast.1), (full.0.to_bytes(), full.1));
    }

    #[test]
    fn what_is_no_page_is_said() {
        let name = PackageName::from_str("demo").unwrap();
        let base = Url::parse("https://index.test/simple/demo/").unwrap();
        for (text, part) in [
            ("<html>", "not a Simple API page"),
            ("{}", "no `files`"),
            (r#"{"files":[]"#, "not a Simple API page"),
            (
                r#"{"meta":{"api-version":"2.0"},"files":[]}"#,
                "version 2.0",
            ),
        ] {
            let error = parse_json(&name, &base, text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
