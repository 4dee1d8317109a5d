//! Over files: the parent reads the state of each worker, and merges them.

use std::fs;
use std::path::Path;

use mvx_metrics::Totals;

use crate::Failure;
use crate::jobs::{Jobs, JobsSnapshot, NAMESPACE, Tally};
use crate::workers::Ended;

/// The totals that a worker has written, unless it was killed before its first push.
fn read(folder: &Path, worker: u64) -> Result<Option<Totals>, Failure> {
    let path = folder.join(format!("{worker}.json"));
    if !path.exists() {
        return Ok(None);
    }
    // A file that is torn, or of another version, is an error here, and no wrong number.
    Ok(Some(serde_json::from_str(&fs::read_to_string(path)?)?))
}

fn jobs(totals: &Totals) -> Result<JobsSnapshot, Failure> {
    totals.get::<Jobs>(NAMESPACE).ok_or_else(|| "the totals lack the metric of the jobs".into())
}

/// Merges what the workers wrote. Returns the tally of each worker, and that of all.
pub fn merge(folder: &Path, workers: &[Ended]) -> Result<(Vec<Tally>, Tally), Failure> {
    let mut merged: Option<Totals> = None;
    let mut tallies = Vec::new();
    for worker in workers {
        let Some(totals) = read(folder, worker.number)? else {
            tallies.push(Tally::default());
            continue;
        };
        tallies.push(Tally::from(&jobs(&totals)?));
        match &mut merged {
            Some(merged) => merged.merge(&totals)?,
            None => merged = Some(totals),
        }
    }
    let all = jobs(&merged.ok_or("no worker has written its state")?)?;
    // Workers share customers. A file has what it takes to count each of them once.
    println!("files: about {} different customers", all.customers.estimate());
    Ok((tallies, Tally::from(&all)))
}
