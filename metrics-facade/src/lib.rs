#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod cell;
mod error;
mod family;
mod index;
mod problem;
mod recorder;
mod registry;

pub use builder::FacadeBuilder;
pub use error::FacadeError;
pub use recorder::FacadeRecorder;
