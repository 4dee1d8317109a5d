//! Chapters of the guide whose programs need crates that the library does not depend on. Their code compiles and runs here.

#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../metrics-runtime/src/guide/http_service.md")]
    struct HttpService;
    #[doc = include_str!("../metrics-runtime/src/guide/long_term_storage.md")]
    struct LongTermStorage;
    #[doc = include_str!("../metrics-runtime/src/guide/pushing.md")]
    struct Pushing;
    #[doc = include_str!("../metrics-runtime/src/guide/seen_and_promised.md")]
    struct SeenAndPromised;
}
