//! Clients that mean harm, all at once, while events go on.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::export::Scope;
use mvx_metrics::{MetricsRecorder, MetricsRuntime};

use crate::client::{ask, connect, get, read_answer};
use crate::load::{Worked, endpoint, memory, recorder, running};

#[test]
fn oversized_headers_are_refused() {
    let runtime = running("headers");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let long = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    let path = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "m".repeat(100_000));
    for request in [long, many, path] {
        let answer = ask(&mut connect(endpoint.address()), &request);
        // The answer may be lost when the endpoint closes while the client still writes.
        let refused = answer.is_none_or(|answer| answer.status == 431);
        assert!(refused, "{}", &request[..40]);
    }
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
}

#[test]
fn nonsense_is_refused() {
    let runtime = running("nonsense");
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let nonsense =
        ["\0\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n", "\r\n\r\n\r\nhello\r\n\r\n"];
    for request in nonsense {
        let answer = ask(&mut connect(endpoint.address()), request);
        assert!(answer.is_none_or(|answer| answer.status >= 400), "{request:?}");
    }
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
}

#[test]
fn a_thousand_idle_connections_lock_nobody_out() {
    let runtime = running("idle");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let idle: Vec<_> = (0..1_000).map(|_| connect(endpoint.address())).collect();
    let answer = get(endpoint.address(), "/metrics");
    assert_eq!(answer.value("work_bytes_total{namespace=\"idle\"}").to_string(), "7");
    drop(idle);
}

/// Says that it is over when it is dropped.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn clients_that_ask_again_and_again_lock_nobody_out() {
    const BUSY: usize = 64;
    let runtime = running("busy");
    recorder(&runtime, "one").emit(Worked { bytes: 7 });
    let endpoint = endpoint(&runtime, Scope::Rollup);
    let (address, over) = (endpoint.address(), AtomicBool::new(false));
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..BUSY {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let mut stream = connect(address);
                    while !over.load(Ordering::Relaxed)
                        && ask(&mut stream, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").is_some()
                    {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        while answered.load(Ordering::Relaxed) < 10 * BUSY {
            thread::yield_now();
        }
        let _ends = Ends(&over);
        let began = Instant::now();
        for _ in 0..5 {
            let request = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
            // One that is slow to ask, on a machine with much to do, may have to make room itself.
            let answer = (0..10).find_map(|_| ask(&mut connect(address), request));
            let answer = answer.expect("nobody is locked out");
            assert_eq!(answer.value("work_bytes_total{namespace=\"busy\"}").to_string(), "7");
        }
        let elapsed = began.elapsed();
        println!("5 scrapes beside {BUSY} busy clients took {elapsed:?}");
        assert!(elapsed < Duration::from_secs(10), "they were almost locked out: {elapsed:?}");
    });
}

#[test]
fn a_client_that_takes_nothing_is_given_up() {
    let runtime = running("take");
    for number in 0..2_000 {
        recorder(&runtime, &format!("{number}-{}", "x".repeat(200)));
    }
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    let mut stream = connect(endpoint.address());
    // More answers than the system keeps for a client.
    let requests = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(8);
    stream.write_all(requests.as_bytes()).expect("the endpoint reads");
    let started = Instant::now();
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
    thread::sleep(Duration::from_secs(13));
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest);
    let whole = rest.windows(15).filter(|window| window == b"HTTP/1.1 200 OK").count();
    assert!(whole < 8, "{whole} answers, {ended:?}, after {:?}", started.elapsed());
    assert_eq!(get(endpoint.address(), "/healthz").status, 200);
}

/// What became of a steady stream of events.
#[derive(Clone, Copy)]
struct Stream {
    /// How many of them were processed in a second.
    events_per_second: f64,
    /// How much of a processor the loop took for each of them, which says what holds it up although it keeps pace.
    nanoseconds_per_event: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a measurement")]
fn measure(runtime: &MetricsRuntime, recorder: &MetricsRecorder, lasts: Duration) -> Stream {
    assert_eq!(runtime.list_recorder_ids().expect("it runs").last().map(String::as_str), Some("busy"));
    let (begun, processed, worked) = (Instant::now(), recorder.stats().processed, time_of_loop());
    while begun.elapsed() < lasts {
        for _ in 0..1_000 {
            recorder.emit(Worked { bytes: 1 });
        }
        thread::sleep(Duration::from_micros(200));
    }
    recorder.flush().wait().expect("it goes on");
    let processed = (recorder.stats().processed - processed) as f64;
    Stream {
        events_per_second: processed / begun.elapsed().as_secs_f64(),
        nanoseconds_per_event: (time_of_loop() - worked) as f64 / processed,
    }
}

/// For how long the metrics loop has had a processor, in nanoseconds.
fn time_of_loop() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("a process has threads");
    let tasks = tasks.map(|task| task.expect("it can be read").path());
    let is_loop = |task: &PathBuf| {
        // The system keeps 15 characters of a name.
        fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "siege.metrics_r")
    };
    let task = tasks.into_iter().find(is_loop).expect("the loop has a thread");
    let times = fs::read_to_string(task.join("schedstat")).expect("the system keeps times");
    times.split_whitespace().next().and_then(|time| time.parse().ok()).expect("a number of nanoseconds")
}

/// One hostile client after the other, again and again; how many requests or connections it made.
fn attack(kind: usize, address: SocketAddr, over: &AtomicBool) -> u64 {
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        match kind {
            0 => {
                // Slowloris: headers that never end.
                let mut slow: Vec<_> = (0..100).map(|_| connect(address)).collect();
                for _ in 0..20 {
                    for stream in &mut slow {
                        // The endpoint may have ended it.
                        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nx: y\r\n");
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            }
            1 => {
                let headers = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(50_000));
                ask(&mut connect(address), &headers);
            }
            2 => {
                let mut stream = connect(address);
                for request in ["GET /nothing", "POST /metrics", "BREW /snapshot"] {
                    ask(&mut stream, &format!("{request} HTTP/1.1\r\nhost: x\r\n\r\n"));
                }
            }
            3 => {
                let mut stream = connect(address);
                let _ = stream.write_all("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100).as_bytes());
                for _ in 0..100 {
                    if over.load(Ordering::Relaxed) || read_answer(&mut stream, false).is_none() {
                        break;
                    }
                }
            }
            _ => {
                // A scrape that is abandoned half way.
                let mut stream = connect(address);
                let _ = stream.write_all(b"GET /snapshot HTTP/1.1\r\nhost: x\r\n\r\n");
                let _ = stream.read(&mut [0; 100]);
            }
        }
        done += 1;
        thread::sleep(Duration::from_millis(5));
    }
    done
}

const LASTS: Duration = Duration::from_millis(500);
const ROUNDS: usize = 11;
/// By how much the memory may grow, in bytes.
const ROOM: u64 = 64 << 20;

#[test]
fn the_metrics_loop_and_the_memory_bear_all_of_it_at_once() {
    let runtime = running("siege");
    for number in 0..1_000 {
        recorder(&runtime, &format!("bystander-{number}")).emit(Worked { bytes: 1 });
    }
    let busy = recorder(&runtime, "busy");
    let endpoint = endpoint(&runtime, Scope::PerEntity);
    let address = endpoint.address();
    // Once for the memory that stays, then in earnest.
    measure(&runtime, &busy, LASTS);
    get(address, "/metrics");
    get(address, "/snapshot");
    let idle: Vec<_> = (0..1_000).map(|_| connect(address)).collect();
    let (before, mut most) = (memory(), 0);
    // Other programs come and go: each round is compared with the ones right before and after it.
    let mut alone = measure(&runtime, &busy, LASTS);
    let (mut attacks, mut scrapes) = (0, 0);
    let (mut shares, mut costs): (Vec<f64>, Vec<f64>) = (0..ROUNDS)
        .map(|_| {
            let besieged = besiege(&runtime, &busy, address);
            most = memory().max(most);
            let before = std::mem::replace(&mut alone, measure(&runtime, &busy, LASTS));
            let (stream, compared) = (besieged.stream, |of: fn(Stream) -> f64| {
                of(besieged.stream) / f64::midpoint(of(before), of(alone))
            });
            let share = compared(|stream| stream.events_per_second);
            let cost = compared(|stream| stream.nanoseconds_per_event);
            println!(
                "alone {:.0} and {:.0} events/s, besieged {:.0} events/s: {share:.3}; {:.0} ns of the loop each: {cost:.3}",
                before.events_per_second,
                alone.events_per_second,
                stream.events_per_second,
                stream.nanoseconds_per_event,
            );
            attacks += besieged.attacks;
            scrapes += besieged.scrapes;
            (share, cost)
        })
        .unzip();
    shares.sort_by(f64::total_cmp);
    costs.sort_by(f64::total_cmp);
    let (median, cost, grown) = (shares[ROUNDS / 2], costs[ROUNDS / 2], most.saturating_sub(before));
    println!("medians {median:.3} and {cost:.3}; {attacks} attacks, {scrapes} scrapes served");
    println!("memory grew by {} KiB at most", grown / 1024);
    drop(idle);
    assert!(scrapes >= ROUNDS as u64, "others were hardly served");
    assert!(median >= 0.9, "the metrics loop was slowed down to {median:.3}");
    assert!(cost <= 1.5, "each event takes {cost:.3} times as long");
    assert!(grown < ROOM, "memory grew by {grown} bytes");
    let stats = busy.stats();
    assert_eq!((stats.rejected, stats.discarded, stats.accepted), (0, 0, stats.processed));
}

struct Besieged {
    stream: Stream,
    attacks: u64,
    scrapes: u64,
}

/// Measures while all attacks go on and somebody scrapes.
fn besiege(runtime: &MetricsRuntime, busy: &MetricsRecorder, address: SocketAddr) -> Besieged {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        let attackers: Vec<_> = (0..5).map(|kind| scope.spawn(move || attack(kind, address, over))).collect();
        let scraper = scope.spawn(move || {
            let mut scrapes = 0;
            while !over.load(Ordering::Relaxed) {
                assert_eq!(get(address, "/metrics").status, 200, "others are still served");
                scrapes += 1;
                thread::sleep(Duration::from_millis(200));
            }
            scrapes
        });
        let stream = measure(runtime, busy, LASTS);
        over.store(true, Ordering::Relaxed);
        let attacks = attackers.into_iter().map(|attacker| attacker.join().expect("attackers only attack"));
        let attacks = attacks.sum();
        Besieged { stream, attacks, scrapes: scraper.join().expect("every scrape is answered") }
    })
}
