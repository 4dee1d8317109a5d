//! The command in a terminal: `script` makes one, of 80 columns and 24 lines.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::http::ServiceOptions;

use crate::program::{Program, answer};

/// How long a screen may take to show something.
const PATIENCE: Duration = Duration::from_mins(1);
const ENTER_SCREEN: &str = "\u{1b}[?1049h";
const LEAVE_SCREEN: &str = "\u{1b}[?1049l";

/// A shell in a terminal, which runs the command between two looks at the terminal's settings.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// All output so far.
    seen: String,
}

impl Terminal {
    fn start(address: &str) -> Self {
        let binary = env!("CARGO_BIN_EXE_mvx-metrics");
        // The inner shell becomes the command, so its number is that of the command.
        let command = format!(
            "stty rows 24 cols 80; echo before $(stty -g); \
             sh -c 'echo process $$; exec \"{binary}\" top {address}'; code=$?; echo; echo code $code; \
             echo after $(stty -g)"
        );
        let mut script = Command::new("script")
            .args(["--quiet", "--flush", "--command", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program `script` of util-linux");
        let (sender, output) = channel();
        let mut stdout = script.stdout.take().expect("it is piped");
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(length @ 1..) = stdout.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = script.stdin.take().expect("it is piped");
        Self { script, keys, output, seen: String::new() }
    }

    /// Waits until the terminal has got this text. A screen is drawn in words: blanks may be skipped.
    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.seen.contains(text) {
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(rest) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("no `{text}` ({error}): {:?}", self.seen),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal is open");
        self.keys.flush().expect("the terminal is open");
    }

    /// The word after another one, which stands at the begin of a line.
    fn word_after(&self, begin: &str) -> &str {
        let line = self.seen.lines().find_map(|line| line.strip_prefix(begin));
        line.unwrap_or_else(|| panic!("no line begins with {begin}: {:?}", self.seen)).trim()
    }

    /// Waits for the end. The terminal must be as it was before.
    fn check_end(mut self) -> String {
        self.wait_for("after ");
        let settings = self.word_after("before ").to_owned();
        self.wait_for(&format!("after {settings}"));
        self.script.wait().expect("it has ended");
        assert_eq!(self.word_after("code "), "0");
        let (_, after_screen) = self.seen.rsplit_once(LEAVE_SCREEN).expect("it has left the screen");
        assert!(self.seen.contains(ENTER_SCREEN) && !after_screen.contains(ENTER_SCREEN));
        // The cursor is visible again.
        assert!(self.seen.rfind("\u{1b}[?25h") > self.seen.rfind("\u{1b}[?25l"), "{:?}", self.seen);
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After a failure the command would run on, and hold the output of the tests open.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

#[test]
fn the_screen_shows_the_program_until_a_key_ends_it() {
    for end in ["q", "\u{3}", "\u{1b}"] {
        let program = Program::start(ServiceOptions::new().page(true));
        let recorder = program.recorder("session-1");
        answer(&recorder, "/cart");
        let mut terminal = Terminal::start(&program.address());
        for word in ["RUNNING", "session-1", "http.by_path", "http.latency"] {
            terminal.wait_for(word);
        }
        // The details of a breakdown have its labels.
        terminal.press("\tjjj");
        terminal.wait_for("/cart");
        terminal.press(end);
        terminal.check_end();
    }
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let program = Program::start(ServiceOptions::new().page(true));
    let mut terminal = Terminal::start(&program.address());
    terminal.wait_for("RUNNING");
    let process = terminal.word_after("process ").to_owned();
    let killed = Command::new("kill").args(["-TERM", &process]).status().expect("a signal is sent");
    assert!(killed.success());
    terminal.check_end();
}

#[test]
fn an_endpoint_that_comes_later_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let mut terminal = Terminal::start(&address.to_string());
    terminal.wait_for("refused");
    let program = Program::start_on(address.port(), ServiceOptions::new().page(true));
    let _recorder = program.recorder("session-1");
    terminal.wait_for("session-1");
    // It goes again.
    drop(program);
    terminal.wait_for("refused");
    terminal.press("q");
    terminal.check_end();
}

#[test]
fn no_name_sends_a_command_to_the_terminal() {
    let program = Program::start(ServiceOptions::new().page(true));
    let recorder = program.recorder("evil\u{1b}]0;title\u{7}\u{9b}2J");
    answer(&recorder, "\u{1b}[31mred\u{202e}");
    let mut terminal = Terminal::start(&program.address());
    terminal.wait_for("evil\\u{1b}]0;");
    terminal.press("\tjjj");
    terminal.wait_for("\\u{1b}[31mred\\u{202e}");
    terminal.press("q");
    let seen = terminal.check_end();
    for raw in ["\u{1b}]0;title", "\u{7}", "\u{9b}", "\u{202e}"] {
        assert!(!seen.contains(raw), "{raw:?}: {seen:?}");
    }
}
