/// The state of [`Finishes`] at one moment.
pub(crate) struct FinishesSnapshot<K: Label>
where
    K: metrics::__private::Label,
{
    /// The dimension `by_kind`.
    pub(crate) by_kind: metrics::__private::Output<Breakdown<K, Counter>>,
    /// How many values could not be recorded because they were not finite.
    pub(crate) invalid: metrics::__private::primitive::u64,
    #[doc(hidden)]
    pub(crate) __times: metrics::__private::Times,
}
const _: () = {
    #[automatically_derived]
    impl<K: Label, Unused> metrics::__private::HandleEvent<Finished<K>>
    for Finishes<K, Unused>
    where
        Finishes<K, Unused>: metrics::__private::Send + 'static,
        Finished<K>: metrics::__private::MetricEvent,
        K: metrics::__private::Label,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Finished<K>,
        ) -> metrics::__private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= metrics::__private::ByLabel::update_within(
                    &mut self.by_kind,
                    &__event.kind,
                    3,
                    |__each| metrics::__private::Count::count(__each),
                );
            __accepted
        }
    }
    #[automatically_derived]
    impl<K: Label, Unused> metrics::__private::Metric for Finishes<K, Unused>
    where
        Finishes<K, Unused>: metrics::__private::Send + 'static,
        Finished<K>: metrics::__private::MetricEvent,
        K: metrics::__private::Label,
    {
        #[inline]
        fn metric_name(&self) -> &metrics::__private::primitive::str {
            "finishes"
        }
        #[inline]
        fn handlers() -> &'static [metrics::__private::EventHandler<Self>] {
            const { &[metrics::__private::EventHandler::of::<Finished<K>>()] }
        }
        #[inline]
        fn snapshot(&self) -> metrics::__private::MetricSnapshot {
            metrics::__private::snapshot("finishes", self)
        }
        #[inline]
        fn descriptor(&self) -> metrics::__private::MetricDescriptor {
            metrics::__private::own_descriptor::<Self>("finishes", "")
        }
        #[inline]
        fn is_derived() -> metrics::__private::primitive::bool {
            true
        }
    }
    #[automatically_derived]
    impl<K: Label, Unused> metrics::__private::TypedMetric for Finishes<K, Unused>
    where
        Finishes<K, Unused>: metrics::__private::Send + 'static,
        Finished<K>: metrics::__private::MetricEvent,
        K: metrics::__private::Label,
    {
        type Snapshot = FinishesSnapshot<K>;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            FinishesSnapshot {
                by_kind: metrics::__private::Dimension::read(&self.by_kind),
                invalid: metrics::__private::Fields::invalid(self),
                __times: metrics::__private::Times::default(),
            }
        }
        #[inline]
        fn typed_snapshot_at(
            &self,
            __times: metrics::__private::Times,
        ) -> Self::Snapshot {
            metrics::__private::typed_snapshot_at(self, __times)
        }
        const NAME: &'static metrics::__private::primitive::str = "finishes";
        #[inline]
        fn restore(
            __snapshot: &metrics::__private::MetricSnapshot,
            __taken_at: metrics::__private::Timestamp,
        ) -> metrics::__private::Option<Self::Snapshot> {
            metrics::__private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl<K: Label, Unused> metrics::__private::Fields for Finishes<K, Unused>
    where
        Finishes<K, Unused>: metrics::__private::Send + 'static,
        Finished<K>: metrics::__private::MetricEvent,
        K: metrics::__private::Label,
    {
        const DIMENSIONS: &'static [metrics::__private::DimensionDescriptor] = &[
            metrics::__private::describe::<
                Breakdown<K, Counter>,
            >(
                "by_kind",
                metrics::__private::None,
                "",
                const { &[metrics::__private::label_name("kind")] },
                metrics::__private::limit::<
                    <Breakdown<K, Counter> as metrics::__private::HasLabel>::Label,
                >(3),
                metrics::__private::None,
                metrics::__private::None,
            ),
        ];
        #[inline]
        fn values(
            &self,
            __prefix: &metrics::__private::primitive::str,
            __dimensions: &mut metrics::__private::Dimensions,
        ) {
            metrics::__private::push(
                __dimensions,
                __prefix,
                "by_kind",
                metrics::__private::Dimension::read_value(&self.by_kind),
            );
        }
        #[inline]
        fn invalid(&self) -> metrics::__private::primitive::u64 {
            metrics::__private::sum(
                &[metrics::__private::Dimension::invalid(&self.by_kind)],
            )
        }
    }
    #[automatically_derived]
    impl<K: Label> metrics::__private::Clone for FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                by_kind: metrics::__private::Clone::clone(&self.by_kind),
                invalid: metrics::__private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl<K: Label> FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        /// What [`Finishes`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
        /// When counting began anew meanwhile, the interval counts from 0.
        #[must_use]
        #[inline]
        pub(crate) fn since(&self, earlier: &Self) -> Self {
            metrics::__private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        #[inline]
        pub(crate) fn restarted_since(
            &self,
            earlier: &Self,
        ) -> metrics::__private::primitive::bool {
            metrics::__private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        #[inline]
        pub(crate) fn taken_at(
            &self,
        ) -> metrics::__private::Option<metrics::__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        #[inline]
        pub(crate) fn counting_since(
            &self,
        ) -> metrics::__private::Option<metrics::__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl<K: Label> metrics::__private::Merge for FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            metrics::__private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl<K: Label> metrics::__private::Debug for FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut metrics::__private::Formatter<'_>,
        ) -> metrics::__private::FmtResult {
            metrics::__private::debug(
                __formatter,
                "FinishesSnapshot",
                &["by_kind", "invalid"],
                &[&self.by_kind, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl<K: Label> metrics::__private::PartialEq for FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        #[inline]
        fn eq(&self, __other: &Self) -> metrics::__private::primitive::bool {
            self.by_kind == __other.by_kind && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl<K: Label> metrics::__private::Serialize for FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        fn serialize<__S: metrics::__private::Serializer>(
            &self,
            __serializer: __S,
        ) -> metrics::__private::Result<__S::Ok, __S::Error> {
            metrics::__private::serialize(
                &metrics::__private::AllFields(self),
                1usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de, K: Label> metrics::__private::Deserialize<'de> for FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        fn deserialize<__D: metrics::__private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> metrics::__private::Result<Self, __D::Error> {
            metrics::__private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl<K: Label> metrics::__private::SnapshotFields for FinishesSnapshot<K>
    where
        K: metrics::__private::Label,
    {
        const INVALID: &'static metrics::__private::primitive::str = "invalid";
        fn write<__M: metrics::__private::SerializeMap>(
            &self,
            __prefix: &metrics::__private::primitive::str,
            __map: &mut __M,
        ) -> metrics::__private::Result<(), __M::Error> {
            metrics::__private::write(__map, __prefix, &["by_kind"], &[&self.by_kind])
        }
        fn read<'de, __A: metrics::__private::MapAccess<'de>>(
            __partial: &mut metrics::__private::PartialSnapshot,
            __name: &metrics::__private::primitive::str,
            __map: &mut __A,
        ) -> metrics::__private::Result<
            metrics::__private::primitive::bool,
            __A::Error,
        > {
            match __name {
                "by_kind" => {
                    metrics::__private::read::<
                        metrics::__private::Output<Breakdown<K, Counter>>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                _ => metrics::__private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut metrics::__private::PartialSnapshot) {
            __partial.require(&[(0usize, "by_kind")]);
        }
        #[inline]
        fn finish(
            __partial: &mut metrics::__private::PartialSnapshot,
            __invalid: metrics::__private::primitive::u64,
        ) -> Self {
            Self {
                by_kind: metrics::__private::take(__partial, 0usize),
                invalid: __invalid,
                __times: metrics::__private::Times::default(),
            }
        }
        #[inline]
        fn head(
            &self,
        ) -> (metrics::__private::primitive::u64, metrics::__private::Times) {
            (self.invalid, self.__times)
        }
        #[inline]
        fn head_mut(
            &mut self,
        ) -> (&mut metrics::__private::primitive::u64, &mut metrics::__private::Times) {
            (&mut self.invalid, &mut self.__times)
        }
        #[inline]
        fn merge_fields(&mut self, __other: &Self) {
            <Breakdown<
                K,
                Counter,
            > as metrics::__private::Dimension>::merge_outputs(
                &mut self.by_kind,
                &__other.by_kind,
                metrics::__private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.by_kind = <Breakdown<
                K,
                Counter,
            > as metrics::__private::Dimension>::since(
                &self.by_kind,
                &__earlier.by_kind,
            );
        }
        #[inline]
        fn has_fallen(&self, __earlier: &Self) -> metrics::__private::primitive::bool {
            false
                || <Breakdown<
                    K,
                    Counter,
                > as metrics::__private::Dimension>::has_fallen(
                    &self.by_kind,
                    &__earlier.by_kind,
                )
        }
    }
};
