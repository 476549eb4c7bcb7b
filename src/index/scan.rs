//! The fast way through a page in JSON: one pass that looks at every file's few interesting values
//! and copies nothing. It reads what indexes really write; at the first surprise (escapes where a
//! value counts, odd types) it gives up on the file, or on the page, and the full parser reads it.

use memchr::{memchr, memchr2, memchr3};

use super::bytes::digest;
use super::packed::Listed;

/// A place in a JSON text.
#[derive(Debug)]
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// What stands before each value of the last file, brace or comma, key and colon, and which
    /// field that is: the next file mostly looks alike, and comparing is faster than parsing.
    leads: Vec<(&'t str, Field)>,
}

/// A field of a file.
#[derive(Debug, Clone, Copy)]
enum Field {
    Filename,
    Url,
    Hashes,
    Size,
    RequiresPython,
    UploadTime,
    Yanked,
    /// By the number of its name, the newest first.
    Metadata(usize),
    Other,
}

impl Field {
    fn of(key: &str) -> Self {
        match key {
            "filename" => Self::Filename,
            "url" => Self::Url,
            "hashes" => Self::Hashes,
            "size" => Self::Size,
            "requires-python" => Self::RequiresPython,
            "upload-time" => Self::UploadTime,
            "yanked" => Self::Yanked,
            "core-metadata" => Self::Metadata(0),
            "dist-info-metadata" => Self::Metadata(1),
            "data-dist-info-metadata" => Self::Metadata(2),
            _ => Self::Other,
        }
    }
}

impl<'t> Scanner<'t> {
    /// At the start of a text.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            leads: Vec::new(),
        }
    }

    /// The next byte that is no white space, without taking it.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Takes this byte, white space before it left out.
    pub fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Whether nothing is left.
    pub fn is_done(&mut self) -> bool {
        self.peek().is_none()
    }

    /// What is left.
    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Moves on by so many bytes.
    pub fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// A string without escapes.
    pub fn string(&mut self) -> Option<&'t str> {
        self.take(b'"')?;
        let rest = self.text.as_bytes().get(self.at..)?;
        let end = memchr2(b'"', b'\\', rest)?;
        if rest.get(end) != Some(&b'"') {
            return None;
        }
        let found = self.text.get(self.at..self.at + end)?;
        self.at += end + 1;
        Some(found)
    }

    /// A key and its colon.
    pub fn key(&mut self) -> Option<&'t str> {
        let key = self.string()?;
        self.take(b':')?;
        Some(key)
    }

    /// After a member: true where another follows, false where the object ends.
    pub fn another(&mut self, end: u8) -> Option<bool> {
        match self.peek()? {
            b',' => self.at += 1,
            byte if byte == end => {
                self.at += 1;
                return Some(false);
            }
            _ => return None,
        }
        Some(true)
    }

    /// Takes a whole value of any kind; its inside is only looked at for where it ends.
    pub fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.end_of_string()
            }
            b'{' | b'[' => self.nested(),
            _ => {
                let bytes = self.text.as_bytes().get(self.at..)?;
                let len = bytes.iter().position(|b| b",}] \n\r\t".contains(b))?;
                self.at += len;
                (len > 0).then_some(())
            }
        }
    }

    fn end_of_string(&mut self) -> Option<()> {
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let end = memchr2(b'"', b'\\', rest)?;
            if rest.get(end) == Some(&b'"') {
                self.at += end + 1;
                return Some(());
            }
            self.at += end + 2;
        }
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let other = memchr3(b'"', b'{', b'}', rest).unwrap_or(rest.len());
            let found = memchr2(b'[', b']', rest.get(..other)?).unwrap_or(other);
            self.at += found + 1;
            match rest.get(found)? {
                b'"' => self.end_of_string()?,
                b'{' | b'[' => depth += 1,
                _ => depth = depth.checked_sub(1)?,
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        self.rest().starts_with(word).then(|| self.at += word.len())
    }

    /// A string, or none for `null`.
    fn text_or_null(&mut self) -> Option<Option<&'t str>> {
        if self.peek()? == b'"' {
            return self.string().map(Some);
        }
        self.literal("null")?;
        Some(None)
    }

    fn number_or_null(&mut self) -> Option<Option<u64>> {
        if self.peek()? == b'n' {
            self.literal("null")?;
            return Some(None);
        }
        let digits = self.rest();
        let len = digits.bytes().take_while(u8::is_ascii_digit).count();
        let number = digits.get(..len)?.parse().ok()?;
        self.at += len;
        Some(Some(number))
    }

    /// Whether a flag is set, and its sha256: `false`, `true`, `null`, a text, digests.
    fn flag(&mut self) -> Option<(bool, Option<[u8; 32]>)> {
        match self.peek()? {
            b'f' => self.literal("false").map(|()| (false, None)),
            b'n' => self.literal("null").map(|()| (false, None)),
            b't' => self.literal("true").map(|()| (true, None)),
            b'"' => self.string().map(|text| (true, digest(text))),
            _ => self.sha256().map(|sha256| (true, sha256)),
        }
    }

    /// Whether a file is yanked, and why: as a flag, but its text counts.
    fn yanked(&mut self) -> Option<Option<&'t str>> {
        match self.peek()? {
            b'"' => self.string().map(Some),
            b'{' => None,
            _ => self.flag().map(|(yanked, _)| yanked.then_some("")),
        }
    }

    /// The sha256 in an object of digests.
    fn sha256(&mut self) -> Option<Option<[u8; 32]>> {
        const START: &str = r#"{"sha256":""#;
        if let Some(after) = self.rest().strip_prefix(START)
            && let Some((hex, end)) = after.split_at_checked(64)
            && end.starts_with("\"}")
            && let Some(digest) = digest(hex)
        {
            self.at += START.len() + 66;
            return Some(Some(digest));
        }
        self.take(b'{')?;
        let mut found = None;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(found);
        }
        loop {
            let key = self.key()?;
            let value = self.string()?;
            if key == "sha256" {
                found = digest(value);
            }
            if !self.another(b'}')? {
                return Some(found);
            }
        }
    }

    /// The field of a file with this number, and everything before its value taken; none after the
    /// last.
    fn field(&mut self, number: usize) -> Option<Option<Field>> {
        if let Some((lead, field)) = self.leads.get(number)
            && self.rest().starts_with(lead)
        {
            self.at += lead.len();
            return Some(Some(*field));
        }
        let start = self.at;
        if number == 0 {
            self.take(b'{')?;
        } else if !self.another(b'}')? {
            return Some(None);
        }
        let field = Field::of(self.key()?);
        self.leads.truncate(number);
        self.leads.push((self.text.get(start..self.at)?, field));
        Some(Some(field))
    }

    /// One file; none at a surprise, and then the scanner's place means nothing.
    pub fn file(&mut self) -> Option<Listed<'t>> {
        let mut file = Listed::default();
        let mut metadata = [None; 3];
        let mut number = 0;
        while let Some(field) = self.field(number)? {
            match field {
                Field::Filename => file.file = self.string()?,
                Field::Url => file.url = self.string()?,
                Field::Hashes => file.sha256 = self.sha256()?,
                Field::Size => file.size = self.number_or_null()?,
                Field::RequiresPython => file.requires_python = self.text_or_null()?,
                Field::UploadTime => file.uploaded = self.text_or_null()?,
                Field::Yanked => file.yanked = self.yanked()?,
                Field::Metadata(name) => {
                    let flag = self.flag()?;
                    if let Some(place) = metadata.get_mut(name) {
                        *place = Some(flag);
                    }
                }
                Field::Other => self.skip()?,
            }
            number += 1;
        }
        if let Some((flagged, sha256)) = metadata.into_iter().flatten().next() {
            file.has_metadata = flagged;
            file.metadata_sha256 = sha256;
        }
        if let Some(end) = memchr(b'#', file.url.as_bytes()) {
            file.url = file.url.get(..end).unwrap_or("");
        }
        (!file.file.is_empty()).then_some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_may_look_alike_or_not() {
        let hex = "0f".repeat(32);
        let text = format!(
            r#"{{"filename":"a","size":1,"hashes":{{"sha256":"{hex}"}},"yanked":false}}
            {{"filename":"b","size":2,"hashes":{{"sha256":"{hex}"}},"yanked":"why"}}
            {{"filename":"c","hashes":{{"md5":"0","sha256":"{hex}"}},"size":null,"yanked":true}}
            {{ "filename":"d", "hashes":{{"sha256":"0"}} }}
            {{"filename":"e","size":5,"hashes":{{}},"x":[{{}}],"url":"u#f"}}"#
        );
        let mut scanner = Scanner::new(&text);
        let mut seen = Vec::new();
        while let Some(file) = scanner.file() {
            let hashed = file.sha256 == Some([15; 32]);
            assert_eq!(hashed, file.sha256.is_some());
            seen.push((file.file, file.size, hashed, file.yanked, file.url));
        }
        let expected = [
            ("a", Some(1), true, None, ""),
            ("b", Some(2), true, Some("why"), ""),
            ("c", None, true, Some(""), ""),
            ("d", None, false, None, ""),
            ("e", Some(5), false, None, "u"),
        ];
        assert_eq!(seen, expected);
        assert!(scanner.is_done());
    }

    #[test]
    fn values_are_skipped_whole() {
        for value in [
            "null",
            "1.5e3",
            "\"a\\\"}b\"",
            "[]",
            "{}",
            "[[1,{\"a\":[\"]\\\\\"]}],2]",
            "{\"a\":{\"b\":[\"}\"]},\"c\":1}",
        ] {
            let text = format!(" {value} ,");
            let mut scanner = Scanner::new(&text);
            scanner.skip().unwrap();
            assert_eq!(scanner.rest().trim(), ",", "{value}");
        }
        for broken in ["", "\"a", "[1", "{\"a\":{}", "]", "\"\\"] {
            assert_eq!(Scanner::new(broken).skip(), None, "{broken}");
        }
    }
}
