/// The state of [`Traffic`] at one moment.
struct TrafficSnapshot {
    /// The dimension `heaviest`.
    heaviest: ::mvx_metrics::__private::Output<Top<(String, bool), Sum<u64>>>,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    use ::mvx_metrics::__private;
    #[automatically_derived]
    impl __private::HandleEvent<Sent> for Traffic
    where
        Sent: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Sent) -> __private::primitive::bool {
            let mut __accepted = false;
            if __private::when(__e, |e| e.bytes > 0) {
                __accepted
                    |= __private::TopByLabel::update_keeping(
                        &mut self.heaviest,
                        (&__e.host, &__e.secure),
                        const { __private::checked_keep(10) },
                        |__each| __private::Record::record(__each, __e.bytes),
                    );
            }
            __accepted
        }
    }
    #[automatically_derived]
    impl __private::Metric for Traffic
    where
        Sent: __private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "traffic"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const { &[__private::EventHandler::of::<Sent>()] }
        }
        #[inline]
        fn snapshot(&self) -> __private::MetricSnapshot {
            __private::snapshot("traffic", self)
        }
        #[inline]
        fn descriptor(&self) -> __private::MetricDescriptor {
            __private::own_descriptor::<Self>("traffic", "")
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
                heaviest: __private::shard_of(&self.heaviest),
            }
        }
        #[inline]
        fn absorb_shard(&mut self, __shard: &mut Self) {
            __private::Dimension::absorb_shard(
                &mut self.heaviest,
                &mut __shard.heaviest,
            );
        }
    }
    #[automatically_derived]
    impl __private::per_label::PerLabel for Traffic
    where
        Sent: __private::MetricEvent,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl __private::TypedMetric for Traffic
    where
        Sent: __private::MetricEvent,
    {
        type Snapshot = TrafficSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            TrafficSnapshot {
                heaviest: __private::KeepsLabels::read_keeping(
                    &self.heaviest,
                    const { __private::checked_keep(10) },
                ),
                invalid: __private::Fields::invalid(self),
                __times,
            }
        }
        const NAME: &'static __private::primitive::str = "traffic";
        #[inline]
        fn restore(
            __snapshot: &__private::MetricSnapshot,
            __taken_at: __private::Timestamp,
        ) -> __private::Option<Self::Snapshot> {
            __private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl __private::Fields for Traffic
    where
        Sent: __private::MetricEvent,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[
            __private::keeping(
                __private::describe::<
                    Top<(String, bool), Sum<u64>>,
                >(
                    "heaviest",
                    __private::None,
                    "",
                    const {
                        &[__private::label_name("host"), __private::label_name("secure")]
                    },
                    __private::None,
                    __private::None,
                    __private::None,
                ),
                const { __private::checked_keep(10) },
            ),
        ];
        #[inline]
        fn values(
            &self,
            __prefix: &__private::primitive::str,
            __dimensions: &mut __private::Dimensions,
        ) {
            __private::push(
                __dimensions,
                __prefix,
                "heaviest",
                __private::KeepsLabels::read_value_keeping(
                    &self.heaviest,
                    const { __private::checked_keep(10) },
                ),
            );
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(&[__private::Dimension::invalid(&self.heaviest)])
        }
    }
    #[automatically_derived]
    impl __private::Clone for TrafficSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                heaviest: __private::Clone::clone(&self.heaviest),
                invalid: __private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl TrafficSnapshot {
        /// What [`Traffic`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
        /// When counting began anew meanwhile, the interval counts from 0.
        #[must_use]
        #[inline]
        fn since(&self, earlier: &Self) -> Self {
            __private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        #[inline]
        fn restarted_since(&self, earlier: &Self) -> __private::primitive::bool {
            __private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        #[inline]
        fn taken_at(&self) -> __private::Option<__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        #[inline]
        fn counting_since(&self) -> __private::Option<__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl __private::Merge for TrafficSnapshot {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            __private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl __private::Debug for TrafficSnapshot {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut __private::Formatter<'_>,
        ) -> __private::FmtResult {
            __private::debug(
                __formatter,
                "TrafficSnapshot",
                &["heaviest", "invalid"],
                &[&self.heaviest, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl __private::PartialEq for TrafficSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.heaviest == __other.heaviest && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl __private::Serialize for TrafficSnapshot {
        fn serialize<__S: __private::Serializer>(
            &self,
            __serializer: __S,
        ) -> __private::Result<__S::Ok, __S::Error> {
            __private::serialize(
                &__private::AllFields(self),
                1usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de> __private::Deserialize<'de> for TrafficSnapshot {
        fn deserialize<__D: __private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> __private::Result<Self, __D::Error> {
            __private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl __private::SnapshotFields for TrafficSnapshot {
        const INVALID: &'static __private::primitive::str = "invalid";
        fn write<__M: __private::SerializeMap>(
            &self,
            __prefix: __private::Prefix<'_>,
            __map: &mut __M,
        ) -> __private::Result<(), __M::Error> {
            __private::write(__map, __prefix, &["heaviest"], &[&self.heaviest])
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                "heaviest" => {
                    __private::read::<
                        __private::Output<Top<(String, bool), Sum<u64>>>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                _ => __private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
            __partial.require(&[(0usize, "heaviest")]);
        }
        #[inline]
        fn finish(
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                heaviest: __private::take(__partial, 0usize),
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
            <Top<
                (String, bool),
                Sum<u64>,
            > as __private::Dimension>::merge_outputs(
                &mut self.heaviest,
                &__other.heaviest,
                __private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.heaviest = <Top<
                (String, bool),
                Sum<u64>,
            > as __private::Dimension>::since(&self.heaviest, &__earlier.heaviest);
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
            __is_gone: __private::primitive::bool,
        ) -> __private::primitive::bool {
            false
                || __private::has_fallen::<
                    Top<(String, bool), Sum<u64>>,
                >(&self.heaviest, &__earlier.heaviest, __is_gone)
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
    /**The label of an event in a `Breakdown` or `Top`, of one to four parts.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod by {}
};
#[cfg(miri)]
const _: () = {
    /**How many labels a `Top` keeps, the largest ones; from 1 to 65,536.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod keep {}
};
#[cfg(miri)]
const _: () = {
    /**The value to record.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod value {}
};
#[cfg(miri)]
const _: () = {
    /**The field ignores an event unless the condition holds.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod when {}
};
