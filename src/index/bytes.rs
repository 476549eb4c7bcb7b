//! Values as bytes and back: what the cache's files are made of.
//!
//! All integers are little-endian; a varint is LEB128; a text is a varint length and UTF-8.

/// Appends a LEB128 number.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a text.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Takes values off the front of some bytes.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// A LEB128 number.
    pub fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        let len = usize::try_from(self.varint()?).ok()?;
        std::str::from_utf8(self.bytes(len)?).ok()
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    /// An array of bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }
}

/// A digest in hexadecimal as bytes.
pub fn digest(hex: &str) -> Option<[u8; 32]> {
    unhex(hex.as_bytes().try_into().ok()?)
}

/// `prefix/ab/cd/{60}/` to the prefix and the 32 bytes.
pub fn hashed_folder(folder: &str) -> Option<(&str, [u8; 32])> {
    let split = folder.len().checked_sub(67)?;
    let (prefix, tail) = folder.split_at_checked(split)?;
    let tail: &[u8; 67] = tail.as_bytes().try_into().ok()?;
    let [a, b, b'/', c, d, b'/', rest @ .., b'/'] = tail else {
        return None;
    };
    let mut digits = [0; 64];
    let (start, end) = digits.split_at_mut(4);
    start.copy_from_slice(&[*a, *b, *c, *d]);
    end.copy_from_slice(rest);
    // Upper-case digits would come back in lower case: another address.
    let upper = digits
        .iter()
        .fold(false, |upper, digit| upper | digit.is_ascii_uppercase());
    if upper || !prefix.ends_with('/') {
        return None;
    }
    Some((prefix, unhex(&digits)?))
}

/// Reads hexadecimal digits. A page has three digests for each file, so this is written such that
/// the compiler makes it work on many digits at once: no branches, no tables.
fn unhex(digits: &[u8; 64]) -> Option<[u8; 32]> {
    let mut values = [0_u8; 64];
    let mut all = 0;
    for (value, digit) in values.iter_mut().zip(digits) {
        let (number, letter) = (digit.wrapping_sub(b'0'), (digit | 32).wrapping_sub(b'a'));
        let letter = if letter < 6 { letter + 10 } else { 0xff };
        *value = if number < 10 { number } else { letter };
        all |= *value;
    }
    let mut out = [0_u8; 32];
    for (byte, pair) in out.iter_mut().zip(values.as_chunks().0) {
        let [high, low] = *pair;
        *byte = high << 4 | low;
    }
    (all < 16).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_digits_and_nothing_else() {
        let hex: String = (0..32)
            .map(|byte| format!("{:02x}", byte * 8 + 7))
            .collect();
        let bytes: Vec<u8> = (0..32).map(|byte| byte * 8 + 7).collect();
        assert_eq!(digest(&hex).unwrap().as_slice(), bytes);
        assert_eq!(digest(&hex.to_uppercase()).unwrap().as_slice(), bytes);
        for other in (0..=127_u8).filter(|c| !c.is_ascii_hexdigit()) {
            for place in [0, 1, 31, 62, 63] {
                let mut wrong = hex.clone();
                wrong.replace_range(place..=place, &char::from(other).to_string());
                assert_eq!(digest(&wrong), None, "{other} at {place}");
            }
        }
        assert_eq!(digest(&hex[1..]), None);
        assert_eq!(digest(&format!("{hex}0")), None);
        assert_eq!(digest(&format!("{}é", &hex[2..])), None);
    }

    #[test]
    fn folders_are_named_by_a_digest_in_lower_case() {
        let hex = "0a".repeat(32);
        let folder = |hex: &str| format!("/p/{}/{}/{}/", &hex[..2], &hex[2..4], &hex[4..]);
        let hashed = hashed_folder(&folder(&hex)).map(|(prefix, hash)| (prefix.to_owned(), hash));
        assert_eq!(hashed, Some(("/p/".to_owned(), [10; 32])));
        for wrong in [
            folder(&hex.to_uppercase()),
            folder(&hex).replace("/p/", "/p"),
            folder(&hex)[1..].replace("p/", ""),
            folder(&hex).replacen("/0a/", "/0ag", 1),
            format!("{}x", folder(&hex)),
            folder(&format!("{}é", &hex[2..])),
            String::new(),
        ] {
            assert_eq!(hashed_folder(&wrong), None, "{wrong}");
        }
    }
}
