//! Instructions per value, which do not depend on noise: this program starts itself below callgrind.

use std::env;
use std::process::Command;

use crate::PARTICIPANTS;
use crate::samples;

/// A run below callgrind, from an argument such as `--instructions=mvx-metrics, Duration:2`.
pub struct Run {
    name: String,
    times: usize,
}

/// The run that the arguments ask for, if there is one.
pub fn from_arguments(arguments: &[String]) -> Option<Run> {
    let run = arguments.iter().find_map(|argument| argument.strip_prefix("--instructions="))?;
    let (name, times) = run.rsplit_once(':').expect("how often stands behind a colon");
    Some(Run { name: name.to_owned(), times: times.parse().expect("a number") })
}

impl Run {
    pub fn execute(self) {
        let participant = PARTICIPANTS.iter().find(|participant| participant.name() == self.name);
        let participant = participant.expect("a participant of that name");
        participant.record_for_callgrind(&samples::log_normal().values, self.times);
    }
}

/// Prints the instructions per value for a sketch that has seen all values before.
pub fn print() {
    let title = samples::log_normal().title;
    println!("\ninstructions\n  per value when all values are recorded once more, {title}");
    for participant in PARTICIPANTS {
        let [once, twice] = [1, 2].map(|times| count(participant.name(), times));
        match once.zip(twice) {
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            Some((once, twice)) => {
                println!(
                    "    {:<38}{:>10.1}",
                    participant.name(),
                    (twice - once) as f64 / samples::VALUES as f64
                );
            }
            None => return println!("    not available without valgrind"),
        }
    }
}

/// The instructions of recording all values that many times; `None` without valgrind.
fn count(name: &str, times: usize) -> Option<u64> {
    let program = env::current_exe().ok()?;
    let callgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counted_record*"])
        .arg(program)
        .args(["--bench", &format!("--instructions={name}:{times}")])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&callgrind.stderr);
    let (_, collected) = text.split_once("Collected :")?;
    collected.split_whitespace().next()?.parse().ok()
}
