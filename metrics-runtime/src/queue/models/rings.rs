//! A ring for each thread: cuts, folding, parking, closing, and threads that end.

use loom::thread;

use super::{MAX_PREEMPTIONS, Numbered, model};
use crate::queue::Published;
use crate::queue::rings::{Fold, Folding, Rings, ThreadRing};
use crate::queue::{OwnedSegment, PushError, SegmentPool, WakeHint};
use crate::sync::{Arc, AtomicU64, Ordering};

/// A part is the list of the events that were applied to it.
struct Lists {
    generation: AtomicU64,
}

impl Folding for Lists {
    type Part = Vec<(u64, u64)>;
    type Entered = ();

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn make(&self) -> Self::Part {
        Vec::new()
    }

    fn apply(&self, part: &mut Self::Part, events: &Published<'_>) {
        for slot in events.slots() {
            // SAFETY: all events are of this type, and the batch keeps them.
            let event = unsafe { slot.event::<Numbered>() };
            part.push((event.producer, event.number));
        }
    }

    fn is_folding(&self) -> bool {
        false
    }

    fn take_slots(&self, pool: &SegmentPool) -> Option<OwnedSegment> {
        Some(pool.take())
    }

    fn enter(&self) {}
}

type TestRings = Arc<Rings<Lists>>;

fn rings() -> TestRings {
    let pool = Arc::new(SegmentPool::new());
    Arc::new(Rings::new(Lists { generation: AtomicU64::new(0) }, pool))
}

fn push(
    rings: &TestRings,
    ring: &ThreadRing<Lists>,
    producer: u64,
    number: u64,
) -> Result<WakeHint, PushError> {
    let event = Numbered { producer, number, _held: Arc::new(()) };
    // SAFETY: in each model one thread at a time pushes to a ring.
    unsafe { rings.push(ring, event) }.map_err(|(error, _)| error)
}

fn cut(rings: &TestRings) -> Vec<(u64, u64)> {
    let mut events = Vec::new();
    assert!(rings.cut(Fold::Apply, |part| events.extend(part)), "no fold lasts for ever here");
    events
}

/// A recorder that is unparked, with one ring for each producer, each with its slots.
fn rings_in_use(producers: u64) -> (TestRings, Vec<std::sync::Arc<ThreadRing<Lists>>>) {
    let rings = rings();
    let members: Vec<std::sync::Arc<_>> = (0..producers).map(|_| rings.join()).collect();
    for (producer, ring) in (0..).zip(&members) {
        push(&rings, ring, producer, 0).expect("it is open");
    }
    let mut all = cut(&rings);
    all.sort_unstable();
    assert_eq!(all, (0..producers).map(|producer| (producer, 0)).collect::<Vec<_>>());
    (rings, members)
}

#[test]
fn pt3_a_cut_that_has_an_event_has_every_event_before_it() {
    // A happens before B, because the second thread emits B only when the first one has told it so.
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(2);
        let told = Arc::new(AtomicU64::new(0));
        let first = {
            let (rings, ring, told) = (rings.clone(), members[0].clone(), told.clone());
            thread::spawn(move || {
                push(&rings, &ring, 0, 1).expect("it is open");
                told.store(1, Ordering::Release);
            })
        };
        let second = {
            let (rings, ring, told) = (rings.clone(), members[1].clone(), told.clone());
            thread::spawn(move || {
                let happens_after = told.load(Ordering::Acquire) == 1;
                push(&rings, &ring, 1, if happens_after { 2 } else { 1 }).expect("it is open");
            })
        };
        let seen = cut(&rings);
        if seen.contains(&(1, 2)) {
            assert!(seen.contains(&(0, 1)), "{seen:?}");
        }
        first.join().expect("it does not panic");
        second.join().expect("it does not panic");
        let left = cut(&rings);
        assert_eq!(seen.len() + left.len(), 2, "{seen:?} {left:?}");
    });
}

#[test]
fn pt3_a_cut_includes_all_events_before_it_and_waits_for_no_other() {
    model(Some(5), || {
        let (rings, members) = rings_in_use(1);
        let producer = {
            let (rings, ring) = (rings.clone(), members[0].clone());
            thread::spawn(move || {
                for number in 1..3 {
                    push(&rings, &ring, 0, number).expect("it is open");
                }
            })
        };
        let target = rings.next_cut();
        let published = rings.counts().published;
        let seen = cut(&rings);
        assert!(rings.cuts_ended() >= target);
        assert!(seen.len() as u64 >= published - 1, "the first event was in an earlier cut");
        producer.join().expect("it does not panic");
        let target = rings.next_cut();
        let left = cut(&rings);
        assert!(rings.cuts_ended() >= target);
        assert_eq!(seen.len() + left.len(), 2);
        assert_eq!(rings.counts().absorbed, 3);
    });
}

#[test]
fn pt2_a_ring_that_overflows_during_a_cut_keeps_its_events_in_order() {
    // The ring has two slots, so the producer folds twice. The cut may come at any step of that.
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(1);
        let producer = {
            let (rings, ring) = (rings.clone(), members[0].clone());
            thread::spawn(move || {
                for number in 1..6 {
                    push(&rings, &ring, 0, number).expect("it is open");
                }
            })
        };
        let mut seen = cut(&rings);
        producer.join().expect("it does not panic");
        seen.append(&mut cut(&rings));
        assert_eq!(seen, [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)]);
    });
}

#[test]
fn pt3_a_producer_that_folds_during_a_cut_mixes_no_later_events_into_it() {
    // The second thread's later events follow an event of the first thread that the cut may miss.
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(2);
        let producer = {
            let (rings, members) = (rings.clone(), members.clone());
            thread::spawn(move || {
                // One thread uses both rings in turn, so all its events are in one order.
                push(&rings, &members[1], 1, 1).expect("it is open");
                push(&rings, &members[0], 0, 1).expect("it is open");
                for number in 2..5 {
                    push(&rings, &members[1], 1, number).expect("it is open");
                }
            })
        };
        let seen = cut(&rings);
        if seen.iter().any(|&(producer, number)| producer == 1 && number > 1) {
            assert!(seen.contains(&(0, 1)), "{seen:?}");
        }
        producer.join().expect("it does not panic");
        assert_eq!(seen.len() + cut(&rings).len(), 5);
    });
}

#[test]
fn pt3_a_producer_that_unparks_during_a_cut_mixes_no_later_events_into_it() {
    // As above. Unparking makes an epoch of its own, which the cut does not know.
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(2);
        assert!(rings.park());
        let producer = {
            let (rings, members) = (rings.clone(), members.clone());
            thread::spawn(move || {
                push(&rings, &members[0], 0, 1).expect("it is open");
                for number in 1..4 {
                    push(&rings, &members[1], 1, number).expect("it is open");
                }
            })
        };
        let seen = cut(&rings);
        if seen.iter().any(|&(producer, _)| producer == 1) {
            assert!(seen.contains(&(0, 1)), "{seen:?}");
        }
        producer.join().expect("it does not panic");
        assert_eq!(seen.len() + cut(&rings).len(), 4);
    });
}

#[test]
fn pt1_a_consumer_that_folds_loses_no_event() {
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(1);
        let producer = {
            let (rings, ring) = (rings.clone(), members[0].clone());
            thread::spawn(move || {
                for number in 1..4 {
                    push(&rings, &ring, 0, number).expect("it is open");
                }
            })
        };
        rings.fold_all();
        let counts = rings.counts();
        assert!(counts.absorbed <= counts.folded && counts.folded <= counts.published);
        producer.join().expect("it does not panic");
        assert_eq!(cut(&rings), [(0, 1), (0, 2), (0, 3)]);
    });
}

#[test]
fn pt1_no_event_is_left_behind_in_a_parked_ring() {
    // The slots go away when the recorder parks, while the producer is about to write.
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(1);
        let producer = {
            let (rings, ring) = (rings.clone(), members[0].clone());
            thread::spawn(move || push(&rings, &ring, 0, 1).expect("it is open"))
        };
        let parked = rings.park();
        let hint = producer.join().expect("it does not panic");
        if parked {
            assert_eq!(hint, WakeHint::Unpark, "the producer wakes the consumer");
        }
        assert!(!rings.is_parked());
        assert_eq!(cut(&rings), [(0, 1)]);
        assert!(rings.park() && rings.is_parked());
    });
}

#[test]
fn pt1_two_producers_unpark_once() {
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(2);
        assert!(rings.park());
        let producers: Vec<_> = (0..2)
            .map(|producer| {
                let (rings, ring) = (rings.clone(), members[usize::from(producer == 1)].clone());
                thread::spawn(move || push(&rings, &ring, producer, 1).expect("it is open"))
            })
            .collect();
        let hints: Vec<_> =
            producers.into_iter().map(|producer| producer.join().expect("no panic")).collect();
        assert_eq!(hints.iter().filter(|hint| **hint == WakeHint::Unpark).count(), 1, "{hints:?}");
        assert_eq!(cut(&rings).len(), 2);
    });
}

#[test]
fn pt6_a_closed_recorder_that_is_drained_gets_no_event() {
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(1);
        let producer = {
            let (rings, ring) = (rings.clone(), members[0].clone());
            thread::spawn(move || push(&rings, &ring, 0, 1).is_ok())
        };
        rings.close();
        let seen = cut(&rings);
        let is_drained = rings.is_drained();
        let is_accepted = producer.join().expect("it does not panic");
        if is_drained {
            assert_eq!(seen.len(), usize::from(is_accepted), "no event comes after the stop");
        }
        assert_eq!(seen.len() + cut(&rings).len(), usize::from(is_accepted));
        assert!(rings.is_drained());
    });
}

#[test]
fn pt6_a_recorder_that_is_found_drained_after_its_close_gets_no_event() {
    // Without a cut in between, whose barrier would do.
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(1);
        let producer = {
            let (rings, ring) = (rings.clone(), members[0].clone());
            thread::spawn(move || push(&rings, &ring, 0, 1).is_ok())
        };
        rings.close();
        let is_drained = rings.is_drained();
        let is_accepted = producer.join().expect("it does not panic");
        assert!(!(is_drained && is_accepted), "an event comes after the stop");
        assert_eq!(cut(&rings).len(), usize::from(is_accepted));
    });
}

#[test]
fn pt3_a_reader_that_waits_for_a_cut_of_another_thread_gets_its_own_events() {
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(1);
        let cutter = {
            let rings = rings.clone();
            thread::spawn(move || cut(&rings))
        };
        push(&rings, &members[0], 0, 1).expect("it is open");
        let target = rings.next_cut();
        let seen = cutter.join().expect("it does not panic");
        if rings.cuts_ended() >= target {
            assert_eq!(seen, [(0, 1)], "the cut was to include the event");
        } else {
            assert_eq!(seen.len() + cut(&rings).len(), 1);
            assert!(rings.cuts_ended() >= target);
        }
    });
}

#[test]
fn pt4_a_thread_that_ends_leaves_its_events_and_no_ring() {
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, mut members) = rings_in_use(1);
        let ring = members.pop().expect("there is one");
        let producer = {
            let rings = rings.clone();
            thread::spawn(move || {
                push(&rings, &ring, 0, 1).expect("it is open");
                rings.leave(&ring)
            })
        };
        let seen = cut(&rings);
        let wants_cut = producer.join().expect("it does not panic");
        assert!(wants_cut || !seen.is_empty());
        assert_eq!(seen.len() + cut(&rings).len(), 1);
        assert_eq!(rings.members(), 0);
        assert_eq!((rings.counts().published, rings.counts().absorbed), (2, 2));
    });
}

#[test]
fn pt3_a_new_generation_loses_no_event() {
    model(Some(MAX_PREEMPTIONS), || {
        let (rings, members) = rings_in_use(1);
        let producer = {
            let (rings, ring) = (rings.clone(), members[0].clone());
            thread::spawn(move || {
                for number in 1..4 {
                    push(&rings, &ring, 0, number).expect("it is open");
                }
            })
        };
        rings.folding.generation.fetch_add(1, Ordering::Release);
        producer.join().expect("it does not panic");
        let mut parts = Vec::new();
        assert!(rings.cut(Fold::Apply, |part| parts.push(part)));
        assert_eq!(parts.concat(), [(0, 1), (0, 2), (0, 3)]);
    });
}
