//! What keeps a course true: mistakes that must be named, and the proof that every step is worth its points.

pub mod mistake;
pub mod prove;
