/// The state of [`Requests`] at one moment.
struct RequestsSnapshot {
    /// The dimension `latency`.
    latency: ::mvx_metrics::__private::Output<Histogram<Duration>>,
    /// The dimension `of_variants`.
    of_variants: ::mvx_metrics::__private::Output<Histogram<Duration>>,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    use ::mvx_metrics::__private;
    const __BUCKETS_1: &[Duration] = &__private::DurationBounds::<
        __private::primitive::f64,
    >(&[1.0, 2.0])
        .of_durations_or_seconds::<2usize>();
    static __LAYOUT_1: __private::BucketLayout<Duration> = __private::BucketLayout::new(
        __BUCKETS_1,
        const {
            &__private::BucketsOf::<
                Duration,
            >::guesses::<{ __BUCKETS_1.len() }>(__BUCKETS_1)
        },
    );
    #[automatically_derived]
    impl __private::HandleEvent<Started> for Requests
    where
        Started: __private::MetricEvent,
        Ended: __private::MetricEvent,
        Request: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Started) -> __private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= __private::EventId::begin_in(
                    &__e.id,
                    &mut self.latency,
                    __private::EventTime::event_time(__e.since),
                    const { __private::checked_open_limit(100) },
                );
            __accepted
        }
    }
    #[automatically_derived]
    impl __private::HandleEvent<Ended> for Requests
    where
        Started: __private::MetricEvent,
        Ended: __private::MetricEvent,
        Request: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Ended) -> __private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= __private::EventId::end_in(
                    __private::EventId::of_kind(
                        __private::id_of_begin::<
                            Started,
                            _,
                        >(|__e| __private::EventId::id_kind(&__e.id)),
                        __private::with(__e, |e| e.id()),
                    ),
                    &mut self.latency,
                    __private::EventTime::event_time(__e.now),
                );
            __accepted
        }
    }
    type __EnumOfEvents2 = Request;
    #[automatically_derived]
    impl __private::HandleEvent<Request> for Requests
    where
        Started: __private::MetricEvent,
        Ended: __private::MetricEvent,
        Request: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Request) -> __private::primitive::bool {
            let mut __accepted = false;
            match __e {
                __EnumOfEvents2::Started { id: __field_id, at: __field_at, .. } => {
                    __accepted
                        |= __private::EventId::begin_in(
                            __field_id,
                            &mut __private::Bucketed::within(
                                &mut self.of_variants,
                                &__LAYOUT_1,
                            ),
                            __private::EventTime::event_time(*__field_at),
                            const { __private::checked_open_limit(MAX_OPEN) },
                        );
                }
                __EnumOfEvents2::Ended { 0: __field_0, 1: __field_1, .. } => {
                    if {
                        let __condition: __private::primitive::bool = Request::is_final(
                            __e,
                        );
                        __condition
                    } {
                        __accepted
                            |= __private::EventId::end_in(
                                __private::EventId::of_kind(
                                    __private::id_of_begin::<
                                        Request,
                                        _,
                                    >(|__e| __private::EventId::id_kind(
                                        match __e {
                                            __EnumOfEvents2::Started { id: __field_id, .. } => {
                                                __private::Some(__field_id)
                                            }
                                            _ => __private::None,
                                        },
                                    )),
                                    __field_0,
                                ),
                                &mut __private::Bucketed::within(
                                    &mut self.of_variants,
                                    &__LAYOUT_1,
                                ),
                                __private::EventTime::event_time(*__field_1),
                            );
                    }
                }
                _ => {}
            }
            __accepted
        }
    }
    #[automatically_derived]
    impl __private::Metric for Requests
    where
        Started: __private::MetricEvent,
        Ended: __private::MetricEvent,
        Request: __private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "requests"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const {
                &[
                    __private::EventHandler::of::<Started>(),
                    __private::EventHandler::of::<Ended>(),
                    __private::EventHandler::of::<Request>(),
                ]
            }
        }
        #[inline]
        fn snapshot(&self) -> __private::MetricSnapshot {
            __private::snapshot("requests", self)
        }
        #[inline]
        fn descriptor(&self) -> __private::MetricDescriptor {
            __private::own_descriptor::<Self>("requests", "")
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
    impl __private::per_label::PerLabel for Requests
    where
        Started: __private::MetricEvent,
        Ended: __private::MetricEvent,
        Request: __private::MetricEvent,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl __private::TypedMetric for Requests
    where
        Started: __private::MetricEvent,
        Ended: __private::MetricEvent,
        Request: __private::MetricEvent,
    {
        type Snapshot = RequestsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            RequestsSnapshot {
                latency: __private::Dimension::read(&self.latency),
                of_variants: __private::BucketedReading::read_within(
                    &self.of_variants,
                    &__LAYOUT_1,
                    true,
                ),
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
    #[automatically_derived]
    impl __private::Fields for Requests
    where
        Started: __private::MetricEvent,
        Ended: __private::MetricEvent,
        Request: __private::MetricEvent,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[
            __private::with_open_limit(
                __private::describe::<
                    Histogram<Duration>,
                >(
                    "latency",
                    __private::None,
                    "",
                    const { &[] },
                    __private::None,
                    __private::None,
                    __private::None,
                ),
                const { __private::checked_open_limit(100) },
            ),
            __private::with_open_limit(
                __private::describe::<
                    Histogram<Duration>,
                >(
                    "of_variants",
                    __private::None,
                    "",
                    const { &[] },
                    __private::None,
                    __private::None,
                    __private::Some(const {
                        &__private::BucketsOf::<
                            Duration,
                        >::numbers::<{ __BUCKETS_1.len() }>(__BUCKETS_1)
                    }),
                ),
                const { __private::checked_open_limit(MAX_OPEN) },
            ),
        ];
        const ORDERED: &'static [(
            &'static __private::primitive::str,
            __private::NeedsOrder,
        )] = &[
            ("latency", __private::NeedsOrder::BetweenEvents),
            ("of_variants", __private::NeedsOrder::BetweenEvents),
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
                "latency",
                __private::Dimension::read_value(&self.latency),
            );
            __private::push(
                __dimensions,
                __prefix,
                "of_variants",
                __private::BucketedReading::read_value_within(
                    &self.of_variants,
                    &__LAYOUT_1,
                    true,
                ),
            );
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(
                &[
                    __private::Dimension::invalid(&self.latency),
                    __private::Dimension::invalid(&self.of_variants),
                ],
            )
        }
    }
    #[automatically_derived]
    impl __private::Clone for RequestsSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                latency: __private::Clone::clone(&self.latency),
                of_variants: __private::Clone::clone(&self.of_variants),
                invalid: __private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl RequestsSnapshot {
        /// What [`Requests`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
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
    impl __private::Merge for RequestsSnapshot {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            __private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl __private::Debug for RequestsSnapshot {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut __private::Formatter<'_>,
        ) -> __private::FmtResult {
            __private::debug(
                __formatter,
                "RequestsSnapshot",
                &["latency", "of_variants", "invalid"],
                &[&self.latency, &self.of_variants, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl __private::PartialEq for RequestsSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.latency == __other.latency && self.of_variants == __other.of_variants
                && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl __private::Serialize for RequestsSnapshot {
        fn serialize<__S: __private::Serializer>(
            &self,
            __serializer: __S,
        ) -> __private::Result<__S::Ok, __S::Error> {
            __private::serialize(
                &__private::AllFields(self),
                2usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de> __private::Deserialize<'de> for RequestsSnapshot {
        fn deserialize<__D: __private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> __private::Result<Self, __D::Error> {
            __private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl __private::SnapshotFields for RequestsSnapshot {
        const INVALID: &'static __private::primitive::str = "invalid";
        fn write<__M: __private::SerializeMap>(
            &self,
            __prefix: __private::Prefix<'_>,
            __map: &mut __M,
        ) -> __private::Result<(), __M::Error> {
            __private::write(
                __map,
                __prefix,
                &["latency", "of_variants"],
                &[&self.latency, &self.of_variants],
            )
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                "latency" => {
                    __private::read::<
                        __private::Output<Histogram<Duration>>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "of_variants" => {
                    __private::read::<
                        __private::Output<Histogram<Duration>>,
                        __A,
                    >(__partial, 1usize, __map)
                }
                _ => __private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
            __partial.require(&[(0usize, "latency"), (1usize, "of_variants")]);
        }
        #[inline]
        fn finish(
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                latency: __private::take(__partial, 0usize),
                of_variants: __private::take(__partial, 1usize),
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
            <Histogram<
                Duration,
            > as __private::Dimension>::merge_outputs(
                &mut self.latency,
                &__other.latency,
                __private::None,
            );
            <Histogram<
                Duration,
            > as __private::Dimension>::merge_outputs(
                &mut self.of_variants,
                &__other.of_variants,
                __private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.latency = <Histogram<
                Duration,
            > as __private::Dimension>::since(&self.latency, &__earlier.latency);
            self.of_variants = <Histogram<
                Duration,
            > as __private::Dimension>::since(&self.of_variants, &__earlier.of_variants);
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
            __is_gone: __private::primitive::bool,
        ) -> __private::primitive::bool {
            false
                || __private::has_fallen::<
                    Histogram<Duration>,
                >(&self.latency, &__earlier.latency, __is_gone)
                || __private::has_fallen::<
                    Histogram<Duration>,
                >(&self.of_variants, &__earlier.of_variants, __is_gone)
        }
    }
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The id that begins with this event; its `end` records the time between both.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod begin {}
};
#[cfg(miri)]
const _: () = {
    /**The `Instant` of an event with `begin` or `end`.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod at {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The id that ends with this event.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod end {}
};
#[cfg(miri)]
const _: () = {
    /**The `Instant` of an event with `begin` or `end`.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod at {}
};
#[cfg(miri)]
const _: () = {
    /**The largest number of labels in a breakdown; further labels are counted under `other`. With `begin`, the most ids that are open at once.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod limit {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The id that begins with this event; its `end` records the time between both.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod begin {}
};
#[cfg(miri)]
const _: () = {
    /**The `Instant` of an event with `begin` or `end`.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod at {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The id that ends with this event.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod end {}
};
#[cfg(miri)]
const _: () = {
    /**The `Instant` of an event with `begin` or `end`.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod at {}
};
#[cfg(miri)]
const _: () = {
    /**The event is ignored unless the condition holds.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod when {}
};
#[cfg(miri)]
const _: () = {
    /**The largest number of labels in a breakdown; further labels are counted under `other`. With `begin`, the most ids that are open at once.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod limit {}
};
#[cfg(miri)]
const _: () = {
    /**The upper bounds of a histogram: an ascending list, a constant, or `exponential(start, factor, n)`.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod buckets {}
};
