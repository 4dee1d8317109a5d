//! The code that the macros generate, used through the public API.

mod agreement;
mod basics;
mod breakdowns;
mod composition;
mod distributions;
mod label_names;
mod labels;
mod recent;
mod state;
