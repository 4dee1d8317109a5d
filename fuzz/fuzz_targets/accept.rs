//! Every `Accept` header has an answer, which letter case and ranges of other formats do not change.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mvx_metrics::export::Format;

fuzz_target!(|accept: &str| {
    let format = Format::negotiate(accept);
    assert_eq!(Format::negotiate(&accept.to_ascii_uppercase()), format);
    assert_eq!(Format::negotiate(&format!("text/html,{accept}")), format);
    // A quote that is not closed takes in the ranges that follow.
    if !accept.contains('"') {
        assert_eq!(Format::negotiate(&format!("text/html,{accept},image/png;q=1")), format);
    }
});
