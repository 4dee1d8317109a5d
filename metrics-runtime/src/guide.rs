//! The guide: one chapter for each thing one wants to do, each with programs that can be copied whole.
//!
//! Read [`first_steps`] first; the others stand alone. The reference is elsewhere: the attributes are at
//! [`#[derive(Metric)]`](macro@crate::Metric), the calls at [`MetricsRecorder`](crate::MetricsRecorder) and
//! [`MetricsRuntime`](crate::MetricsRuntime).
//!
//! | I want to | chapter |
//! |---|---|
//! | measure a first thing | [`first_steps`] |
//! | know what to put into an event, and where to state it | [`designing_events`] |
//! | know which type answers my question | [`choosing_dimensions`] |
//! | measure each connection, session or job by itself | [`one_recorder_per_entity`] |
//! | test the component, the metric, or both | [`testing`] |
//! | send numbers somewhere else | [`hooks_and_adapters`] |
//! | run it for months | [`in_production`] |
//! | replace atomics and `metrics`-style calls | [`from_counters`] |
//! | port a program that uses `mvx.common.metrics` in Python | [`from_python`] |

#[doc = include_str!("guide/choosing_dimensions.md")]
pub mod choosing_dimensions {}
#[doc = include_str!("guide/designing_events.md")]
pub mod designing_events {}
#[doc = include_str!("guide/first_steps.md")]
pub mod first_steps {}
#[doc = include_str!("guide/from_counters.md")]
pub mod from_counters {}
#[doc = include_str!("guide/from_python.md")]
pub mod from_python {}
#[doc = include_str!("guide/hooks_and_adapters.md")]
pub mod hooks_and_adapters {}
#[doc = include_str!("guide/in_production.md")]
pub mod in_production {}
#[doc = include_str!("guide/one_recorder_per_entity.md")]
pub mod one_recorder_per_entity {}
#[doc = include_str!("guide/testing.md")]
pub mod testing {}
