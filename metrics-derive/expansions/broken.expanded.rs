::core::compile_error! {
    "unknown `dimension` option `wen`, expected one of `on`, `value`, `when`, `by`, `add`, `sub`, `set`, `name`, `limit`, `keep`, `buckets`, `max_buckets`, `unit`, `merge`, `zeros`, `flatten`, `skip`, `manual`; did you mean `when`?"
}
::core::compile_error! {
    "`String` is not a metric dimension: use `Counter`, `Sum<T>`, .. or `#[dimension(skip)]`"
}
/// The state of [`Saves`] at one moment.
struct SavesSnapshot {
    /// The dimension `total`.
    total: ::mvx_metrics::__private::Output<Counter>,
    /// How many values could not be recorded because they were not finite.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Saved> for Saves
    where
        Saved: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Saved,
        ) -> ::mvx_metrics::__private::primitive::bool {
            false
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Metric for Saves
    where
        Saved: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "saves"
        }
        #[inline]
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const { &[::mvx_metrics::__private::EventHandler::of::<Saved>()] }
        }
        #[inline]
        fn snapshot(&self) -> ::mvx_metrics::__private::MetricSnapshot {
            ::mvx_metrics::__private::snapshot("saves", self)
        }
        #[inline]
        fn descriptor(&self) -> ::mvx_metrics::__private::MetricDescriptor {
            ::mvx_metrics::__private::own_descriptor::<Self>("saves", "")
        }
        #[inline]
        fn is_derived() -> ::mvx_metrics::__private::primitive::bool {
            true
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::TypedMetric for Saves
    where
        Saved: ::mvx_metrics::__private::MetricEvent,
    {
        type Snapshot = SavesSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            SavesSnapshot {
                total: ::mvx_metrics::__private::Dimension::read(&self.total),
                invalid: ::mvx_metrics::__private::Fields::invalid(self),
                __times: ::mvx_metrics::__private::Times::default(),
            }
        }
        #[inline]
        fn typed_snapshot_at(
            &self,
            __times: ::mvx_metrics::__private::Times,
        ) -> Self::Snapshot {
            ::mvx_metrics::__private::typed_snapshot_at(self, __times)
        }
        const NAME: &'static ::mvx_metrics::__private::primitive::str = "saves";
        #[inline]
        fn restore(
            __snapshot: &::mvx_metrics::__private::MetricSnapshot,
            __taken_at: ::mvx_metrics::__private::Timestamp,
        ) -> ::mvx_metrics::__private::Option<Self::Snapshot> {
            ::mvx_metrics::__private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Fields for Saves
    where
        Saved: ::mvx_metrics::__private::MetricEvent,
    {
        const DIMENSIONS: &'static [::mvx_metrics::__private::DimensionDescriptor] = &[
            ::mvx_metrics::__private::describe::<
                Counter,
            >(
                "total",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
        ];
        #[inline]
        fn values(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __dimensions: &mut ::mvx_metrics::__private::Dimensions,
        ) {
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "total",
                ::mvx_metrics::__private::Dimension::read_value(&self.total),
            );
        }
        #[inline]
        fn invalid(&self) -> ::mvx_metrics::__private::primitive::u64 {
            ::mvx_metrics::__private::sum(
                &[::mvx_metrics::__private::Dimension::invalid(&self.total)],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Clone for SavesSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                total: ::mvx_metrics::__private::Clone::clone(&self.total),
                invalid: ::mvx_metrics::__private::Clone::clone(&self.invalid),
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
            ::mvx_metrics::__private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        #[inline]
        fn restarted_since(
            &self,
            earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            ::mvx_metrics::__private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        #[inline]
        fn taken_at(
            &self,
        ) -> ::mvx_metrics::__private::Option<::mvx_metrics::__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        #[inline]
        fn counting_since(
            &self,
        ) -> ::mvx_metrics::__private::Option<::mvx_metrics::__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Merge for SavesSnapshot {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            ::mvx_metrics::__private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Debug for SavesSnapshot {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut ::mvx_metrics::__private::Formatter<'_>,
        ) -> ::mvx_metrics::__private::FmtResult {
            ::mvx_metrics::__private::debug(
                __formatter,
                "SavesSnapshot",
                &["total", "invalid"],
                &[&self.total, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for SavesSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> ::mvx_metrics::__private::primitive::bool {
            self.total == __other.total && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Serialize for SavesSnapshot {
        fn serialize<__S: ::mvx_metrics::__private::Serializer>(
            &self,
            __serializer: __S,
        ) -> ::mvx_metrics::__private::Result<__S::Ok, __S::Error> {
            ::mvx_metrics::__private::serialize(
                &::mvx_metrics::__private::AllFields(self),
                1usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de> ::mvx_metrics::__private::Deserialize<'de> for SavesSnapshot {
        fn deserialize<__D: ::mvx_metrics::__private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> ::mvx_metrics::__private::Result<Self, __D::Error> {
            ::mvx_metrics::__private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::SnapshotFields for SavesSnapshot {
        const INVALID: &'static ::mvx_metrics::__private::primitive::str = "invalid";
        fn write<__M: ::mvx_metrics::__private::SerializeMap>(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __map: &mut __M,
        ) -> ::mvx_metrics::__private::Result<(), __M::Error> {
            ::mvx_metrics::__private::write(__map, __prefix, &["total"], &[&self.total])
        }
        fn read<'de, __A: ::mvx_metrics::__private::MapAccess<'de>>(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __name: &::mvx_metrics::__private::primitive::str,
            __map: &mut __A,
        ) -> ::mvx_metrics::__private::Result<
            ::mvx_metrics::__private::primitive::bool,
            __A::Error,
        > {
            match __name {
                "total" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Counter>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                _ => ::mvx_metrics::__private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut ::mvx_metrics::__private::PartialSnapshot) {
            __partial.require(&[(0usize, "total")]);
        }
        #[inline]
        fn finish(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> Self {
            Self {
                total: ::mvx_metrics::__private::take(__partial, 0usize),
                invalid: __invalid,
                __times: ::mvx_metrics::__private::Times::default(),
            }
        }
        #[inline]
        fn head(
            &self,
        ) -> (
            ::mvx_metrics::__private::primitive::u64,
            ::mvx_metrics::__private::Times,
        ) {
            (self.invalid, self.__times)
        }
        #[inline]
        fn head_mut(
            &mut self,
        ) -> (
            &mut ::mvx_metrics::__private::primitive::u64,
            &mut ::mvx_metrics::__private::Times,
        ) {
            (&mut self.invalid, &mut self.__times)
        }
        #[inline]
        fn merge_fields(&mut self, __other: &Self) {
            <Counter as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.total,
                &__other.total,
                ::mvx_metrics::__private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.total = <Counter as ::mvx_metrics::__private::Dimension>::since(
                &self.total,
                &__earlier.total,
            );
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            false
                || <Counter as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.total,
                    &__earlier.total,
                )
        }
    }
};
