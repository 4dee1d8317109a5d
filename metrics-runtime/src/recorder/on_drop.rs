//! A guard that emits an event when it is dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::event::MetricEvent;
use crate::log::{self, Subject};
use crate::panics;
use crate::recorder::{MetricsRecorder, Recorder};

/// A guard that emits one event when it is dropped: on return, `?`, a panic, and when a future is dropped.
///
/// [`emit_on_drop`](MetricsRecorder::emit_on_drop) takes the event. The guard dereferences to it, so that code fills in the outcome
/// when it is known:
///
/// ```
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{Label, Recorder, metric_event};
///
/// #[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
/// enum Outcome {
///     Sent,
///     Abandoned,
/// }
///
/// #[metric_event]
/// #[derive(Debug, PartialEq)]
/// struct MailEnded {
///     outcome: Outcome,
/// }
///
/// fn send(recorder: &CaptureRecorder, size: &str) -> Result<(), std::num::ParseIntError> {
///     let mut ended = recorder.emit_on_drop(MailEnded { outcome: Outcome::Abandoned });
///     let _size: usize = size.parse()?; // an early return
///     ended.outcome = Outcome::Sent;
///     Ok(())
/// }
///
/// let recorder = CaptureRecorder::new();
/// assert!(send(&recorder, "12").is_ok() && send(&recorder, "no number").is_err());
/// let outcomes = recorder.take::<MailEnded>().into_iter().map(|ended| ended.outcome);
/// assert!(outcomes.eq([Outcome::Sent, Outcome::Abandoned]));
/// ```
///
/// [`emit_on_drop_with`](MetricsRecorder::emit_on_drop_with) takes a state, and a function that makes the event of it at the end, for
/// example to measure a duration:
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{Recorder, metric_event};
///
/// #[metric_event]
/// struct QueryEnded {
///     rows: u64,
///     elapsed: Duration,
/// }
///
/// let recorder = CaptureRecorder::new();
/// let started = Instant::now();
/// let mut rows = recorder.emit_on_drop_with(0, move |rows| QueryEnded { rows, elapsed: started.elapsed() });
/// *rows += 3;
/// drop(rows);
/// assert_eq!(recorder.take::<QueryEnded>()[0].rows, 3);
/// ```
///
/// The guard has a clone of its recorder, `MetricsRecorder` unless another type is given. It is `Send` and `'static` if its parts are,
/// so it can live in a spawned task. It emits as [`emit`](Recorder::emit) does: an event that is refused is counted.
///
/// If the function panics, there is no event. The panic ends there, also while another panic unwinds. It is logged at ERROR,
/// as `metrics_recorder.event_not_made`, whatever the recorder's log policy is. A guard that is forgotten with [`std::mem::forget`] emits
/// nothing.
#[must_use = "a guard that is not kept emits at once"]
pub struct EmitOnDrop<S, R: Recorder = MetricsRecorder, E = S, F = fn(S) -> E>
where
    E: MetricEvent,
    F: FnOnce(S) -> E,
{
    recorder: R,
    /// `None` once the event is emitted or cancelled.
    pending: Option<(S, F)>,
}

impl<S, R: Recorder, E: MetricEvent, F: FnOnce(S) -> E> EmitOnDrop<S, R, E, F> {
    pub(super) fn new(recorder: R, state: S, event: F) -> Self {
        Self { recorder, pending: Some((state, event)) }
    }

    /// Emits the event now. This is the same as dropping the guard.
    pub fn emit(self) {
        drop(self);
    }

    /// Emits nothing, and returns the event or the state.
    pub fn cancel(mut self) -> S {
        self.take_state()
    }

    fn take_state(&mut self) -> S {
        let (state, _) = self.pending.take().expect("it is there until the guard is dropped");
        state
    }
}

impl<S, R: Recorder, E: MetricEvent, F: FnOnce(S) -> E> Deref for EmitOnDrop<S, R, E, F> {
    type Target = S;

    fn deref(&self) -> &S {
        let (state, _) = self.pending.as_ref().expect("it is there until the guard is dropped");
        state
    }
}

impl<S, R: Recorder, E: MetricEvent, F: FnOnce(S) -> E> DerefMut for EmitOnDrop<S, R, E, F> {
    fn deref_mut(&mut self) -> &mut S {
        let (state, _) = self.pending.as_mut().expect("it is there until the guard is dropped");
        state
    }
}

impl<S, R: Recorder, E: MetricEvent, F: FnOnce(S) -> E> Drop for EmitOnDrop<S, R, E, F> {
    fn drop(&mut self) {
        let Some((state, event)) = self.pending.take() else {
            return;
        };
        match panics::catch(|| event(state)) {
            Ok(event) => panics::catch_and_ignore(|| self.recorder.emit(event)),
            Err(panic) => {
                // The recorder may be of a user's type.
                panics::catch_and_ignore(|| {
                    let (entity_id, namespace) = (self.recorder.entity_id(), self.recorder.namespace());
                    let subject = Subject { entity_id, namespace: Some(namespace), ..Subject::default() };
                    log::event_not_made(subject, self.recorder.status(), E::EVENT_TYPE, &panic);
                });
            }
        }
    }
}

impl<S: fmt::Debug, R: Recorder, E: MetricEvent, F: FnOnce(S) -> E> fmt::Debug for EmitOnDrop<S, R, E, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("EmitOnDrop").field(&**self).finish()
    }
}
