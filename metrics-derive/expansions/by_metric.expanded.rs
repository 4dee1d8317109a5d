/// The state of [`Requests`] at one moment.
pub struct RequestsSnapshot
where
    HostStats: ::mvx_metrics::__private::per_label::PerLabel,
    HostStats: ::mvx_metrics::__private::Default,
{
    /// What one host did.
    pub per_host: ::mvx_metrics::__private::per_label::OutputPerLabel<String, HostStats>,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    pub invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    pub __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    use ::mvx_metrics::__private;
    #[automatically_derived]
    impl __private::HandleEvent<Request> for Requests
    where
        Request: __private::MetricEvent,
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
        __private::per_label::Listener<HostStats>: __private::HandleEvent<Request>,
        __private::per_label::CountedAlone<HostStats>: __private::Count,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Request) -> __private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= __private::ByLabel::update_within(
                    &mut self.per_host,
                    &__e.host,
                    100,
                    |__each| __private::per_label::feed::<
                        HostStats,
                        Request,
                    >(__each, __e),
                );
            __accepted
        }
    }
    #[automatically_derived]
    impl __private::Metric for Requests
    where
        Request: __private::MetricEvent,
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
        __private::per_label::Listener<HostStats>: __private::HandleEvent<Request>,
        __private::per_label::CountedAlone<HostStats>: __private::Count,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "requests"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const { &[__private::EventHandler::of::<Request>()] }
        }
        #[inline]
        fn snapshot(&self) -> __private::MetricSnapshot {
            __private::snapshot_in_units("requests", self)
        }
        #[inline]
        fn descriptor(&self) -> __private::MetricDescriptor {
            __private::descriptor::<Self>("requests", "Requests of each host.")
        }
        #[inline]
        fn is_derived() -> __private::primitive::bool {
            true
        }
        #[inline]
        fn order_problem() -> __private::Option<__private::String> {
            __private::order_problem(const { &<Self as __private::Fields>::NAMES })
        }
        #[inline]
        fn empty_shard(&self) -> Self {
            Self {
                per_host: __private::per_label::empty_shard::<String, HostStats>(),
            }
        }
        #[inline]
        fn absorb_shard(&mut self, __shard: &mut Self) {
            __private::per_label::absorb::<
                String,
                HostStats,
            >(&mut self.per_host, &mut __shard.per_host);
        }
    }
    #[automatically_derived]
    impl __private::per_label::PerLabel for Requests
    where
        Request: __private::MetricEvent,
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
        __private::per_label::Listener<HostStats>: __private::HandleEvent<Request>,
        __private::per_label::CountedAlone<HostStats>: __private::Count,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl __private::TypedMetric for Requests
    where
        Request: __private::MetricEvent,
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
        __private::per_label::Listener<HostStats>: __private::HandleEvent<Request>,
        __private::per_label::CountedAlone<HostStats>: __private::Count,
    {
        type Snapshot = RequestsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            RequestsSnapshot {
                per_host: __private::per_label::read::<
                    String,
                    HostStats,
                >(&self.per_host, true),
                invalid: __private::Fields::invalid(self),
                __times,
            }
        }
        const NAME: &'static __private::primitive::str = "requests";
        #[inline]
        fn restore(
            __snapshot: &__private::MetricSnapshot,
            __taken_at: __private::Timestamp,
        ) -> __private::Option<Self::Snapshot> {
            __private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    const _: () = {
        __private::assert_distinct(
            &__private::Names {
                own: &[],
                names: &[],
                flattened: &[("per_host", __private::per_label::names::<HostStats>())],
                by_label: false,
                ordered: &[],
            },
        );
        __private::forget(
            __private::per_label::declare::<
                String,
                HostStats,
            >(
                "per_host",
                "What one host did.",
                const { &[__private::label_name("host")] },
                __private::limit::<String>(100),
            ),
        );
    };
    #[automatically_derived]
    impl __private::Fields for Requests
    where
        Request: __private::MetricEvent,
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
        __private::per_label::Listener<HostStats>: __private::HandleEvent<Request>,
        __private::per_label::CountedAlone<HostStats>: __private::Count,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[];
        const NAMES: __private::Names = __private::Names {
            own: <Self as __private::Fields>::DIMENSIONS,
            names: &[],
            flattened: &[("per_host", __private::per_label::names::<HostStats>())],
            by_label: false,
            ordered: <Self as __private::Fields>::ORDERED,
        };
        #[inline]
        fn describe(
            __prefix: &__private::primitive::str,
            __dimensions: &mut __private::Vec<__private::DimensionDescriptor>,
        ) {
            __private::describe_all(
                __prefix,
                &<Self as __private::Fields>::DIMENSIONS[0usize..0usize],
                __dimensions,
            );
            __private::per_label::describe::<
                HostStats,
            >(
                const {
                    __private::per_label::declare::<
                        String,
                        HostStats,
                    >(
                        "per_host",
                        "What one host did.",
                        const { &[__private::label_name("host")] },
                        __private::limit::<String>(100),
                    )
                },
                __prefix,
                __dimensions,
            );
            __private::describe_all(
                __prefix,
                &<Self as __private::Fields>::DIMENSIONS[0usize..],
                __dimensions,
            );
        }
        #[inline]
        fn values(
            &self,
            __prefix: &__private::primitive::str,
            __dimensions: &mut __private::Dimensions,
        ) {
            __private::per_label::values::<
                String,
                HostStats,
            >(&self.per_host, __prefix, "per_host", true, __dimensions);
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(
                &[__private::per_label::invalid::<String, HostStats>(&self.per_host)],
            )
        }
    }
    #[automatically_derived]
    impl __private::Clone for RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                per_host: __private::Clone::clone(&self.per_host),
                invalid: __private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        /// What [`Requests`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
        /// When counting began anew meanwhile, the interval counts from 0.
        #[must_use]
        #[inline]
        pub fn since(&self, earlier: &Self) -> Self {
            __private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        #[inline]
        pub fn restarted_since(&self, earlier: &Self) -> __private::primitive::bool {
            __private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        #[inline]
        pub fn taken_at(&self) -> __private::Option<__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        #[inline]
        pub fn counting_since(&self) -> __private::Option<__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl __private::Merge for RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            __private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl __private::Debug for RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut __private::Formatter<'_>,
        ) -> __private::FmtResult {
            __private::debug(
                __formatter,
                "RequestsSnapshot",
                &["per_host", "invalid"],
                &[&self.per_host, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl __private::PartialEq for RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.per_host == __other.per_host && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl __private::Serialize for RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        fn serialize<__S: __private::Serializer>(
            &self,
            __serializer: __S,
        ) -> __private::Result<__S::Ok, __S::Error> {
            __private::serialize(
                &__private::AllFields(self),
                0usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de> __private::Deserialize<'de> for RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        fn deserialize<__D: __private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> __private::Result<Self, __D::Error> {
            __private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl __private::SnapshotFields for RequestsSnapshot
    where
        HostStats: __private::per_label::PerLabel,
        HostStats: __private::Default,
    {
        const INVALID: &'static __private::primitive::str = "invalid";
        fn write<__M: __private::SerializeMap>(
            &self,
            __prefix: __private::Prefix<'_>,
            __map: &mut __M,
        ) -> __private::Result<(), __M::Error> {
            __private::write(
                __map,
                __prefix,
                &["per_host"],
                &[&__private::per_label::Written::<String, HostStats>(&self.per_host)],
            )
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                _ => {
                    if __private::per_label::read_field::<
                        String,
                        HostStats,
                        _,
                    >(__partial, (0usize, "per_host"), __name, __map)? {
                        return __private::Ok(true);
                    }
                    __private::Ok(false)
                }
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
            __partial.require(&[]);
            __private::per_label::require::<
                String,
                HostStats,
            >(__partial, (0usize, "per_host"));
        }
        #[inline]
        fn finish(
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                per_host: __private::per_label::take::<
                    String,
                    HostStats,
                >(__partial, 0usize),
                invalid: __invalid,
                __times: __private::Times::default(),
            }
        }
        #[inline]
        fn head(&self) -> (__private::primitive::u64, __private::Times) {
            (self.invalid, self.__times)
        }
        #[inline]
        fn head_mut(
            &mut self,
        ) -> (&mut __private::primitive::u64, &mut __private::Times) {
            (&mut self.invalid, &mut self.__times)
        }
        #[inline]
        fn merge_fields(&mut self, __other: &Self) {
            __private::per_label::merge::<
                String,
                HostStats,
            >(&mut self.per_host, &__other.per_host);
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.per_host = __private::per_label::since::<
                String,
                HostStats,
            >(&self.per_host, &__earlier.per_host);
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
            __is_gone: __private::primitive::bool,
        ) -> __private::primitive::bool {
            false
                || __private::per_label::has_fallen::<
                    String,
                    HostStats,
                >(&self.per_host, &__earlier.per_host, __is_gone)
        }
    }
};
#[cfg(miri)]
const _: () = {
    /**An event that the fields listen to; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The labels of each dimension without a `by` of its own, for each event.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod by {}
};
#[cfg(miri)]
const _: () = {
    /**The largest number of labels in a breakdown that has the labels of the metric.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod limit {}
};
