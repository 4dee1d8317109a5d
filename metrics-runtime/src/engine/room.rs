//! The line of producers that wait for room in a recorder's queue.
//!
//! A producer that finds the queue full [`enter`](RoomLine::enter)s the line, requests an urgent turn of the recorder, and waits.
//! Every thread that has ended a drain, or has closed the queue, completes the waits that are due. The producer then tries
//! again. It may find the queue full again, because calls that do not wait take room as they find it. Then it enters the line at
//! its old place.
//!
//! # Which waits are due
//!
//! Producers that wake up for every free slot would sleep and wake up for every event. So the line is due when half of the limit
//! was consumed since its first producer entered, or when the queue is drained. As many producers wake up as there is room for.
//! Those that were woken and have made no attempt yet count as if they had taken their room.
//!
//! # Invariants
//!
//! * L1: a producer requests a turn after it has entered, so some drain ends after that and sees the producer. Until the line is
//!   due, events are pending, so further drains follow. Hence `due_at` needs no fence against the queue's `head`. In STARTING
//!   there are no turns: the recorder's task requests the turn when `on_starting` has ended.
//! * L2: a producer makes its attempt, leaves the line, and then completes the waits that are due. The last drain may have ended
//!   before, and have left the room to this producer, which may also be cancelled.
//! * L3: the queue is closed before the line is emptied ([`RoomLine::take_all`]). A producer that enters later finds it closed.

use std::sync::Arc;

use super::completion::Completion;
use crate::queue::Queue;
use crate::sync::{AtomicU64, Mutex, Ordering, lock_with_room};

/// The value of `due_at` while no producer waits.
const NEVER: u64 = u64::MAX;

/// The end of one wait for room.
pub(super) type RoomCompletion = Completion<()>;

/// The place of a producer in the line. It stays the same when the producer enters again.
pub(super) type Ticket = u64;

pub(super) struct RoomLine {
    /// The line is due when this many events are consumed. Written under the lock.
    due_at: AtomicU64,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// In order of the tickets.
    waiting: Vec<(Ticket, Arc<RoomCompletion>)>,
    next_ticket: Ticket,
    /// How many producers were woken and have not left yet.
    woken: u64,
}

impl Default for RoomLine {
    fn default() -> Self {
        Self { due_at: AtomicU64::new(NEVER), line: Mutex::new(Line::default()) }
    }
}

impl RoomLine {
    /// Whether producers wait that were not woken. A hint for new calls, which then line up behind them.
    #[inline]
    pub(super) fn has_waiters(&self) -> bool {
        // Relaxed: a hint.
        self.due_at.load(Ordering::Relaxed) != NEVER
    }

    /// Whether the line is due when this many events are consumed.
    #[inline]
    pub(super) fn is_due(&self, consumed: u64) -> bool {
        // Relaxed: by L1 a later drain sees it.
        consumed >= self.due_at.load(Ordering::Relaxed)
    }

    /// Enters the line, at its end or at the place of a ticket. The caller then requests a turn (L1).
    pub(super) fn enter(&self, ticket: Option<Ticket>, queue: &Queue) -> (Ticket, Arc<RoomCompletion>) {
        let completion = Arc::<RoomCompletion>::default();
        let mut line = lock_with_room(&self.line, |line| &mut line.waiting);
        let ticket = ticket.unwrap_or(line.next_ticket);
        line.next_ticket = line.next_ticket.max(ticket + 1);
        let place = line.waiting.partition_point(|(other, _)| *other < ticket);
        line.waiting.insert(place, (ticket, Arc::clone(&completion)));
        if line.waiting.len() == 1 {
            self.set_due_after_half(queue);
        }
        (ticket, completion)
    }

    /// Leaves the line after an attempt, or without one. The caller then completes the waits that are due (L2).
    pub(super) fn leave(&self, ticket: Ticket) {
        let left = {
            let mut line = self.line.lock();
            let place = line.waiting.iter().position(|(other, _)| *other == ticket);
            let left = place.map(|place| line.waiting.remove(place));
            if left.is_none() {
                line.woken -= 1;
            }
            if line.waiting.is_empty() {
                self.due_at.store(NEVER, Ordering::Relaxed);
            }
            left
        };
        // Freed when the lock is released.
        drop(left);
    }

    /// Takes out the first producers in line if the line is due: as many as there is room for. The caller completes their waits.
    pub(super) fn take_due(&self, queue: &Queue) -> Vec<Arc<RoomCompletion>> {
        if !self.has_waiters() {
            return Vec::new();
        }
        self.take(queue, |line| {
            let consumed = queue.consumed();
            let accepted = queue.accepted();
            if !self.is_due(consumed) && consumed != accepted {
                return 0;
            }
            let room = (consumed + queue.limit()).saturating_sub(accepted);
            // At least one: producers that do not wait may have taken the room at every moment that a drain ends.
            if line.woken == 0 { room.max(1) } else { room.saturating_sub(line.woken) }
        })
    }

    /// Takes out all producers, because the queue is closed (L3).
    pub(super) fn take_all(&self, queue: &Queue) -> Vec<Arc<RoomCompletion>> {
        self.take(queue, |_| u64::MAX)
    }

    /// Takes out the first producers in line, `most` at most. They count as woken.
    fn take(&self, queue: &Queue, most: impl Fn(&Line) -> u64) -> Vec<Arc<RoomCompletion>> {
        let mut taken = Vec::new();
        loop {
            let count = {
                let mut line = self.line.lock();
                let most = usize::try_from(most(&line)).unwrap_or(usize::MAX);
                let count = line.waiting.len().min(most);
                if count == 0 {
                    return taken;
                }
                if count <= taken.capacity() {
                    taken.extend(line.waiting.drain(..count).map(|(_, completion)| completion));
                    line.woken += count as u64;
                    if line.waiting.is_empty() {
                        self.due_at.store(NEVER, Ordering::Relaxed);
                    } else {
                        self.set_due_after_half(queue);
                    }
                    return taken;
                }
                count
            };
            // Allocated while the lock is free, as in `lock_with_room`.
            taken.reserve(count);
        }
    }

    /// The caller holds the lock.
    fn set_due_after_half(&self, queue: &Queue) {
        self.due_at.store(queue.consumed() + queue.limit().div_ceil(2), Ordering::Relaxed);
    }
}
