//! The loop in a terminal: keys and answers change the state, and the screen shows it.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use super::client::Client;
use super::draw::{Theme, draw};
use super::query::Query;
use super::state::{Effect, State};
use super::watcher::{Report, Watcher};

/// The screen shows how old the data are, also when nothing happens.
const MAX_SCREEN_AGE: Duration = Duration::from_millis(500);

/// What the loop waits for.
enum Message {
    Key(event::KeyEvent),
    Resized,
    Report(Report),
    /// The terminal can be read no more.
    Unreadable(io::Error),
}

/// Shows the endpoint until a key or a signal ends the loop. The terminal is then as it was before.
pub(super) fn run(client: Client, url: &str, query: Query) -> io::Result<()> {
    let (sender, receiver) = channel();
    let report = {
        let sender = sender.clone();
        move |report| sender.send(Message::Report(report)).is_ok()
    };
    let mut state = State::new(query.clone());
    let theme = Theme { has_colors: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) };
    let watcher = Watcher::start(client, query, report)?;
    // It also sets the hook that restores the terminal before the message of a panic.
    let terminal = ratatui::try_init();
    // Dropped at every end of this function, after a failure and during a panic, too.
    let _restored = RestoreOnDrop;
    let mut terminal = terminal?;
    thread::Builder::new().name("mvx-metrics-keys".to_owned()).spawn(move || read_events(&sender))?;
    loop {
        draw_screen(&mut terminal, url, &state, theme)?;
        let mut message = match receiver.recv_timeout(MAX_SCREEN_AGE) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // Whatever has arrived is drawn at once: a held key is faster than the screen.
        while let Some(next) = message {
            match next {
                Message::Key(key) => match state.on_key(key) {
                    Effect::Draw => {}
                    Effect::Ask => watcher.ask(&state.query),
                    Effect::End => return Ok(()),
                },
                Message::Resized => {}
                Message::Report(Report::Looked(looked)) => state.on_look(*looked, Instant::now()),
                Message::Report(Report::Terminated) => return Ok(()),
                Message::Report(Report::Ended) => {
                    return Err(io::Error::other("the thread that looks at the endpoint has ended"));
                }
                Message::Unreadable(error) => return Err(error),
            }
            message = receiver.try_recv().ok();
        }
    }
}

fn draw_screen(terminal: &mut DefaultTerminal, url: &str, state: &State, theme: Theme) -> io::Result<()> {
    terminal.draw(|frame| draw(frame, url, state, Instant::now(), theme))?;
    Ok(())
}

struct RestoreOnDrop;

impl Drop for RestoreOnDrop {
    fn drop(&mut self) {
        // A terminal that is gone cannot be restored, and cannot show a message.
        let _ = ratatui::try_restore();
    }
}

fn read_events(sender: &Sender<Message>) {
    loop {
        let message = match event::read() {
            Ok(Event::Key(key)) => Message::Key(key),
            Ok(Event::Resize(..)) => Message::Resized,
            Ok(_) => continue,
            Err(error) => Message::Unreadable(error),
        };
        let is_end = matches!(message, Message::Unreadable(_));
        if sender.send(message).is_err() || is_end {
            return;
        }
    }
}
