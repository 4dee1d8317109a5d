//! A recorder for each connection. When a connection ends, its last snapshot goes into an SQLite database, where it can be
//! queried for ever.
//!
//! Run with `cargo run --example finished_entities`, or with `-- FILE` to keep the database. Four threads serve 500 connections. A hook
//! of the runtime sees each recorder stop and passes its final state to the thread that writes. At the end the program compares
//! the sums of the database, and the snapshots that it reads back, with the totals of the runtime.

use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mvx_metrics::{
    Counter, HookError, Max, Merge, Metric, MetricsRuntime, RecorderContext, RecorderHooks, Scope, Sum,
    metric_event,
};
use rusqlite::Connection;

const NAMESPACE: &str = "example.chat";
const THREADS: u64 = 4;
const CONNECTIONS_PER_THREAD: u64 = 125;

/// A message of a client was answered.
#[metric_event(name = "connection.message")]
struct MessageAnswered {
    bytes: u64,
    elapsed: Duration,
}

/// The traffic of one connection.
#[derive(Metric, Default)]
#[metric(name = "connection.traffic", on(MessageAnswered))]
struct Traffic {
    messages: Counter,
    #[dimension(value = bytes, unit = bytes)]
    received: Sum<u64>,
    #[dimension(value = elapsed)]
    slowest: Max<Duration>,
}

/// The final state of a connection.
struct Finished {
    connection: String,
    ended_at: SystemTime,
    traffic: TrafficSnapshot,
}

/// Passes the final state of each recorder on. `None` ends the thread that writes.
struct KeepFinished {
    finished: Sender<Option<Finished>>,
}

impl RecorderHooks for KeepFinished {
    async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        if let Some(traffic) = recorder.metric_snapshot::<Traffic>()? {
            let connection = recorder.entity_id().to_owned();
            // The hook runs on the runtime's thread, so it does not write to the disk itself. This send does not wait.
            self.finished.send(Some(Finished { connection, ended_at: SystemTime::now(), traffic }))?;
        }
        Ok(())
    }
}

/// Creates the table unless there is one. Returns its last row, which an earlier run wrote.
fn prepare(database: &Connection) -> rusqlite::Result<i64> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS finished (
             connection TEXT NOT NULL,
             ended_at REAL NOT NULL,
             messages INTEGER NOT NULL,
             received_bytes INTEGER NOT NULL,
             slowest_seconds REAL,
             snapshot TEXT NOT NULL
         )",
    )?;
    database.query_row("SELECT coalesce(max(rowid), 0) FROM finished", (), |row| row.get(0))
}

/// Writes what comes until it is told to end, many rows in each transaction.
fn write(
    mut database: Connection,
    finished: &Receiver<Option<Finished>>,
) -> Result<Connection, Box<dyn Error + Send + Sync>> {
    let mut has_ended = false;
    while !has_ended && let Ok(Some(first)) = finished.recv() {
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare("INSERT INTO finished VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            let mut next = Some(first);
            while let Some(Finished { connection, ended_at, traffic }) = next {
                insert.execute((
                    connection,
                    ended_at.duration_since(UNIX_EPOCH)?.as_secs_f64(),
                    // SQLite has signed integers.
                    i64::try_from(traffic.messages)?,
                    i64::try_from(traffic.received)?,
                    traffic.slowest.known().map(|slowest| slowest.as_secs_f64()),
                    // The whole snapshot, for questions that come later.
                    serde_json::to_string(&traffic)?,
                ))?;
                next = match finished.try_recv() {
                    Ok(more) => {
                        has_ended = more.is_none();
                        more
                    }
                    Err(_) => None,
                };
            }
        }
        transaction.commit()?;
    }
    Ok(database)
}

/// Serves one connection: its recorder begins and ends with it.
fn serve(runtime: &MetricsRuntime, number: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
    let id = format!("connection-{number:03}");
    let recorder = runtime.create_recorder(&id)?;
    recorder.metric::<Traffic>()?;
    for message in 0..number % 50 {
        recorder
            .emit(MessageAnswered { bytes: 100 + message, elapsed: Duration::from_micros(number + message) });
    }
    runtime.stop_and_remove_recorder(&id)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let database = match std::env::args().nth(1) {
        Some(file) => Connection::open(file)?,
        None => Connection::open_in_memory()?,
    };
    let last_row = prepare(&database)?;
    let (sender, finished) = channel();
    let writer = thread::spawn(move || write(database, &finished));

    let runtime =
        MetricsRuntime::builder(NAMESPACE).hooks(KeepFinished { finished: sender.clone() }).build()?;
    runtime.start()?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let runtime = &runtime;
                let mut numbers = (0..CONNECTIONS_PER_THREAD).map(move |number| number * THREADS + thread);
                scope.spawn(move || numbers.try_for_each(|number| serve(runtime, number)))
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    runtime.shutdown()?;
    let totals = runtime.totals(Scope::Rollup)?;
    let all = totals.get::<Traffic>(NAMESPACE).ok_or("no recorder has this metric")?;

    // Every hook has run. Handles of recorders may live on and keep the hook, so the channel may stay open.
    sender.send(None)?;
    let database = writer.join().map_err(|_| "the writer panicked")??;
    compare(&database, last_row, &all)
}

/// Compares the rows after `last_row`, those of this run, with what the runtime counted.
fn compare(
    database: &Connection,
    last_row: i64,
    all: &TrafficSnapshot,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let sums = "SELECT count(*), sum(messages), sum(received_bytes), max(slowest_seconds) FROM finished
         WHERE rowid > ?1";
    let (rows, messages, bytes, slowest) = database.query_row(sums, [last_row], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, f64>(3)?))
    })?;
    println!("{rows} connections, {messages} messages, {bytes} bytes, the slowest answer {slowest} s");

    let busiest = "SELECT connection, messages FROM finished ORDER BY messages DESC, connection LIMIT 3";
    for row in database.prepare(busiest)?.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (connection, messages): (String, i64) = row?;
        println!("{connection}: {messages} messages");
    }

    // The snapshots themselves come back with their types, and merge to the totals.
    let mut snapshots = database.prepare("SELECT snapshot FROM finished WHERE rowid > ?1")?;
    let mut merged: Option<TrafficSnapshot> = None;
    for text in snapshots.query_map([last_row], |row| row.get::<_, String>(0))? {
        let traffic: TrafficSnapshot = serde_json::from_str(&text?)?;
        match &mut merged {
            Some(merged) => merged.merge(&traffic),
            None => merged = Some(traffic),
        }
    }
    if merged.as_ref() != Some(all) {
        return Err(format!("the database has {merged:?}, the runtime counted {all:?}").into());
    }
    println!("check passed: the database and the totals agree");
    Ok(())
}
