/// The state of [`Traffic`] at one moment.
struct TrafficSnapshot {
    /// The dimension `heaviest`.
    heaviest: ::mvx_metrics::__private::Output<Top<(String, bool), Sum<u64>>>,
    /// How many values could not be recorded because they were not finite.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Sent> for Traffic
    where
        Sent: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Sent,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            if ::mvx_metrics::__private::when(__event, |e| e.bytes > 0) {
                __accepted
                    |= ::mvx_metrics::__private::TopByLabel::update_keeping(
                        &mut self.heaviest,
                        (&__event.host, &__event.secure),
                        const { ::mvx_metrics::__private::checked_keep(10) },
                        |__each| ::mvx_metrics::__private::Record::record(
                            __each,
                            __event.bytes,
                        ),
                    );
            }
            __accepted
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Metric for Traffic
    where
        Sent: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "traffic"
        }
        #[inline]
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const { &[::mvx_metrics::__private::EventHandler::of::<Sent>()] }
        }
        #[inline]
        fn snapshot(&self) -> ::mvx_metrics::__private::MetricSnapshot {
            ::mvx_metrics::__private::snapshot("traffic", self)
        }
        #[inline]
        fn descriptor(&self) -> ::mvx_metrics::__private::MetricDescriptor {
            ::mvx_metrics::__private::own_descriptor::<Self>("traffic", "")
        }
        #[inline]
        fn is_derived() -> ::mvx_metrics::__private::primitive::bool {
            true
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::TypedMetric for Traffic
    where
        Sent: ::mvx_metrics::__private::MetricEvent,
    {
        type Snapshot = TrafficSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            TrafficSnapshot {
                heaviest: ::mvx_metrics::__private::KeepsLabels::read_keeping(
                    &self.heaviest,
                    const { ::mvx_metrics::__private::checked_keep(10) },
                ),
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
        const NAME: &'static ::mvx_metrics::__private::primitive::str = "traffic";
        #[inline]
        fn restore(
            __snapshot: &::mvx_metrics::__private::MetricSnapshot,
            __taken_at: ::mvx_metrics::__private::Timestamp,
        ) -> ::mvx_metrics::__private::Option<Self::Snapshot> {
            ::mvx_metrics::__private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Fields for Traffic
    where
        Sent: ::mvx_metrics::__private::MetricEvent,
    {
        const DIMENSIONS: &'static [::mvx_metrics::__private::DimensionDescriptor] = &[
            ::mvx_metrics::__private::keeping(
                ::mvx_metrics::__private::describe::<
                    Top<(String, bool), Sum<u64>>,
                >(
                    "heaviest",
                    ::mvx_metrics::__private::None,
                    "",
                    const {
                        &[
                            ::mvx_metrics::__private::label_name("host"),
                            ::mvx_metrics::__private::label_name("secure"),
                        ]
                    },
                    ::mvx_metrics::__private::None,
                    ::mvx_metrics::__private::None,
                    ::mvx_metrics::__private::None,
                ),
                const { ::mvx_metrics::__private::checked_keep(10) },
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
                "heaviest",
                ::mvx_metrics::__private::KeepsLabels::read_value_keeping(
                    &self.heaviest,
                    const { ::mvx_metrics::__private::checked_keep(10) },
                ),
            );
        }
        #[inline]
        fn invalid(&self) -> ::mvx_metrics::__private::primitive::u64 {
            ::mvx_metrics::__private::sum(
                &[::mvx_metrics::__private::Dimension::invalid(&self.heaviest)],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Clone for TrafficSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                heaviest: ::mvx_metrics::__private::Clone::clone(&self.heaviest),
                invalid: ::mvx_metrics::__private::Clone::clone(&self.invalid),
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
    impl ::mvx_metrics::__private::Merge for TrafficSnapshot {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            ::mvx_metrics::__private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Debug for TrafficSnapshot {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut ::mvx_metrics::__private::Formatter<'_>,
        ) -> ::mvx_metrics::__private::FmtResult {
            ::mvx_metrics::__private::debug(
                __formatter,
                "TrafficSnapshot",
                &["heaviest", "invalid"],
                &[&self.heaviest, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for TrafficSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> ::mvx_metrics::__private::primitive::bool {
            self.heaviest == __other.heaviest && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Serialize for TrafficSnapshot {
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
    impl<'de> ::mvx_metrics::__private::Deserialize<'de> for TrafficSnapshot {
        fn deserialize<__D: ::mvx_metrics::__private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> ::mvx_metrics::__private::Result<Self, __D::Error> {
            ::mvx_metrics::__private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::SnapshotFields for TrafficSnapshot {
        const INVALID: &'static ::mvx_metrics::__private::primitive::str = "invalid";
        fn write<__M: ::mvx_metrics::__private::SerializeMap>(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __map: &mut __M,
        ) -> ::mvx_metrics::__private::Result<(), __M::Error> {
            ::mvx_metrics::__private::write(
                __map,
                __prefix,
                &["heaviest"],
                &[&self.heaviest],
            )
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
                "heaviest" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Top<(String, bool), Sum<u64>>>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                _ => ::mvx_metrics::__private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut ::mvx_metrics::__private::PartialSnapshot) {
            __partial.require(&[(0usize, "heaviest")]);
        }
        #[inline]
        fn finish(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> Self {
            Self {
                heaviest: ::mvx_metrics::__private::take(__partial, 0usize),
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
            <Top<
                (String, bool),
                Sum<u64>,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.heaviest,
                &__other.heaviest,
                ::mvx_metrics::__private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.heaviest = <Top<
                (String, bool),
                Sum<u64>,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.heaviest,
                &__earlier.heaviest,
            );
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            false
                || <Top<
                    (String, bool),
                    Sum<u64>,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.heaviest,
                    &__earlier.heaviest,
                )
        }
    }
};
