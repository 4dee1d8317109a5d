/// The state of [`Finishes`] at one moment.
pub(crate) struct FinishesSnapshot<K: Label>
where
    K: metrics::__private::Label,
{
    /// The dimension `by_kind`.
    pub(crate) by_kind: metrics::__private::Output<Breakdown<K, Counter>>,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    pub(crate) invalid: metrics::__private::primitive::u64,
    #[doc(hidden)]
    pub(crate) __times: metrics::__private::Times,
}
const _: () = {
    use metrics::__private;
    #[automatically_derived]
    impl<K: Label, Unused> __private::HandleEvent<Finished<K>> for Finishes<K, Unused>
    where
        Finishes<K, Unused>: __private::Send + 'static,
        Finished<K>: __private::MetricEvent,
        K: __private::Label,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Finished<K>) -> __private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= __private::ByLabel::update_within(
                    &mut self.by_kind,
                    &__e.kind,
                    3,
                    |__each| __private::Count::count(__each),
                );
            __accepted
        }
    }
    #[automatically_derived]
    impl<K: Label, Unused> __private::Metric for Finishes<K, Unused>
    where
        Finishes<K, Unused>: __private::Send + 'static,
        Finished<K>: __private::MetricEvent,
        K: __private::Label,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "finishes"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const { &[__private::EventHandler::of::<Finished<K>>()] }
        }
        #[inline]
        fn snapshot(&self) -> __private::MetricSnapshot {
            __private::snapshot("finishes", self)
        }
        #[inline]
        fn descriptor(&self) -> __private::MetricDescriptor {
            __private::own_descriptor::<Self>("finishes", "")
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
    impl<K: Label, Unused> __private::per_label::PerLabel for Finishes<K, Unused>
    where
        Finishes<K, Unused>: __private::Send + 'static,
        Finished<K>: __private::MetricEvent,
        K: __private::Label,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl<K: Label, Unused> __private::TypedMetric for Finishes<K, Unused>
    where
        Finishes<K, Unused>: __private::Send + 'static,
        Finished<K>: __private::MetricEvent,
        K: __private::Label,
    {
        type Snapshot = FinishesSnapshot<K>;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            FinishesSnapshot {
                by_kind: __private::Dimension::read(&self.by_kind),
                invalid: __private::Fields::invalid(self),
                __times,
            }
        }
        const NAME: &'static __private::primitive::str = "finishes";
        #[inline]
        fn restore(
            __snapshot: &__private::MetricSnapshot,
            __taken_at: __private::Timestamp,
        ) -> __private::Option<Self::Snapshot> {
            __private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl<K: Label, Unused> __private::Fields for Finishes<K, Unused>
    where
        Finishes<K, Unused>: __private::Send + 'static,
        Finished<K>: __private::MetricEvent,
        K: __private::Label,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[
            __private::describe::<
                Breakdown<K, Counter>,
            >(
                "by_kind",
                __private::None,
                "",
                const { &[__private::label_name("kind")] },
                __private::limit::<
                    <Breakdown<K, Counter> as __private::HasLabel>::Label,
                >(3),
                __private::None,
                __private::None,
            ),
        ];
        const ORDERED: &'static [(
            &'static __private::primitive::str,
            __private::NeedsOrder,
        )] = &[("unused", __private::NeedsOrder::Skipped)];
        #[inline]
        fn values(
            &self,
            __prefix: &__private::primitive::str,
            __dimensions: &mut __private::Dimensions,
        ) {
            __private::push(
                __dimensions,
                __prefix,
                "by_kind",
                __private::Dimension::read_value(&self.by_kind),
            );
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(&[__private::Dimension::invalid(&self.by_kind)])
        }
    }
    #[automatically_derived]
    impl<K: Label> __private::Clone for FinishesSnapshot<K>
    where
        K: __private::Label,
    {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                by_kind: __private::Clone::clone(&self.by_kind),
                invalid: __private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl<K: Label> FinishesSnapshot<K>
    where
        K: __private::Label,
    {
        /// What [`Finishes`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
        /// When counting began anew meanwhile, the interval counts from 0.
        #[must_use]
        #[inline]
        pub(crate) fn since(&self, earlier: &Self) -> Self {
            __private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        #[inline]
        pub(crate) fn restarted_since(
            &self,
            earlier: &Self,
        ) -> __private::primitive::bool {
            __private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        #[inline]
        pub(crate) fn taken_at(&self) -> __private::Option<__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        #[inline]
        pub(crate) fn counting_since(&self) -> __private::Option<__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl<K: Label> __private::Merge for FinishesSnapshot<K>
    where
        K: __private::Label,
    {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            __private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl<K: Label> __private::Debug for FinishesSnapshot<K>
    where
        K: __private::Label,
    {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut __private::Formatter<'_>,
        ) -> __private::FmtResult {
            __private::debug(
                __formatter,
                "FinishesSnapshot",
                &["by_kind", "invalid"],
                &[&self.by_kind, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl<K: Label> __private::PartialEq for FinishesSnapshot<K>
    where
        K: __private::Label,
    {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.by_kind == __other.by_kind && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl<K: Label> __private::Serialize for FinishesSnapshot<K>
    where
        K: __private::Label,
    {
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
    impl<'de, K: Label> __private::Deserialize<'de> for FinishesSnapshot<K>
    where
        K: __private::Label,
    {
        fn deserialize<__D: __private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> __private::Result<Self, __D::Error> {
            __private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl<K: Label> __private::SnapshotFields for FinishesSnapshot<K>
    where
        K: __private::Label,
    {
        const INVALID: &'static __private::primitive::str = "invalid";
        fn write<__M: __private::SerializeMap>(
            &self,
            __prefix: __private::Prefix<'_>,
            __map: &mut __M,
        ) -> __private::Result<(), __M::Error> {
            __private::write(__map, __prefix, &["by_kind"], &[&self.by_kind])
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                "by_kind" => {
                    __private::read::<
                        __private::Output<Breakdown<K, Counter>>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                _ => __private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
            __partial.require(&[(0usize, "by_kind")]);
        }
        #[inline]
        fn finish(
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                by_kind: __private::take(__partial, 0usize),
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
            <Breakdown<
                K,
                Counter,
            > as __private::Dimension>::merge_outputs(
                &mut self.by_kind,
                &__other.by_kind,
                __private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.by_kind = <Breakdown<
                K,
                Counter,
            > as __private::Dimension>::since(&self.by_kind, &__earlier.by_kind);
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
            __is_gone: __private::primitive::bool,
        ) -> __private::primitive::bool {
            false
                || __private::has_fallen::<
                    Breakdown<K, Counter>,
                >(&self.by_kind, &__earlier.by_kind, __is_gone)
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
    /**The largest number of labels in a breakdown; further labels are counted under `other`. With `begin`, the most ids that are open at once.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod limit {}
};
#[cfg(miri)]
const _: () = {
    /**The field is not a dimension.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod skip {}
};
