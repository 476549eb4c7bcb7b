//! Shared objects for tests: real ELF, as small as it gets.

/// The smallest shared object that links these libraries: one segment of everything, a dynamic
/// section, its strings.
pub fn object(needed: &[&str]) -> Vec<u8> {
    let (header, segment) = (64, 56);
    let dynamic_at: u64 = header + 2 * segment;
    let mut strings = vec![0];
    let mut entries: Vec<[u64; 2]> = Vec::new();
    for name in needed {
        entries.push([1, strings.len() as u64]);
        strings.extend_from_slice(name.as_bytes());
        strings.push(0);
    }
    let base = 0x1_0000;
    let dynamic_len = 16 * (entries.len() as u64 + 3);
    let strings_at = dynamic_at + dynamic_len;
    entries.push([5, base + strings_at]);
    entries.push([10, strings.len() as u64]);
    entries.push([0, 0]);
    let len = strings_at + strings.len() as u64;
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    out.extend_from_slice(&3_u16.to_le_bytes());
    out.extend_from_slice(&62_u16.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    for word in [0, header, 0] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 64, 0, 0] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    for (kind, at, size) in [(1_u32, 0, len), (2, dynamic_at, dynamic_len)] {
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&4_u32.to_le_bytes());
        for word in [at, base + at, base + at, size, size, 8] {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
    for [tag, value] in entries {
        out.extend_from_slice(&tag.to_le_bytes());
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(&strings);
    out
}
