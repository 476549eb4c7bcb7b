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
    let mut out = [0_u8; 32];
    unhex(hex.as_bytes(), &mut out).then_some(out)
}

/// `prefix/ab/cd/{60}/` to the prefix and the 32 bytes.
pub fn hashed_folder(folder: &str) -> Option<(&str, [u8; 32])> {
    let split = folder.len().checked_sub(67)?;
    let bytes = folder.as_bytes();
    if bytes.get(split + 2) != Some(&b'/')
        || bytes.get(split + 5) != Some(&b'/')
        || bytes.get(split.checked_sub(1)?) != Some(&b'/')
    {
        return None;
    }
    let tail = bytes.get(split..)?;
    // Upper-case digits would come back in lower case: another address.
    if tail.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut hash = [0_u8; 32];
    let (first, rest) = hash.split_at_mut(1);
    let (second, rest) = rest.split_at_mut(1);
    (unhex(tail.get(..2)?, first)
        && unhex(tail.get(3..5)?, second)
        && unhex(tail.get(6..66)?, rest))
    .then_some((folder.get(..split)?, hash))
}

/// Reads exactly `2 * out.len()` hexadecimal digits.
fn unhex(text: &[u8], out: &mut [u8]) -> bool {
    if text.len() != out.len() * 2 {
        return false;
    }
    let mut wrong = 0;
    for (pair, byte) in text.chunks_exact(2).zip(out.iter_mut()) {
        if let [high, low] = pair {
            let (high, low) = (NIBBLE[usize::from(*high)], NIBBLE[usize::from(*low)]);
            wrong |= high | low;
            *byte = high << 4 | low & 15;
        }
    }
    wrong < 16
}

const NIBBLE: [u8; 256] = {
    let mut table = [255_u8; 256];
    let mut digit = 0;
    while digit < 16 {
        let lower = if digit < 10 {
            b'0' + digit
        } else {
            b'a' + digit - 10
        };
        table[lower as usize] = digit;
        table[lower.to_ascii_uppercase() as usize] = digit;
        digit += 1;
    }
    table
};
