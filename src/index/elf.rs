//! What a shared object links: `DT_NEEDED` of its dynamic section, found as the loader finds it, by
//! program headers (System V gABI, chapter 5).

use object::elf::{DT_NEEDED, DT_STRSZ, DT_STRTAB, FileHeader32, FileHeader64, PT_LOAD};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, StringTable};

/// More than any object links.
const MAX_NEEDED: usize = 500;
/// The longest name that a file can have.
const MAX_NAME: usize = 255;

/// The libraries that an object asks the loader for, in its order: `libxml2.so.2`. None where the bytes
/// are no ELF object with a dynamic section that can be read.
pub fn needed(bytes: &[u8]) -> Option<Vec<String>> {
    match bytes.get(..5)? {
        b"\x7fELF\x01" => of::<FileHeader32<Endianness>>(bytes),
        b"\x7fELF\x02" => of::<FileHeader64<Endianness>>(bytes),
        _ => None,
    }
}

fn of<E: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<Vec<String>> {
    let header = E::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let dynamic = segments
        .iter()
        .find_map(|segment| segment.dynamic(endian, bytes).ok()?)?;
    let (mut names, mut table, mut size) = (Vec::new(), None, None);
    for entry in dynamic {
        let value: u64 = entry.d_val(endian).into();
        match entry.tag(endian) {
            0 => break,
            tag if tag == DT_NEEDED && names.len() < MAX_NEEDED => names.push(value),
            tag if tag == DT_STRTAB => table = Some(value),
            tag if tag == DT_STRSZ => size = Some(value),
            _ => {}
        }
    }
    if names.is_empty() {
        return Some(Vec::new());
    }
    // The table is named by its address in memory.
    let (address, size) = (table?, size?);
    let start = segments.iter().find_map(|segment| {
        let (from, within) = (segment.p_vaddr(endian).into(), segment.p_filesz(endian));
        let offset = address.checked_sub(from)?;
        let is_there = segment.p_type(endian) == PT_LOAD && offset < within.into();
        let start: u64 = segment.p_offset(endian).into();
        start.checked_add(offset).filter(|_| is_there)
    })?;
    let strings = StringTable::new(bytes, start, start.checked_add(size)?);
    let text = |offset: u64| {
        let name = strings.get(u32::try_from(offset).ok()?).ok()?;
        let name = std::str::from_utf8(name).ok()?;
        (name.len() <= MAX_NAME).then(|| name.to_owned())
    };
    names.into_iter().map(text).collect()
}

#[cfg(test)]
#[path = "../../tests/it/support/elf.rs"]
pub(super) mod build;

#[cfg(test)]
mod tests {
    use super::build::object;
    use super::*;

    #[test]
    fn what_is_linked_is_read() {
        let libraries = ["libz.so.1", "libc.so.6"];
        assert_eq!(needed(&object(&libraries)).unwrap(), libraries);
        assert_eq!(needed(&object(&[])), Some(Vec::new()));
        assert_eq!(needed(b"#!/bin/sh\n"), None);
        assert_eq!(needed(b""), None);
    }

    #[test]
    fn the_linkers_own_objects_are_read() {
        // The program that runs this is an object of the platform's linker.
        let own = std::env::current_exe().unwrap();
        let own = std::fs::read(own).unwrap();
        if own.starts_with(b"\x7fELF") {
            let needed = needed(&own).unwrap();
            assert!(
                needed.iter().any(|name| name.starts_with("libc.so")),
                "{needed:?}"
            );
        }
    }

    #[test]
    fn every_broken_object_is_refused_or_read() {
        let whole = object(&["libz.so.1", "libc.so.6"]);
        for end in 0..whole.len() {
            let _ = needed(&whole[..end]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                let names = needed(&broken).unwrap_or_default();
                assert!(names.iter().all(|name| name.len() <= MAX_NAME));
            }
        }
    }
}
