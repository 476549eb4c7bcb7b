//! Pins and attributes to decisions: reuse, another attribute, override, or a new entry. Pure.
