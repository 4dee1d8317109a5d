//! The guide: one chapter for each task, with complete programs to copy.
//!
//! Read [`first_steps`] first. Each of the other chapters stands alone. For reference, [`#[derive(Metric)]`](macro@crate::Metric)
//! lists the attributes, [`MetricsRecorder`](crate::MetricsRecorder) and [`MetricsRuntime`](crate::MetricsRuntime) the calls.
//!
//! | I want to | chapter |
//! |---|---|
//! | measure something for the first time | [`first_steps`] |
//! | decide what an event contains and where to emit it | [`designing_events`] |
//! | choose the type that answers my question | [`choosing_dimensions`] |
//! | look up an option, a source, the name of a label | [`language`] |
//! | measure each connection, session or job separately | [`one_recorder_per_entity`] |
//! | read rates, intervals, totals of many recorders | [`reading`] |
//! | test the component, the metric, or both | [`testing`] |
//! | send numbers to another system | [`hooks_and_adapters`] |
//! | share one recorder between many busy cores | [`many_cores`] |
//! | run it in production | [`in_production`] |
//! | measure an HTTP service, with `/metrics` in its own router | [`http_service`] |
//! | look at the running program, and see in review what a change of its metrics breaks | [`seen_and_promised`] |
//! | push to an OpenTelemetry collector, or add up many processes | [`pushing`] |
//! | keep the final state of each connection or job in a database | [`long_term_storage`] |
//! | use a recorder where nothing can be passed to | [`static_recorder`] |
//! | read the length of a queue at the moment of a scrape | [`pulled_gauges`] |
//! | port a program from `metrics` or `prometheus-client` | [`from_facades`] |
//! | replace hand-written counters | [`from_counters`] |
//! | port a program that uses `mvx.common.metrics` in Python | [`from_python`] |

#[doc = include_str!("guide/choosing_dimensions.md")]
pub mod choosing_dimensions {}
#[doc = include_str!("guide/designing_events.md")]
pub mod designing_events {}
#[doc = include_str!("guide/first_steps.md")]
pub mod first_steps {}
#[doc = include_str!("guide/from_counters.md")]
pub mod from_counters {}
#[doc = include_str!("guide/from_facades.md")]
pub mod from_facades {}
#[doc = include_str!("guide/from_python.md")]
pub mod from_python {}
#[doc = include_str!("guide/hooks_and_adapters.md")]
pub mod hooks_and_adapters {}
// Programs of this chapter need axum, so they are tested in the package of the examples.
#[cfg(not(doctest))]
#[doc = include_str!("guide/http_service.md")]
pub mod http_service {}
#[doc = include_str!("guide/in_production.md")]
pub mod in_production {}
#[doc = include_str!("guide/language.md")]
#[doc = include_str!("docs/options_of_events.md")]
#[doc = include_str!("docs/options_of_metrics.md")]
#[doc = include_str!("docs/options_of_fields.md")]
#[doc = include_str!("docs/options_of_labels.md")]
#[doc = include_str!("docs/sources.md")]
#[doc = include_str!("guide/language_examples.md")]
pub mod language {}
// Programs of this chapter need rusqlite, so they are tested in the package of the examples.
#[cfg(not(doctest))]
#[doc = include_str!("guide/long_term_storage.md")]
pub mod long_term_storage {}
#[doc = include_str!("guide/many_cores.md")]
pub mod many_cores {}
#[doc = include_str!("guide/one_recorder_per_entity.md")]
pub mod one_recorder_per_entity {}
#[doc = include_str!("guide/pulled_gauges.md")]
pub mod pulled_gauges {}
// Programs of this chapter need mvx-metrics-otlp, which needs this crate, so they are tested in the package of the examples.
#[cfg(not(doctest))]
#[doc = include_str!("guide/pushing.md")]
pub mod pushing {}
#[doc = include_str!("guide/reading.md")]
pub mod reading {}
// Programs of this chapter need the features `catalogue` and `page`, so they are tested in the package of the examples.
#[cfg(not(doctest))]
#[doc = include_str!("guide/seen_and_promised.md")]
pub mod seen_and_promised {}
#[doc = include_str!("guide/static_recorder.md")]
pub mod static_recorder {}
#[doc = include_str!("guide/testing.md")]
pub mod testing {}
