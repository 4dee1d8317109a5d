/// The state of [`Requests`] at one moment.
struct RequestsSnapshot {
    /// The dimension `all`.
    all: ::mvx_metrics::__private::Output<Counter>,
    /// The dimension `open`.
    open: ::mvx_metrics::__private::Output<InFlight>,
    /// The dimension `by_host`.
    by_host: ::mvx_metrics::__private::Output<Breakdown<String, Sum<u64>>>,
    /// The dimension `large`.
    large: ::mvx_metrics::__private::Output<Max<u64>>,
    /// The dimension `steps`.
    steps: ::mvx_metrics::__private::Output<Sum<u64>>,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    use ::mvx_metrics::__private;
    type __EnumOfEvents0 = Request;
    #[automatically_derived]
    impl<T> __private::HandleEvent<Request> for Requests<T>
    where
        Requests<T>: __private::Send + 'static,
        Request: __private::MetricEvent,
        Job<T>: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Request) -> __private::primitive::bool {
            let mut __accepted = false;
            match __e {
                __EnumOfEvents0::Refused { .. } => {
                    if !{
                        let __condition: __private::primitive::bool = Request::is_final(
                            __e,
                        );
                        __condition
                    } {
                        return false;
                    }
                    __accepted
                        |= {
                            let __handled: __private::primitive::bool = Self::refused(
                                self,
                                __e,
                            );
                            __handled
                        };
                }
                __EnumOfEvents0::Started { .. } => {
                    __accepted |= __private::Add::add(&mut self.open, 1u64);
                }
                __EnumOfEvents0::Ended {
                    peer: __field_peer,
                    bytes: __field_bytes,
                    ..
                } => {
                    __accepted |= __private::Sub::sub(&mut self.open, 1u64);
                    __accepted
                        |= __private::ByLabel::update_within(
                            &mut self.by_host,
                            __field_peer,
                            10,
                            |__each| __private::Record::record(__each, *__field_bytes),
                        );
                    if __private::when(__e, |e| e.is_large()) {
                        __accepted
                            |= __private::Record::record(
                                &mut self.large,
                                *__field_bytes,
                            );
                    }
                }
                _ => {}
            }
            __accepted |= __private::Count::count(&mut self.all);
            __accepted
        }
    }
    #[automatically_derived]
    impl<T> __private::HandleEvent<Job<T>> for Requests<T>
    where
        Requests<T>: __private::Send + 'static,
        Request: __private::MetricEvent,
        Job<T>: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Job<T>) -> __private::primitive::bool {
            let mut __accepted = false;
            match __e {
                Job::<T>::Ended { 0: __field_0, .. } => {
                    __accepted |= __private::Record::record(&mut self.steps, *__field_0);
                }
                _ => {}
            }
            __accepted
        }
    }
    #[automatically_derived]
    impl<T> __private::Metric for Requests<T>
    where
        Requests<T>: __private::Send + 'static,
        Request: __private::MetricEvent,
        Job<T>: __private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "requests"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const {
                &[
                    __private::EventHandler::of::<Request>(),
                    __private::EventHandler::of::<Job<T>>(),
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
    impl<T> __private::per_label::PerLabel for Requests<T>
    where
        Requests<T>: __private::Send + 'static,
        Request: __private::MetricEvent,
        Job<T>: __private::MetricEvent,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl<T> __private::TypedMetric for Requests<T>
    where
        Requests<T>: __private::Send + 'static,
        Request: __private::MetricEvent,
        Job<T>: __private::MetricEvent,
    {
        type Snapshot = RequestsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            RequestsSnapshot {
                all: __private::Dimension::read(&self.all),
                open: __private::Dimension::read(&self.open),
                by_host: __private::Dimension::read(&self.by_host),
                large: __private::Dimension::read(&self.large),
                steps: __private::Dimension::read(&self.steps),
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
    impl<T> __private::Fields for Requests<T>
    where
        Requests<T>: __private::Send + 'static,
        Request: __private::MetricEvent,
        Job<T>: __private::MetricEvent,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[
            __private::describe::<
                Counter,
            >(
                "all",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
            __private::describe::<
                InFlight,
            >(
                "open",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
            __private::describe::<
                Breakdown<String, Sum<u64>>,
            >(
                "by_host",
                __private::None,
                "",
                const { &[__private::label_name("host")] },
                __private::limit::<
                    <Breakdown<String, Sum<u64>> as __private::HasLabel>::Label,
                >(10),
                __private::None,
                __private::None,
            ),
            __private::describe::<
                Max<u64>,
            >(
                "large",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
            __private::describe::<
                Sum<u64>,
            >(
                "steps",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
        ];
        const ORDERED: &'static [(
            &'static __private::primitive::str,
            __private::NeedsOrder,
        )] = &[("Self::refused", __private::NeedsOrder::Handler)];
        #[inline]
        fn values(
            &self,
            __prefix: &__private::primitive::str,
            __dimensions: &mut __private::Dimensions,
        ) {
            __private::push(
                __dimensions,
                __prefix,
                "all",
                __private::Dimension::read_value(&self.all),
            );
            __private::push(
                __dimensions,
                __prefix,
                "open",
                __private::Dimension::read_value(&self.open),
            );
            __private::push(
                __dimensions,
                __prefix,
                "by_host",
                __private::Dimension::read_value(&self.by_host),
            );
            __private::push(
                __dimensions,
                __prefix,
                "large",
                __private::Dimension::read_value(&self.large),
            );
            __private::push(
                __dimensions,
                __prefix,
                "steps",
                __private::Dimension::read_value(&self.steps),
            );
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(
                &[
                    __private::Dimension::invalid(&self.all),
                    __private::Dimension::invalid(&self.open),
                    __private::Dimension::invalid(&self.by_host),
                    __private::Dimension::invalid(&self.large),
                    __private::Dimension::invalid(&self.steps),
                ],
            )
        }
    }
    #[automatically_derived]
    impl __private::Clone for RequestsSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                all: __private::Clone::clone(&self.all),
                open: __private::Clone::clone(&self.open),
                by_host: __private::Clone::clone(&self.by_host),
                large: __private::Clone::clone(&self.large),
                steps: __private::Clone::clone(&self.steps),
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
                &["all", "open", "by_host", "large", "steps", "invalid"],
                &[
                    &self.all,
                    &self.open,
                    &self.by_host,
                    &self.large,
                    &self.steps,
                    &self.invalid,
                ],
            )
        }
    }
    #[automatically_derived]
    impl __private::PartialEq for RequestsSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.all == __other.all && self.open == __other.open
                && self.by_host == __other.by_host && self.large == __other.large
                && self.steps == __other.steps && self.invalid == __other.invalid
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
                5usize,
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
                &["all", "open", "by_host", "large", "steps"],
                &[&self.all, &self.open, &self.by_host, &self.large, &self.steps],
            )
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                "all" => {
                    __private::read::<
                        __private::Output<Counter>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "open" => {
                    __private::read::<
                        __private::Output<InFlight>,
                        __A,
                    >(__partial, 1usize, __map)
                }
                "by_host" => {
                    __private::read::<
                        __private::Output<Breakdown<String, Sum<u64>>>,
                        __A,
                    >(__partial, 2usize, __map)
                }
                "large" => {
                    __private::read::<
                        __private::Output<Max<u64>>,
                        __A,
                    >(__partial, 3usize, __map)
                }
                "steps" => {
                    __private::read::<
                        __private::Output<Sum<u64>>,
                        __A,
                    >(__partial, 4usize, __map)
                }
                _ => __private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
            __partial
                .require(
                    &[
                        (0usize, "all"),
                        (1usize, "open"),
                        (2usize, "by_host"),
                        (3usize, "large"),
                        (4usize, "steps"),
                    ],
                );
        }
        #[inline]
        fn finish(
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                all: __private::take(__partial, 0usize),
                open: __private::take(__partial, 1usize),
                by_host: __private::take(__partial, 2usize),
                large: __private::take(__partial, 3usize),
                steps: __private::take(__partial, 4usize),
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
                &mut self.all,
                &__other.all,
                __private::None,
            );
            <InFlight as __private::Dimension>::merge_outputs(
                &mut self.open,
                &__other.open,
                __private::None,
            );
            <Breakdown<
                String,
                Sum<u64>,
            > as __private::Dimension>::merge_outputs(
                &mut self.by_host,
                &__other.by_host,
                __private::None,
            );
            <Max<
                u64,
            > as __private::Dimension>::merge_outputs(
                &mut self.large,
                &__other.large,
                __private::None,
            );
            <Sum<
                u64,
            > as __private::Dimension>::merge_outputs(
                &mut self.steps,
                &__other.steps,
                __private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.all = <Counter as __private::Dimension>::since(
                &self.all,
                &__earlier.all,
            );
            self.open = <InFlight as __private::Dimension>::since(
                &self.open,
                &__earlier.open,
            );
            self.by_host = <Breakdown<
                String,
                Sum<u64>,
            > as __private::Dimension>::since(&self.by_host, &__earlier.by_host);
            self.large = <Max<
                u64,
            > as __private::Dimension>::since(&self.large, &__earlier.large);
            self.steps = <Sum<
                u64,
            > as __private::Dimension>::since(&self.steps, &__earlier.steps);
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
            __is_gone: __private::primitive::bool,
        ) -> __private::primitive::bool {
            false
                || __private::has_fallen::<Counter>(&self.all, &__earlier.all, __is_gone)
                || __private::has_fallen::<
                    InFlight,
                >(&self.open, &__earlier.open, __is_gone)
                || __private::has_fallen::<
                    Breakdown<String, Sum<u64>>,
                >(&self.by_host, &__earlier.by_host, __is_gone)
                || __private::has_fallen::<
                    Max<u64>,
                >(&self.large, &__earlier.large, __is_gone)
                || __private::has_fallen::<
                    Sum<u64>,
                >(&self.steps, &__earlier.steps, __is_gone)
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
    /**A handler of your own, `fn(&mut Self, &Event) -> bool`, is called with the event. A field listens to it only with an `on` of its own.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod with {}
};
#[cfg(miri)]
const _: () = {
    /**The event is ignored unless the condition holds.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod when {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The amount to add; 1 by default.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod add {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The amount to subtract; 1 by default.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod sub {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The value to record.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod value {}
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
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The value to record.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod value {}
};
#[cfg(miri)]
const _: () = {
    /**The event is ignored unless the condition holds.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod when {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The value to record.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod value {}
};
