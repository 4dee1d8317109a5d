//! The metrics of many processes, added up: eight workers that start, stop and are killed at random.
//!
//! Run with `cargo run --example many_processes`, or with `-- SEED` for another course of events. The program starts itself as the
//! worker processes. Between their pushes the parent stops some and kills others. The merged totals have to equal what the workers had
//! accepted at their last push, and the program says how many jobs were lost by kills.
//!
//! * Over files: each worker writes its totals as JSON, and the parent merges them with `Totals::merge`.
//! * Over a collector: each worker pushes deltas as OTLP to a small sink in the parent, which adds up what arrives.

mod collector;
mod files;
mod jobs;
mod worker;
mod workers;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process;

use crate::collector::Collector;
use crate::jobs::Tally;
use crate::worker::Target;
use crate::workers::{End, Ended};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let seed = match arguments[..] {
        ["worker", kind, place, number] => return worker::run([kind, place], number),
        [seed] => seed.parse()?,
        [] => 1,
        _ => return Err("usage: many_processes [SEED]".into()),
    };

    let folder = Folder::create()?;
    let workers = workers::run(&Target::Files(folder.0.clone()), seed)?;
    let (tallies, all) = files::merge(&folder.0, &workers)?;
    check("files", &workers, &tallies, &all)?;

    let collector = Collector::start()?;
    let workers = workers::run(&Target::Collector(collector.address()), seed)?;
    let arrived = collector.finish()?;
    let tallies: Vec<Tally> =
        workers.iter().map(|worker| arrived.get(&worker.number).cloned().unwrap_or_default()).collect();
    let mut all = Tally::default();
    for tally in arrived.values() {
        all += tally;
    }
    check("collector", &workers, &tallies, &all)?;
    println!("check passed: the totals are what the workers had accepted when they pushed");
    Ok(())
}

/// A folder of this run, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("many_processes-{}", process::id()));
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The check has its result by then, and the system removes what is left of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Compares what arrived of each worker, and of all together, with what the workers said.
fn check(way: &str, workers: &[Ended], tallies: &[Tally], all: &Tally) -> Result<(), Failure> {
    let mut sum = Tally::default();
    let (mut accepted, mut lost) = (0, 0);
    for (worker, tally) in workers.iter().zip(tallies) {
        let arrived = worker.arrived(tally)?;
        if worker.end == End::Stopped && arrived != worker.accepted {
            return Err(format!("check failed: {worker:?} stopped, and {arrived} of its jobs arrived").into());
        }
        sum += tally;
        accepted += worker.accepted;
        lost += worker.accepted - arrived;
    }
    if sum != *all || accepted - lost != all.jobs() {
        return Err(format!("check failed: the totals are {all:?}, those of the workers {sum:?}").into());
    }
    let ended = |end| workers.iter().filter(|worker| worker.end == end).count();
    let in_push = ended(End::KilledInPush);
    println!(
        "{way}: {} workers, {} stopped, {} killed",
        workers.len(),
        ended(End::Stopped),
        ended(End::Killed) + in_push
    );
    println!("{way}: {in_push} of the killed ones had been told to push");
    println!("{way}: {accepted} jobs accepted, {} arrived, {lost} lost by kills", all.jobs());
    Ok(())
}
