//! Bodies of answers: inflated, within bounds.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;

/// A worker's buffer for what it inflates; larger ones are given back.
const KEPT: usize = 32 << 20;
/// The least that a buffer is made for: what is not written to takes no memory, and a buffer that
/// grows with each page is fresh memory for each page.
const ROOM: usize = 8 << 20;

thread_local! {
    /// Fresh memory for every page costs more than inflating it.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Undoes a body's `Content-Encoding` for as long as `look` takes.
///
/// # Errors
/// As [`inflate`], and those of `look`.
pub fn inflated<T>(
    body: &[u8],
    encoding: &str,
    limit: u64,
    look: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<T, String> {
    match encoding.trim() {
        "" | "identity" => return look(body),
        "gzip" | "x-gzip" => {}
        other => return Err(unasked(other)),
    }
    BUFFER.with(|buffer| match buffer.try_borrow_mut() {
        Ok(mut buffer) => {
            let answer = match gunzip_into(body, limit, ROOM, &mut buffer)? {
                Some(len) => look(buffer.get(..len).unwrap_or_default()),
                None => look(&gunzip_pieces(body, limit)?),
            };
            if buffer.len() > KEPT {
                *buffer = Vec::new();
            }
            answer
        }
        // Somebody further up looks at what it holds.
        Err(_) => look(&gunzip(body, limit)?),
    })
}

/// Undoes a body's `Content-Encoding`.
///
/// # Errors
/// When the body is broken, inflates to more than `limit` bytes, or has an unknown encoding.
pub fn inflate<'b>(body: &'b [u8], encoding: &str, limit: u64) -> Result<Cow<'b, [u8]>, String> {
    match encoding.trim() {
        "" | "identity" => Ok(Cow::Borrowed(body)),
        "gzip" | "x-gzip" => gunzip(body, limit).map(Cow::Owned),
        other => Err(unasked(other)),
    }
}

fn unasked(encoding: &str) -> String {
    format!("its encoding `{encoding}` was not asked for")
}

fn gunzip(body: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    match gunzip_into(body, limit, 0, &mut out)? {
        Some(len) => {
            out.truncate(len);
            Ok(out)
        }
        None => gunzip_pieces(body, limit),
    }
}

/// Inflates a whole body at once to the front of a buffer, which takes half the time of inflating
/// it piece by piece; none where that way does not suit the body. A buffer that is too small is
/// replaced by one of at least so much room.
fn gunzip_into(
    body: &[u8],
    limit: u64,
    room: usize,
    out: &mut Vec<u8>,
) -> Result<Option<usize>, String> {
    // The last four bytes hold the inflated size. What says more than deflate can reach, or is
    // made of several members, is left to the reader that trusts nothing.
    let size = body.last_chunk().copied().map_or(0, u32::from_le_bytes);
    if u64::from(size) > limit {
        return Err(too_large(limit));
    }
    if u64::from(size) > body.len() as u64 * 1100 {
        return Ok(None);
    }
    let size = size as usize;
    if out.len() < size {
        // Nothing of what it held is wanted, so nothing is copied.
        *out = Vec::new();
        *out = vec![0; size.max(room)];
    }
    let place = out.get_mut(..size).unwrap_or_default();
    let inflated = libdeflater::Decompressor::new().gzip_decompress(body, place);
    Ok((inflated == Ok(size)).then_some(size))
}

fn gunzip_pieces(body: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    MultiGzDecoder::new(body)
        .take(limit + 1)
        .read_to_end(&mut out)
        .map_err(|error| format!("its compressed body is broken ({error})"))?;
    if out.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(out)
}

fn too_large(limit: u64) -> String {
    format!("it inflates to more than {} MiB", limit >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bounds_and_damage() {
        let data = vec![7; 100_000];
        let body = gzip(&data);
        assert_eq!(*inflate(&body, "gzip", 1 << 20).unwrap(), data);
        assert!(
            inflate(&body, "gzip", 99_999)
                .unwrap_err()
                .contains("more than")
        );
        assert!(inflate(&body[..body.len() - 9], "gzip", 1 << 20).is_err());
        let two = [gzip(b"one"), gzip(&data)].concat();
        assert_eq!(inflate(&two, "gzip", 1 << 20).unwrap().len(), 100_003);
        assert!(inflate(&two, "gzip", 100_002).is_err());
        let mut lie = body.clone();
        lie.truncate(body.len() - 4);
        lie.extend_from_slice(&5_u32.to_le_bytes());
        assert!(inflate(&lie, "gzip", 1 << 20).is_err());
        assert!(inflate(b"plain", "gzip", 1 << 20).is_err());
        // The buffer holds more than the second body, and none of the first is seen in it.
        for text in [&data[..], b"short"] {
            let seen = inflated(&gzip(text), "gzip", 1 << 20, |bytes| Ok(bytes.to_vec()));
            assert_eq!(seen.unwrap(), text);
        }
        let inner = |bytes: &[u8]| Ok((bytes.len(), inflate(&body, "gzip", 1 << 20)?.len()));
        assert_eq!(
            inflated(&body, "gzip", 1 << 20, inner).unwrap(),
            (100_000, 100_000)
        );
        let seen = inflated(&two, "gzip", 1 << 20, |bytes| Ok(bytes.len()));
        assert_eq!(seen.unwrap(), 100_003);
        assert!(inflate(b"x", "br", 9).is_err());
        assert_eq!(*inflate(b"plain", "", 9).unwrap(), *b"plain");
    }
}
