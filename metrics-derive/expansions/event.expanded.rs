pub enum Done<K: Send + 'static> {
    Quickly,
    Slowly(Duration),
    Never { kind: K },
}
const _: () = {
    use ::mvx_metrics::__private;
    #[automatically_derived]
    impl<K: Send + 'static> __private::MetricEvent for Done<K>
    where
        Done<K>: __private::Send + 'static,
    {
        const EVENT_TYPE: &'static __private::primitive::str = "job.done";
    }
    #[automatically_derived]
    impl<K: Send + 'static> __private::Facts for Done<K> {
        #[inline]
        fn facts(&self) {
            match self {
                Self::Quickly { .. } => {}
                Self::Slowly { 0: __fact_0, .. } => {}
                Self::Never { kind: __fact_0, .. } => {}
            }
        }
    }
};
#[cfg(miri)]
const _: () = {
    /**The name of the event type; by default the type's name in snake case.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod name {}
};
