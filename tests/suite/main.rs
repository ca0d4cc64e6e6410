//! The program from the outside: the real binary in a workspace of its own, with a clean environment and a hard end.
//!
//! What it verifies is a stand-in service ([`standin`]) that writes all its telemetry by hand, against a course of its own
//! ([`tiny`]): nothing here rests on an SDK, on week 2 or on the reference. Only [`main_job`] builds and proves that one.
//! [`standing`] alone calls the library: what it shows has no command of its own.
//!
//! `SNAPSHOTS=overwrite cargo test --test suite` writes the snapshots anew.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "processes are waited for, and the stand-in is one that ends itself")]

mod apply;
mod attached;
mod author;
mod broken_course;
mod broken_service;
mod command_line;
mod diagnoses;
mod doctor;
mod guide_plain;
mod guide_screen;
mod init;
mod interruption;
mod kinds;
mod main_job;
mod mini;
mod progress;
mod prove;
mod recording;
mod reports;
mod sandbox_process;
mod selection;
mod show;
mod solution;
mod standin;
mod standing;
mod support;
mod tiny;
mod unreachable;
