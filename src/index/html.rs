//! Simple API pages in HTML (PEP 503, 592, 658) and pages of links to packed pages.
//!
//! Not a browser's parser: only `base` and `a` tags matter, and how indexes write them is narrow.

use std::borrow::Cow;

use url::Url;

use super::bytes::digest;
use super::packed::{Builder, Head, Listed};
use crate::python::PackageName;

/// Reads an HTML page; `base` is its address.
///
/// # Errors
/// Where the text does not look like HTML.
pub fn parse(project: &PackageName, base: &Url, text: &str) -> Result<(Head, Vec<u8>), String> {
    let known = ["html", "head", "body", "a"];
    if !Tags(text).any(|tag| known.iter().any(|name| tag.name.eq_ignore_ascii_case(name))) {
        return Err("it is neither JSON nor HTML".to_owned());
    }
    let base = base_of(base, text);
    let mut builder = Builder::new(project, &base);
    for tag in Tags(text) {
        if tag.name.eq_ignore_ascii_case("a") {
            add(&mut builder, &base, &tag);
        }
    }
    Ok(builder.finish())
}

/// The address that links are relative to: the first `base`, or the page's own.
fn base_of(page: &Url, text: &str) -> Url {
    Tags(text)
        .take_while(|tag| !tag.name.eq_ignore_ascii_case("body"))
        .find(|tag| tag.name.eq_ignore_ascii_case("base"))
        .and_then(|tag| page.join(tag.attribute("href")?.trim()).ok())
        .unwrap_or_else(|| page.clone())
}

fn add(builder: &mut Builder, base: &Url, tag: &Tag) {
    let Some(href) = tag.attribute("href") else {
        return;
    };
    let href = href.trim();
    let (address, fragment) = href.split_once('#').unwrap_or((href, ""));
    // The link's text should be the file's name, but only the address is bound to be.
    let Some(url) = base.join(address).ok() else {
        return;
    };
    let last = url.path().rsplit('/').next().unwrap_or("");
    let file = percent_decoded(last);
    let sha256 = digest_in(fragment, "sha256=");
    let metadata = tag
        .attribute("data-core-metadata")
        .or_else(|| tag.attribute("data-dist-info-metadata"));
    let metadata = metadata.as_deref().map(str::trim);
    builder.add(&Listed {
        file: &file,
        url: address,
        sha256,
        size: None,
        requires_python: tag.attribute("data-requires-python").as_deref(),
        uploaded: tag.attribute("data-upload-time").as_deref(),
        yanked: tag.attribute("data-yanked").as_deref(),
        has_metadata: metadata.is_some_and(|text| text != "false"),
        metadata_sha256: metadata.and_then(|text| digest_in(text, "sha256=")),
    });
}

fn digest_in(fragment: &str, key: &str) -> Option<[u8; 32]> {
    digest(
        fragment
            .split('&')
            .find_map(|part| part.strip_prefix(key))?,
    )
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let query = text.replace('+', "%2B");
    // Form decoding with `+` protected is percent decoding.
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map_or(Cow::Borrowed(text), |(key, _)| Cow::Owned(key.into_owned()))
}

/// The start tags of a text, comments left out.
struct Tags<'t>(&'t str);

struct Tag<'t> {
    name: &'t str,
    attributes: &'t str,
}

impl<'t> Iterator for Tags<'t> {
    type Item = Tag<'t>;

    fn next(&mut self) -> Option<Tag<'t>> {
        loop {
            let start = self.0.find('<')?;
            let rest = self.0.get(start + 1..)?;
            if let Some(comment) = rest.strip_prefix("!--") {
                self.0 = comment
                    .find("-->")
                    .and_then(|end| comment.get(end + 3..))
                    .unwrap_or("");
                continue;
            }
            let name_end = rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            let (name, rest) = rest.split_at(name_end);
            if name.is_empty() {
                self.0 = rest;
                continue;
            }
            let end = tag_end(rest);
            let (attributes, rest) = rest.split_at(end);
            self.0 = rest;
            return Some(Tag { name, attributes });
        }
    }
}

/// Where a tag ends: the first `>` outside quotes.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    text.len()
}

impl<'t> Tag<'t> {
    /// The value of an attribute, entities replaced; empty where it has none.
    fn attribute(&self, name: &str) -> Option<Cow<'t, str>> {
        let mut rest = self.attributes.trim_start();
        while !rest.is_empty() {
            let end = rest
                .find(|c: char| c == '=' || c.is_whitespace())
                .unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            let after = after.trim_start();
            let (value, next) = match after.strip_prefix('=') {
                Some(value) => value_of(value.trim_start()),
                None => ("", after),
            };
            if key.eq_ignore_ascii_case(name) {
                return Some(unescaped(value));
            }
            if next.len() == rest.len() {
                return None;
            }
            rest = next.trim_start();
        }
        None
    }
}

/// A value, quoted or not, and what follows it.
fn value_of(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let entity = from.find(';').filter(|end| *end <= 10).and_then(|end| {
            let name = from.get(1..end)?;
            Some((character(name)?, from.get(end + 1..)?))
        });
        match entity {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn character(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
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
        let (head, body) = parse(&name, &base, text).unwrap();
        Page::packed(name, Some(base), head, Body::Memory(body), None)
    }

    #[test]
    fn links_with_everything() {
        let digest = "0a".repeat(32);
        let page = page(&format!(
            "<!DOCTYPE html><html><head><meta name='x' content=\"1.0\"></head><body><h1>a > b</h1>\
             <!-- <a href=\"demo-9.tar.gz\">no</a> -->\
             <A HREF='../../p/demo-1.0%2Bl-py3-none-any.whl#sha256={digest}' data-core-metadata=\"sha256={digest}\"\n \
             data-requires-python=\"&gt;=3.8, &lt;4\" data-yanked=\"a &quot;b&quot;\">x</a><br/>\
             <a href=https://files.test/demo-2.zip#md5=1 data-yanked>demo-2.zip</a>\
             <a>nothing</a><a href=\"other-1.tar.gz\">other</a>"
        ));
        let release = |v: &str| page.release(&Version::from_str(v).unwrap()).unwrap();
        assert_eq!(page.versions().len(), 2);
        let one = &release("1.0+l").wheels[0];
        assert_eq!(one.file, "demo-1.0+l-py3-none-any.whl");
        assert_eq!(
            one.url.as_str(),
            "https://index.test/p/demo-1.0%2Bl-py3-none-any.whl"
        );
        assert_eq!(one.sha256.unwrap().hex(), digest);
        assert_eq!(one.metadata_sha256.unwrap().hex(), digest);
        assert_eq!(
            one.requires_python.as_ref().unwrap().to_string(),
            ">=3.8, <4"
        );
        assert_eq!(one.yanked.as_deref(), Some("a \"b\""));
        let two = release("2").sdist.clone().unwrap();
        assert_eq!(two.url.as_str(), "https://files.test/demo-2.zip");
        assert_eq!((two.sha256, two.yanked.as_deref()), (None, Some("")));
    }

    #[test]
    fn base_and_broken_tags() {
        let page = page(
            "<head><base href=\"/base/\"></head><a href='x/demo-1.tar.gz'>a</a><a href=\"demo-2.tar.gz",
        );
        let url = |v: &str| {
            page.release(&Version::from_str(v).unwrap())
                .unwrap()
                .sdist
                .clone()
                .unwrap()
                .url
        };
        assert_eq!(url("1").as_str(), "https://index.test/base/x/demo-1.tar.gz");
        assert_eq!(url("2").as_str(), "https://index.test/base/demo-2.tar.gz");
        let name = PackageName::from_str("demo").unwrap();
        let base = Url::parse("https://index.test/").unwrap();
        assert!(parse(&name, &base, "error 5").is_err());
    }
}
