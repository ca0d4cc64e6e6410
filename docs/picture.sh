#!/usr/bin/env bash
# Makes the README's picture from the real program: docs/verify.svg.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release --example picture
CLICOLOR_FORCE=1 LC_ALL=C.UTF-8 cargo run --quiet --release -- verify week2 --solution --quiet --format pretty \
  | target/release/examples/picture > docs/verify.svg
