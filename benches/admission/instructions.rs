//! What one request costs in instructions in user space, and where: the product under valgrind's callgrind, which counts the same
//! on every machine and whatever else runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::load::{ask, connect};
use crate::objects::Case;
use crate::server::Server;

/// The variable that asks for instructions instead of time.
pub const SWITCH: &str = "STEADYSET_BENCH_INSTRUCTIONS";

/// Requests that fill caches and pools before any is counted.
const WARM: usize = 20;

/// Requests that are counted.
const COUNTED: usize = 100;

/// Functions below this share of a request are not shown.
const SHOWN_PERCENT: u64 = 1;

/// Counts every case and prints our functions with what they and what they call cost. The profiles stay, for
/// `callgrind_annotate`.
pub async fn count(cases: &[Case]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("callgrind");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for profiles");
    let server = Server::counted(&folder);
    for (number, case) in (1..).zip(cases) {
        let mut sender = connect(&server).await;
        for asked in 1..=WARM + COUNTED {
            ask(&mut sender, case).await;
            if asked == WARM {
                control(&server, "--zero");
            }
        }
        control(&server, "--dump");
        let profile = folder.join(format!("profile.{number}"));
        let (name, path, bytes) = (&case.name, case.path, case.body.len());
        println!("{name} {path}: {bytes} bytes, {}", profile.display());
        print(&profile);
    }
}

fn control(server: &Server, order: &str) {
    let status = Command::new("callgrind_control")
        .args([order, &server.process().to_string()])
        .output();
    let output = status.expect("callgrind_control");
    assert!(output.status.success(), "{output:?}");
}

/// The lines of `callgrind_annotate` are `<instructions> (<percent>) <file>:<function> [<program>]`.
fn print(profile: &PathBuf) {
    let output = Command::new("callgrind_annotate")
        .args(["--inclusive=yes", "--threshold=100"])
        .arg(profile)
        .output()
        .expect("callgrind_annotate");
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().filter_map(row);
    let mut total = 0;
    for (instructions, function) in rows {
        if function.starts_with("PROGRAM TOTALS") {
            total = instructions;
            println!("  {:>9}  in all", total / COUNTED as u64);
        } else if instructions * 100 >= total * SHOWN_PERCENT && function.contains("steadyset::") {
            println!("  {:>9}  {function}", instructions / COUNTED as u64);
        }
    }
    println!();
}

fn row(line: &str) -> Option<(u64, &str)> {
    let (number, rest) = line.trim_start().split_once(' ')?;
    let instructions = number.replace(',', "").parse().ok()?;
    let function = rest.split_once(')').map_or(rest, |(_, rest)| rest);
    let function = function.trim_start().trim_start_matches("???:");
    let end = function.rfind(" [").unwrap_or(function.len());
    Some((instructions, &function[..end]))
}
