/// The state of [`Requests`] at one moment.
struct RequestsSnapshot {
    /// The dimension `latency`.
    latency: ::mvx_metrics::__private::Output<Histogram<Duration>>,
    /// The dimension `of_variants`.
    of_variants: ::mvx_metrics::__private::Output<Histogram<Duration>>,
    /// How many values could not be recorded because they were not finite.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    const __BUCKETS_1: &[Duration] = &::mvx_metrics::__private::DurationBounds::<
        ::mvx_metrics::__private::primitive::f64,
    >(&[1.0, 2.0])
        .of_durations_or_seconds::<2usize>();
    static __LAYOUT_1: ::mvx_metrics::__private::BucketLayout<Duration> = ::mvx_metrics::__private::BucketLayout::new(
        __BUCKETS_1,
        const {
            &::mvx_metrics::__private::BucketsOf::<
                Duration,
            >::guesses::<{ __BUCKETS_1.len() }>(__BUCKETS_1)
        },
    );
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Started> for Requests
    where
        Started: ::mvx_metrics::__private::MetricEvent,
        Ended: ::mvx_metrics::__private::MetricEvent,
        Request: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Started,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= ::mvx_metrics::__private::EventId::begin_in(
                    &__event.id,
                    &mut self.latency,
                    ::mvx_metrics::__private::EventTime::event_time(__event.since),
                    const { ::mvx_metrics::__private::checked_open_limit(100) },
                );
            __accepted
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Ended> for Requests
    where
        Started: ::mvx_metrics::__private::MetricEvent,
        Ended: ::mvx_metrics::__private::MetricEvent,
        Request: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Ended,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= ::mvx_metrics::__private::EventId::end_in(
                    ::mvx_metrics::__private::EventId::of_kind(
                        ::mvx_metrics::__private::id_of_begin::<
                            Started,
                            _,
                        >(|__event| ::mvx_metrics::__private::EventId::id_kind(
                            &__event.id,
                        )),
                        ::mvx_metrics::__private::with(__event, |e| e.id()),
                    ),
                    &mut self.latency,
                    ::mvx_metrics::__private::EventTime::event_time(__event.now),
                );
            __accepted
        }
    }
    type __EnumOfEvents2 = Request;
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Request> for Requests
    where
        Started: ::mvx_metrics::__private::MetricEvent,
        Ended: ::mvx_metrics::__private::MetricEvent,
        Request: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Request,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            match __event {
                __EnumOfEvents2::Started { id: __field_id, at: __field_at, .. } => {
                    __accepted
                        |= ::mvx_metrics::__private::EventId::begin_in(
                            __field_id,
                            &mut ::mvx_metrics::__private::Bucketed::within(
                                &mut self.of_variants,
                                &__LAYOUT_1,
                            ),
                            ::mvx_metrics::__private::EventTime::event_time(*__field_at),
                            const {
                                ::mvx_metrics::__private::checked_open_limit(MAX_OPEN)
                            },
                        );
                }
                __EnumOfEvents2::Ended { 0: __field_0, 1: __field_1, .. } => {
                    if ::mvx_metrics::__private::when(__event, Request::is_final) {
                        __accepted
                            |= ::mvx_metrics::__private::EventId::end_in(
                                ::mvx_metrics::__private::EventId::of_kind(
                                    ::mvx_metrics::__private::id_of_begin::<
                                        Request,
                                        _,
                                    >(|__event| ::mvx_metrics::__private::EventId::id_kind(
                                        match __event {
                                            __EnumOfEvents2::Started { id: __field_id, .. } => {
                                                ::mvx_metrics::__private::Some(__field_id)
                                            }
                                            _ => ::mvx_metrics::__private::None,
                                        },
                                    )),
                                    __field_0,
                                ),
                                &mut ::mvx_metrics::__private::Bucketed::within(
                                    &mut self.of_variants,
                                    &__LAYOUT_1,
                                ),
                                ::mvx_metrics::__private::EventTime::event_time(*__field_1),
                            );
                    }
                }
                _ => {}
            }
            __accepted
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Metric for Requests
    where
        Started: ::mvx_metrics::__private::MetricEvent,
        Ended: ::mvx_metrics::__private::MetricEvent,
        Request: ::mvx_metrics::__private::MetricEvent,
    {
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "requests"
        }
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const {
                &[
                    ::mvx_metrics::__private::EventHandler::of::<Started>(),
                    ::mvx_metrics::__private::EventHandler::of::<Ended>(),
                    ::mvx_metrics::__private::EventHandler::of::<Request>(),
                ]
            }
        }
        fn snapshot(&self) -> ::mvx_metrics::__private::MetricSnapshot {
            ::mvx_metrics::__private::snapshot("requests", self)
        }
        fn descriptor(&self) -> ::mvx_metrics::__private::MetricDescriptor {
            ::mvx_metrics::__private::own_descriptor::<Self>("requests", "")
        }
        fn is_derived() -> ::mvx_metrics::__private::primitive::bool {
            true
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::TypedMetric for Requests
    where
        Started: ::mvx_metrics::__private::MetricEvent,
        Ended: ::mvx_metrics::__private::MetricEvent,
        Request: ::mvx_metrics::__private::MetricEvent,
    {
        type Snapshot = RequestsSnapshot;
        fn typed_snapshot(&self) -> Self::Snapshot {
            RequestsSnapshot {
                latency: ::mvx_metrics::__private::Dimension::read(&self.latency),
                of_variants: ::mvx_metrics::__private::BucketedReading::read_within(
                    &self.of_variants,
                    &__LAYOUT_1,
                    true,
                ),
                invalid: ::mvx_metrics::__private::Fields::invalid(self),
                __times: ::mvx_metrics::__private::Times::default(),
            }
        }
        fn typed_snapshot_at(
            &self,
            __times: ::mvx_metrics::__private::Times,
        ) -> Self::Snapshot {
            ::mvx_metrics::__private::typed_snapshot_at(self, __times)
        }
        const NAME: &'static ::mvx_metrics::__private::primitive::str = "requests";
        fn restore(
            __snapshot: &::mvx_metrics::__private::MetricSnapshot,
            __taken_at: ::mvx_metrics::__private::Timestamp,
        ) -> ::mvx_metrics::__private::Option<Self::Snapshot> {
            ::mvx_metrics::__private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Fields for Requests
    where
        Started: ::mvx_metrics::__private::MetricEvent,
        Ended: ::mvx_metrics::__private::MetricEvent,
        Request: ::mvx_metrics::__private::MetricEvent,
    {
        const DIMENSIONS: &'static [::mvx_metrics::__private::DimensionDescriptor] = &[
            ::mvx_metrics::__private::with_open_limit(
                ::mvx_metrics::__private::describe::<
                    Histogram<Duration>,
                >(
                    "latency",
                    ::mvx_metrics::__private::None,
                    "",
                    const { &[] },
                    ::mvx_metrics::__private::None,
                    ::mvx_metrics::__private::None,
                    ::mvx_metrics::__private::None,
                ),
                const { ::mvx_metrics::__private::checked_open_limit(100) },
            ),
            ::mvx_metrics::__private::with_open_limit(
                ::mvx_metrics::__private::describe::<
                    Histogram<Duration>,
                >(
                    "of_variants",
                    ::mvx_metrics::__private::None,
                    "",
                    const { &[] },
                    ::mvx_metrics::__private::None,
                    ::mvx_metrics::__private::None,
                    ::mvx_metrics::__private::Some(const {
                        &::mvx_metrics::__private::BucketsOf::<
                            Duration,
                        >::numbers::<{ __BUCKETS_1.len() }>(__BUCKETS_1)
                    }),
                ),
                const { ::mvx_metrics::__private::checked_open_limit(MAX_OPEN) },
            ),
        ];
        fn values(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __dimensions: &mut ::mvx_metrics::__private::Dimensions,
        ) {
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "latency",
                ::mvx_metrics::__private::Dimension::read_value(&self.latency),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "of_variants",
                ::mvx_metrics::__private::BucketedReading::read_value_within(
                    &self.of_variants,
                    &__LAYOUT_1,
                    true,
                ),
            );
        }
        fn invalid(&self) -> ::mvx_metrics::__private::primitive::u64 {
            ::mvx_metrics::__private::sum(
                &[
                    ::mvx_metrics::__private::Dimension::invalid(&self.latency),
                    ::mvx_metrics::__private::Dimension::invalid(&self.of_variants),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Clone for RequestsSnapshot {
        fn clone(&self) -> Self {
            Self {
                latency: ::mvx_metrics::__private::Clone::clone(&self.latency),
                of_variants: ::mvx_metrics::__private::Clone::clone(&self.of_variants),
                invalid: ::mvx_metrics::__private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl RequestsSnapshot {
        /// What [`Requests`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
        /// When counting began anew meanwhile, the interval counts from 0.
        #[must_use]
        fn since(&self, earlier: &Self) -> Self {
            ::mvx_metrics::__private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        fn restarted_since(
            &self,
            earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            ::mvx_metrics::__private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        fn taken_at(
            &self,
        ) -> ::mvx_metrics::__private::Option<::mvx_metrics::__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        fn counting_since(
            &self,
        ) -> ::mvx_metrics::__private::Option<::mvx_metrics::__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Merge for RequestsSnapshot {
        fn merge(&mut self, __other: &Self) {
            ::mvx_metrics::__private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Debug for RequestsSnapshot {
        fn fmt(
            &self,
            __formatter: &mut ::mvx_metrics::__private::Formatter<'_>,
        ) -> ::mvx_metrics::__private::FmtResult {
            ::mvx_metrics::__private::debug(
                __formatter,
                "RequestsSnapshot",
                &[
                    ("latency", &self.latency),
                    ("of_variants", &self.of_variants),
                    ("invalid", &self.invalid),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for RequestsSnapshot {
        fn eq(&self, __other: &Self) -> ::mvx_metrics::__private::primitive::bool {
            self.latency == __other.latency && self.of_variants == __other.of_variants
                && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Serialize for RequestsSnapshot {
        fn serialize<__S: ::mvx_metrics::__private::Serializer>(
            &self,
            __serializer: __S,
        ) -> ::mvx_metrics::__private::Result<__S::Ok, __S::Error> {
            ::mvx_metrics::__private::serialize(self, 2usize, self.invalid, __serializer)
        }
    }
    #[automatically_derived]
    impl<'de> ::mvx_metrics::__private::Deserialize<'de> for RequestsSnapshot {
        fn deserialize<__D: ::mvx_metrics::__private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> ::mvx_metrics::__private::Result<Self, __D::Error> {
            ::mvx_metrics::__private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::SnapshotFields for RequestsSnapshot {
        const INVALID: &'static ::mvx_metrics::__private::primitive::str = "invalid";
        fn write<__M: ::mvx_metrics::__private::SerializeMap>(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __map: &mut __M,
        ) -> ::mvx_metrics::__private::Result<(), __M::Error> {
            ::mvx_metrics::__private::write(__map, __prefix, "latency", &self.latency)?;
            ::mvx_metrics::__private::write(
                __map,
                __prefix,
                "of_variants",
                &self.of_variants,
            )?;
            ::mvx_metrics::__private::Ok(())
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
                "latency" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Histogram<Duration>>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "of_variants" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Histogram<Duration>>,
                        __A,
                    >(__partial, 1usize, __map)
                }
                _ => ::mvx_metrics::__private::Ok(false),
            }
        }
        fn finish<__E: ::mvx_metrics::__private::DeserializeError>(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> ::mvx_metrics::__private::Result<Self, __E> {
            ::mvx_metrics::__private::Ok(Self {
                latency: ::mvx_metrics::__private::finish(__partial, 0usize, "latency")?,
                of_variants: ::mvx_metrics::__private::finish(
                    __partial,
                    1usize,
                    "of_variants",
                )?,
                invalid: __invalid,
                __times: ::mvx_metrics::__private::Times::default(),
            })
        }
        fn head(
            &self,
        ) -> (
            ::mvx_metrics::__private::primitive::u64,
            ::mvx_metrics::__private::Times,
        ) {
            (self.invalid, self.__times)
        }
        fn head_mut(
            &mut self,
        ) -> (
            &mut ::mvx_metrics::__private::primitive::u64,
            &mut ::mvx_metrics::__private::Times,
        ) {
            (&mut self.invalid, &mut self.__times)
        }
        fn merge_fields(&mut self, __other: &Self) {
            <Histogram<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.latency,
                &__other.latency,
                ::mvx_metrics::__private::None,
            );
            <Histogram<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.of_variants,
                &__other.of_variants,
                ::mvx_metrics::__private::None,
            );
        }
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.latency = <Histogram<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.latency,
                &__earlier.latency,
            );
            self.of_variants = <Histogram<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.of_variants,
                &__earlier.of_variants,
            );
        }
        fn has_fallen(
            &self,
            __earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            false
                || <Histogram<
                    Duration,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.latency,
                    &__earlier.latency,
                )
                || <Histogram<
                    Duration,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.of_variants,
                    &__earlier.of_variants,
                )
        }
    }
};
