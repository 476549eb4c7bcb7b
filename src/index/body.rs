//! Bodies of answers: inflated, within bounds.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

/// Undoes a body's `Content-Encoding`.
///
/// # Errors
/// When the body is broken, inflates to more than `limit` bytes, or has an unknown encoding.
pub fn inflate(body: &[u8], encoding: &str, limit: u64) -> Result<Vec<u8>, String> {
    match encoding.trim() {
        "" | "identity" => Ok(body.to_vec()),
        "gzip" | "x-gzip" => gunzip(body, limit),
        other => Err(format!("its encoding `{other}` was not asked for")),
    }
}

fn gunzip(body: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    // The last four bytes hold the inflated size; a lie only costs memory within the limit, or time.
    let tail = body.last_chunk().copied().map_or(0, u32::from_le_bytes);
    let likely = u64::from(tail).min(limit).min(body.len() as u64 * 40);
    let mut out = Vec::with_capacity(likely as usize + 1);
    MultiGzDecoder::new(body)
        .take(limit + 1)
        .read_to_end(&mut out)
        .map_err(|error| format!("its compressed body is broken ({error})"))?;
    if out.len() as u64 > limit {
        return Err(format!("it inflates to more than {} MiB", limit >> 20));
    }
    Ok(out)
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
        assert_eq!(inflate(&body, "gzip", 1 << 20).unwrap(), data);
        assert!(
            inflate(&body, "gzip", 99_999)
                .unwrap_err()
                .contains("more than")
        );
        assert!(inflate(&body[..body.len() - 9], "gzip", 1 << 20).is_err());
        assert!(inflate(b"plain", "gzip", 1 << 20).is_err());
        assert!(inflate(b"x", "br", 9).is_err());
        assert_eq!(inflate(b"plain", "", 9).unwrap(), b"plain");
    }
}
