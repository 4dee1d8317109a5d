//! The parent's side: eight places for workers, in which processes start, work, push, stop and are killed at random.

use std::env::current_exe;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Failure;
use crate::jobs::{Random, Tally};
use crate::worker::Target;

const PLACES: usize = 8;
const ROUNDS: u32 = 25;

/// How a worker has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Stopped,
    /// Between two commands.
    Killed,
    /// While a push was under way, which may have arrived or not.
    KilledInPush,
}

/// What the parent knows of a worker that has ended.
#[derive(Debug)]
pub struct Ended {
    pub number: u64,
    pub end: End,
    /// The jobs that the worker has said to have accepted.
    pub accepted: u64,
    /// How many of them the worker has said to have pushed.
    pub pushed: u64,
}

impl Ended {
    /// How many of its jobs arrived. An error when that is not what the worker had accepted at a push.
    pub fn arrived(&self, tally: &Tally) -> Result<u64, Failure> {
        let possible = match self.end {
            End::Stopped | End::Killed => [self.pushed; 2],
            End::KilledInPush => [self.pushed, self.accepted],
        };
        if possible.iter().any(|jobs| Tally::of_first(*jobs, self.number) == *tally) {
            return Ok(tally.jobs());
        }
        Err(format!("check failed: of {self:?} there arrived {tally:?}").into())
    }
}

struct Worker {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    state: Ended,
}

impl Worker {
    fn start(target: &Target, number: u64) -> Result<Self, Failure> {
        let mut process = Command::new(current_exe()?)
            .arg("worker")
            .args(target.arguments())
            .arg(number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let state = Ended { number, end: End::Stopped, accepted: 0, pushed: 0 };
        Ok(Self { process, commands, answers, state })
    }

    fn tell(&mut self, step: Step) -> Result<(), Failure> {
        match step {
            Step::Work(count) => writeln!(self.commands, "work {count}")?,
            Step::Push => writeln!(self.commands, "push")?,
            Step::Stop => writeln!(self.commands, "stop")?,
            Step::Kill => self.process.kill()?,
            Step::KillInPush => {
                writeln!(self.commands, "push")?;
                self.process.kill()?;
            }
        }
        Ok(())
    }

    /// Waits until the step is done, and returns what is left of the worker.
    fn finish(mut self, step: Step) -> Result<Result<Self, Ended>, Failure> {
        let expected = match step {
            Step::Work(_) => "worked",
            Step::Push => "pushed",
            Step::Stop => "stopped",
            Step::Kill | Step::KillInPush => {
                self.process.wait()?;
                self.state.end = if step == Step::Kill { End::Killed } else { End::KilledInPush };
                return Ok(Err(self.state));
            }
        };
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if answer.trim_end() != expected {
            return Err(format!("worker {} answered `{answer}` to {step:?}", self.state.number).into());
        }
        match step {
            Step::Work(count) => self.state.accepted += count,
            _ => self.state.pushed = self.state.accepted,
        }
        if step == Step::Stop {
            self.process.wait()?;
            return Ok(Err(self.state));
        }
        Ok(Ok(self))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Work(u64),
    Push,
    Stop,
    Kill,
    KillInPush,
}

impl Step {
    fn at_random(random: &mut Random) -> Self {
        match random.below(100) {
            0..50 => Self::Work(1 + random.below(500)),
            50..80 => Self::Push,
            80..87 => Self::Stop,
            87..94 => Self::Kill,
            _ => Self::KillInPush,
        }
    }
}

/// Runs workers at random until all of them have ended. A place whose worker has ended gets a new one with a new number.
pub fn run(target: &Target, seed: u64) -> Result<Vec<Ended>, Failure> {
    let mut random = Random(seed);
    let mut numbers = 1..;
    let mut places: [Option<Worker>; PLACES] = [const { None }; PLACES];
    let mut ended = Vec::new();
    for round in 0..=ROUNDS {
        let mut steps = Vec::new();
        for place in &mut places {
            if place.is_none() && round < ROUNDS && random.below(2) == 0 {
                *place = Some(Worker::start(target, numbers.next().ok_or("no number is left")?)?);
            }
            let step = if round == ROUNDS { Step::Stop } else { Step::at_random(&mut random) };
            if let Some(worker) = place {
                worker.tell(step)?;
            }
            steps.push(step);
        }
        // All workers work now, side by side.
        for (place, step) in places.iter_mut().zip(steps) {
            if let Some(worker) = place.take() {
                match worker.finish(step)? {
                    Ok(worker) => *place = Some(worker),
                    Err(state) => ended.push(state),
                }
            }
        }
    }
    ended.sort_by_key(|worker| worker.number);
    Ok(ended)
}
