//! The encodings that pip accepts: those with a byte order mark, those that a `coding:` comment
//! names (PEP 263), and UTF-8.

/// The text of a requirements file; the error is a clause for the reader.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|c| match c {
            [a, b] => unit([*a, *b]),
            _ => 0,
        });
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.map_err(|_| "it starts like UTF-16 and is not".to_owned())
    };
    let utf32 = |bytes: &[u8], unit: fn([u8; 4]) -> u32| {
        let units = bytes.chunks_exact(4).map(|c| match c {
            [a, b, c, d] => unit([*a, *b, *c, *d]),
            _ => 0,
        });
        let text: Option<String> = units.map(char::from_u32).collect();
        text.ok_or_else(|| "it starts like UTF-32 and is not".to_owned())
    };
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return String::from_utf8(rest.to_vec()).map_err(|e| not_utf8(&e));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe\0\0") {
        return utf32(rest, u32::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\0\0\xfe\xff") {
        return utf32(rest, u32::from_be_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, u16::from_be_bytes);
    }
    match declared(&bytes).as_deref() {
        None | Some("utf-8" | "utf8" | "ascii" | "us-ascii") => {
            String::from_utf8(bytes).map_err(|e| not_utf8(&e))
        }
        Some(
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "iso-8859-15" | "cp1252"
            | "windows-1252",
        ) => {
            // They differ in characters that only comments have.
            Ok(bytes.into_iter().map(char::from).collect())
        }
        Some(other) => Err(format!(
            "it declares the encoding `{other}`, which is not read here"
        )),
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> String {
    let at = error.utf8_error().valid_up_to();
    format!(
        "it is not UTF-8 (byte {at}); a first line `# coding: latin-1` would declare another encoding"
    )
}

/// The encoding that a comment in the first two lines names.
fn declared(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|b| *b == b'\n').take(2) {
        if !line.starts_with(b"#") {
            continue;
        }
        let line = String::from_utf8_lossy(line.get(..200).unwrap_or(line)).into_owned();
        let Some((_, after)) = line.split_once("coding") else {
            continue;
        };
        let Some(after) = after.strip_prefix([':', '=']) else {
            continue;
        };
        let name: String = after
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .collect();
        if !name.is_empty() {
            return Some(name.to_ascii_lowercase().replace('_', "-"));
        }
    }
    None
}
