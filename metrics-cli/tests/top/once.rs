//! One look as text.

use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mvx_metrics::http::ServiceOptions;
use mvx_metrics::{DimensionDescriptor, DimensionKind, DimensionValue};
use mvx_metrics_tests::Handwritten;

use crate::program::{Program, answer};

fn top(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mvx-metrics"));
    command.arg("top").args(arguments).stdin(Stdio::null()).output().expect("it was built")
}

/// The text of one look.
fn once(arguments: &[&str]) -> String {
    let output = top(&[&["--once"], arguments].concat());
    let (text, errors) =
        (String::from_utf8(output.stdout).expect("UTF-8"), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && errors.is_empty(), "{errors}\n{text}");
    text
}

/// The exit code and the message of a command that fails.
fn failure(arguments: &[&str]) -> (Option<i32>, String) {
    let output = top(arguments);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

/// The words of the line that begins with these.
fn row<'a>(text: &'a str, begin: &[&str]) -> Vec<&'a str> {
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let found = rows.into_iter().find(|row: &Vec<&str>| row.starts_with(begin));
    found.unwrap_or_else(|| panic!("no line begins with {begin:?}:\n{text}"))
}

#[test]
fn one_look_has_the_numbers_of_the_program() {
    let program = Program::start(ServiceOptions::new().page(true));
    let (first, second) = (program.recorder("session-1"), program.recorder("session-2"));
    (0..30).for_each(|_| answer(&first, "/cart"));
    (0..12).for_each(|_| answer(&second, "/größe"));
    for recorder in [&first, &second] {
        recorder.flush().wait().expect("it runs");
    }
    let text = once(&[&program.address()]);
    assert_eq!(row(&text, &["endpoint"])[1], format!("http://{}", program.address()));
    assert_eq!(row(&text, &["runtime"]), ["runtime", "shop", "RUNNING"]);
    let namespace = ["shop", "2", "0", "0", "42", "0", "0", "0", "0", "0"];
    assert_eq!(row(&text, &["shop"]), namespace);
    let counts = ["RUNNING", "30", "0", "0", "0", "0"];
    let of_first = row(&text, &["session-1", "session-1", "shop"]);
    assert_eq!([&of_first[3..4], &of_first[6..]].concat(), counts);
    assert_eq!(row(&text, &["http.answers", "shop", "-"])[3..7], ["counter", "-", "42", "0"]);
    assert_eq!(row(&text, &["http.sent", "shop", "-"])[3..7], ["sum", "bytes", "4200", "0"]);
    assert_eq!(row(&text, &["http.by_path", "shop", "/cart"])[5], "30");
    assert_eq!(row(&text, &["http.by_path", "shop", "/größe"])[5], "12");
    let latency = row(&text, &["http.latency", "shop", "-"]);
    assert_eq!(latency[3..5], ["histogram", "seconds"]);
    // Exponential buckets have an error of a few percent.
    for number in [latency[5], latency[7], latency[8], latency[9]] {
        let seconds: f64 = number.parse().expect("a number");
        assert!((0.0095..0.0105).contains(&seconds), "{latency:?}");
    }
}

#[test]
fn one_look_has_rates() {
    let program = Program::start(ServiceOptions::new().page(true));
    let recorder = program.recorder("session-1");
    let ended = AtomicBool::new(false);
    let text = thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                answer(&recorder, "/");
                thread::yield_now();
            }
        });
        let text = once(&[&program.address()]);
        ended.store(true, Ordering::Relaxed);
        text
    });
    for (begin, column) in
        [(["http.answers", "shop"], 6), (["session-1", "session-1"], 5), (["shop", "1"], 3)]
    {
        let row = row(&text, &begin);
        assert!(row[column].parse::<f64>().is_ok_and(|rate| rate > 0.0), "{row:?}");
    }
}

#[test]
fn one_look_can_be_narrowed_and_sorted() {
    let program = Program::start(ServiceOptions::new().page(true));
    let recorders = ["a-1", "a-2", "b-1"].map(|id| program.recorder(id));
    let text = once(&[&program.address(), "--search", "a-", "--sort", "id"]);
    assert!(text.contains("\nrecorders 2 of 2\n"), "{text}");
    let (first, second) = (text.find("\na-1"), text.find("\na-2"));
    assert!(first.is_some() && first < second && !text.contains("\nb-1"), "{text}");
    let text = once(&[&program.address(), "--namespace", "shop"]);
    assert!(text.contains("\nrecorders 3 of 3\n"), "{text}");
    let (code, message) = failure(&["--once", &program.address(), "--namespace", "shob"]);
    assert_eq!(code, Some(2));
    let problem = "no namespace `shob`; the program has shop";
    assert_eq!(message, format!("mvx-metrics: http://{}: {problem}\n", program.address()));
    drop(recorders);
}

#[test]
fn a_program_that_has_ended_is_shown_as_it_was() {
    let program = Program::start(ServiceOptions::new().page(true));
    let recorder = program.recorder("session-1");
    answer(&recorder, "/");
    program.runtime.shutdown().expect("it stops");
    let text = once(&[&program.address()]);
    assert_eq!(row(&text, &["runtime"]), ["runtime", "shop", "CLOSED"]);
    assert_eq!(row(&text, &["http.answers", "shop"])[5], "1");
}

#[test]
fn many_metrics_are_all_in_one_look() {
    let program = Program::start(ServiceOptions::new().page(true));
    let recorder = program.recorder("session-1");
    for number in 0..60 {
        let counter = DimensionDescriptor::new("total", DimensionKind::Counter);
        let value = DimensionValue::Unsigned(number);
        let metric = Handwritten::new(format!("metric_{number:02}"), vec![(counter, value)]);
        recorder.register_metric(metric).expect("it runs");
    }
    let text = once(&[&program.address()]);
    for number in 0..60 {
        assert_eq!(row(&text, &[&format!("metric_{number:02}.total")])[5], number.to_string());
    }
}

#[test]
fn hostile_names_reach_the_terminal_escaped() {
    let program = Program::start(ServiceOptions::new().page(true));
    let recorder = program.recorder("session\u{1b}[2J\u{9b}31m");
    let long = "x".repeat(10_000);
    for path in ["\u{1b}]0;title\u{7}", "\u{202e}gpj.exe", "a\nb", &long] {
        answer(&recorder, path);
    }
    recorder.flush().wait().expect("it runs");
    let text = once(&[&program.address()]);
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    for escaped in ["session\\u{1b}[2J\\u{9b}31m", "\\u{1b}]0;title\\u{7}", "\\u{202e}gpj.exe", "a\\nb"] {
        assert!(text.contains(escaped), "{escaped}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() < 1_000), "{text}");
}

#[test]
fn an_endpoint_without_a_page_says_how_to_get_one() {
    let program = Program::start(ServiceOptions::new());
    let address = program.address();
    let message = format!(
        "mvx-metrics: http://{address}: no page here: the program needs the feature `page` and `ServiceOptions::page(true)`, the URL no path such as `/metrics`\n"
    );
    assert_eq!(failure(&["--once", &address]), (Some(2), message));
}

#[test]
fn an_endpoint_that_is_not_there_is_an_error_of_a_single_look() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let (code, message) = failure(&["--once", &address]);
    assert_eq!(code, Some(2));
    assert!(message.starts_with(&format!("mvx-metrics: http://{address}: cannot connect: ")), "{message}");
}

#[test]
fn a_wrong_address_is_an_error() {
    let (code, message) = failure(&["https://127.0.0.1:1"]);
    assert_eq!(code, Some(2));
    assert!(message.starts_with("mvx-metrics: invalid URL `https://127.0.0.1:1`: "), "{message}");
}

#[test]
fn without_a_terminal_the_error_names_the_option() {
    let expected = "mvx-metrics: the output is not a terminal: `--once` writes text\n";
    assert_eq!(failure(&["127.0.0.1:1"]), (Some(2), expected.to_owned()));
}
