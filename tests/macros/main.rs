//! The code that the macros generate, used through the public API.

mod agreement;
mod basics;
mod between_events;
mod breakdowns;
mod composition;
mod constant_names;
mod distinct;
mod distributions;
mod inherited_labels;
mod label_names;
mod labels;
mod quantile_errors;
mod recent;
mod shards;
mod state;
mod time_units;
mod top;
mod variants;
