//! The fast way through a page in JSON: one pass that looks at every file's few interesting values
//! and copies nothing. It reads what indexes really write; at the first surprise (escapes where a
//! value counts, odd types) it gives up on the file, or on the page, and the full parser reads it.

use memchr::{memchr, memchr2, memchr3};

use super::packed::Listed;

/// A place in a JSON text.
#[derive(Debug)]
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    /// At the start of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
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

    /// Whether a flag is set, and its text or sha256: `false`, `true`, `null`, a text, digests.
    fn flag(&mut self) -> Option<(bool, Option<&'t str>)> {
        match self.peek()? {
            b'f' => self.literal("false").map(|()| (false, None)),
            b'n' => self.literal("null").map(|()| (false, None)),
            b't' => self.literal("true").map(|()| (true, None)),
            b'"' => self.string().map(|text| (true, Some(text))),
            _ => self.sha256().map(|sha256| (true, sha256)),
        }
    }

    /// The sha256 in an object of digests.
    fn sha256(&mut self) -> Option<Option<&'t str>> {
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
                found = Some(value);
            }
            if !self.another(b'}')? {
                return Some(found);
            }
        }
    }

    /// One file; none at a surprise, and then the scanner's place means nothing.
    pub fn file(&mut self) -> Option<Listed<'t>> {
        self.take(b'{')?;
        let mut file = Listed::default();
        let mut metadata = [None; 3];
        loop {
            match self.key()? {
                "filename" => file.file = self.string()?,
                "url" => file.url = self.string()?,
                "hashes" => file.sha256 = self.sha256()?,
                "size" => file.size = self.number_or_null()?,
                "requires-python" => file.requires_python = self.text_or_null()?,
                "upload-time" => file.uploaded = self.text_or_null()?,
                "yanked" => {
                    let (yanked, reason) = self.flag()?;
                    file.yanked = yanked.then_some(reason.unwrap_or(""));
                }
                "core-metadata" => metadata[0] = Some(self.flag()?),
                "dist-info-metadata" => metadata[1] = Some(self.flag()?),
                "data-dist-info-metadata" => metadata[2] = Some(self.flag()?),
                _ => self.skip()?,
            }
            if !self.another(b'}')? {
                break;
            }
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
