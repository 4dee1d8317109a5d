//! The table: figures, ratios and goals, as plain text.

use std::cell::{Cell, RefCell};

use crate::figure::Figure;

/// Prints rows, and at the end all goals with their results.
#[derive(Default)]
pub struct Report {
    title: Cell<&'static str>,
    verdicts: RefCell<Vec<Verdict>>,
}

/// The goal of a figure of ours, relative to a peer.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// The peer's name.
    pub peer: &'static str,
    /// At most this share of the peer's figure.
    pub at_most: f64,
}

struct Verdict {
    title: &'static str,
    measured: String,
    goal: String,
    met: bool,
}

impl Report {
    /// Starts a row of the table and says what its figures are.
    pub fn row(&self, title: &'static str, measure: &str) {
        self.title.set(title);
        println!("\n{title}\n  {measure}");
    }

    /// Prints figures of which smaller ones are better; ours comes first and is compared with the others.
    pub fn compare(&self, figures: &[Figure], goals: &[Goal]) {
        let Some((ours, peers)) = figures.split_first() else { return };
        println!("{}", figure_text(ours));
        for peer in peers {
            let ratio = ours.median() / peer.median();
            print!("{:<76} ours is {}", figure_text(peer), ratio_text(ratio));
            if let Some(goal) = goals.iter().find(|goal| goal.peer == peer.name) {
                let measured = format!("{} of {}", ratio_text(ratio), peer.name);
                print!(", {}", self.judge(measured, ratio_text(goal.at_most), ratio <= goal.at_most));
            }
            println!();
        }
    }

    /// Prints one figure and, if it has a goal, whether the goal is met. `None` is a figure that the system does not show.
    pub fn value(&self, name: &str, value: impl Into<Option<f64>>, unit: &str, at_most: Option<f64>) {
        let Some(value) = value.into() else {
            println!("    {name:<38}{:>10} {unit}: not available on this system", "-");
            return;
        };
        print!("    {name:<38}{value:>10.1} {unit}");
        if let Some(at_most) = at_most {
            print!(", {}", self.judge(format!("{value:.1} {unit}"), at_most.to_string(), value <= at_most));
        }
        println!();
    }

    /// Prints all goals.
    pub fn close(&self) {
        let verdicts = self.verdicts.borrow();
        println!(
            "\nGoals: {} of {} met",
            verdicts.iter().filter(|verdict| verdict.met).count(),
            verdicts.len()
        );
        for Verdict { title, measured, goal, met } in &*verdicts {
            println!("  {} {title:<50} {measured:<50} goal {goal}", if *met { "met   " } else { "MISSED" });
        }
    }

    /// Notes a goal for the end of the table, and says whether it is met.
    pub fn judge(&self, measured: String, goal: String, met: bool) -> String {
        let text = format!("goal at most {goal}: {}", if met { "met" } else { "MISSED" });
        self.verdicts.borrow_mut().push(Verdict { title: self.title.get(), measured, goal, met });
        text
    }
}

fn figure_text(figure: &Figure) -> String {
    let (lowest, median, highest) = (figure.lowest(), figure.median(), figure.highest());
    format!("    {:<38}{median:>10.1}  ({lowest:.1} to {highest:.1})", figure.name)
}

/// A ratio as text: "1/12.0" or "2.50 x".
fn ratio_text(ratio: f64) -> String {
    if ratio < 0.8 { format!("1/{:.1}", 1.0 / ratio) } else { format!("{ratio:.2} x") }
}
