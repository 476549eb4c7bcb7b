//! Documents to disk, all or nothing.
