//! The redrover binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    redrover::cli::main()
}
