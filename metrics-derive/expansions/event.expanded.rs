pub enum Done<K: Send + 'static> {
    Quickly,
    Slowly(Duration),
    Never { kind: K },
}
const _: () = {
    #[automatically_derived]
    impl<K: Send + 'static> ::mvx_metrics::__private::MetricEvent for Done<K>
    where
        Done<K>: ::mvx_metrics::__private::Send + 'static,
    {
        const EVENT_TYPE: &'static ::mvx_metrics::__private::primitive::str = "job.done";
    }
    #[automatically_derived]
    impl<K: Send + 'static> ::mvx_metrics::__private::Facts for Done<K> {
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
