//! The loop between resolving and planning: entries need sources, sources have build requirements.
