::core::compile_error! {
    "unknown `dimension` option `wen`, expected one of `on`, `value`, `from`, `when`, `by`, `add`, `sub`, `set`, `begin`, `end`, `at`, `name`, `limit`, `keep`, `buckets`, `max_buckets`, `unit`, `merge`, `zeros`, `flatten`, `skip`, `manual`; did you mean `when`?"
}
::core::compile_error! {
    "`String` is not a metric dimension: use `Counter`, `Sum<T>`, .. or `#[dimension(skip)]`"
}
/// The state of [`Saves`] at one moment.
struct SavesSnapshot {
    /// The dimension `total`.
    total: ::mvx_metrics::__private::Output<Counter>,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    use ::mvx_metrics::__private;
    #[automatically_derived]
    impl __private::HandleEvent<Saved> for Saves
    where
        Saved: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Saved) -> __private::primitive::bool {
            false
        }
    }
    #[automatically_derived]
    impl __private::Metric for Saves
    where
        Saved: __private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "saves"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const { &[__private::EventHandler::of::<Saved>()] }
        }
        #[inline]
        fn snapshot(&self) -> __private::MetricSnapshot {
            __private::snapshot("saves", self)
        }
        #[inline]
        fn descriptor(&self) -> __private::MetricDescriptor {
            __private::own_descriptor::<Self>("saves", "")
        }
        #[inline]
        fn is_derived() -> __private::primitive::bool {
            true
        }
        #[inline]
        fn order_problem() -> __private::Option<__private::String> {
            __private::order_problem(const { &<Self as __private::Fields>::NAMES })
        }
    }
    #[automatically_derived]
    impl __private::per_label::PerLabel for Saves
    where
        Saved: __private::MetricEvent,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl __private::TypedMetric for Saves
    where
        Saved: __private::MetricEvent,
    {
        type Snapshot = SavesSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            SavesSnapshot {
                total: __private::Dimension::read(&self.total),
                invalid: __private::Fields::invalid(self),
                __times,
            }
        }
        const NAME: &'static __private::primitive::str = "saves";
        #[inline]
        fn restore(
            __snapshot: &__private::MetricSnapshot,
            __taken_at: __private::Timestamp,
        ) -> __private::Option<Self::Snapshot> {
            __private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl __private::Fields for Saves
    where
        Saved: __private::MetricEvent,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[
            __private::describe::<
                Counter,
            >(
                "total",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
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
                "total",
                __private::Dimension::read_value(&self.total),
            );
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(&[__private::Dimension::invalid(&self.total)])
        }
    }
    #[automatically_derived]
    impl __private::Clone for SavesSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                total: __private::Clone::clone(&self.total),
                invalid: __private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl SavesSnapshot {
        /// What [`Saves`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
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
    impl __private::Merge for SavesSnapshot {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            __private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl __private::Debug for SavesSnapshot {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut __private::Formatter<'_>,
        ) -> __private::FmtResult {
            __private::debug(
                __formatter,
                "SavesSnapshot",
                &["total", "invalid"],
                &[&self.total, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl __private::PartialEq for SavesSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.total == __other.total && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl __private::Serialize for SavesSnapshot {
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
    impl<'de> __private::Deserialize<'de> for SavesSnapshot {
        fn deserialize<__D: __private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> __private::Result<Self, __D::Error> {
            __private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl __private::SnapshotFields for SavesSnapshot {
        const INVALID: &'static __private::primitive::str = "invalid";
        fn write<__M: __private::SerializeMap>(
            &self,
            __prefix: __private::Prefix<'_>,
            __map: &mut __M,
        ) -> __private::Result<(), __M::Error> {
            __private::write(__map, __prefix, &["total"], &[&self.total])
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                "total" => {
                    __private::read::<
                        __private::Output<Counter>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                _ => __private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
            __partial.require(&[(0usize, "total")]);
        }
        #[inline]
        fn finish(
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                total: __private::take(__partial, 0usize),
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
            <Counter as __private::Dimension>::merge_outputs(
                &mut self.total,
                &__other.total,
                __private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.total = <Counter as __private::Dimension>::since(
                &self.total,
                &__earlier.total,
            );
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
            __is_gone: __private::primitive::bool,
        ) -> __private::primitive::bool {
            false
                || __private::has_fallen::<
                    Counter,
                >(&self.total, &__earlier.total, __is_gone)
        }
    }
};
#[cfg(miri)]
const _: () = {
    /**An event that the fields listen to; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
