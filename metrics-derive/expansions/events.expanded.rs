/// The state of [`Connections`] at one moment.
#[non_exhaustive]
struct ConnectionsSnapshot
where
    Traffic: ::mvx_metrics::__private::Fields,
{
    /// The dimension `open`.
    open: ::mvx_metrics::__private::Output<InFlight>,
    /// The dimension `by_host`.
    by_host: ::mvx_metrics::__private::Output<Breakdown<(String, u16), Counter>>,
    /// The dimension `longest`.
    longest: ::mvx_metrics::__private::Output<Max<Duration>>,
    /// The dimension `traffic`.
    traffic: ::mvx_metrics::__private::Flattened<Traffic>,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    use ::mvx_metrics::__private;
    #[automatically_derived]
    impl __private::HandleEvent<Opened> for Connections
    where
        Opened: __private::MetricEvent,
        Closed: __private::MetricEvent,
        Traffic: __private::Fields,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Opened) -> __private::primitive::bool {
            let mut __accepted = false;
            __accepted |= __private::Add::add(&mut self.open, 1u64);
            __accepted
                |= __private::ByLabel::update_within(
                    &mut self.by_host,
                    (&__e.host, &__e.port),
                    100,
                    |__each| __private::Count::count(__each),
                );
            __accepted
                |= __private::HandleEvent::<Opened>::handle(&mut self.traffic, __e);
            __accepted
        }
    }
    #[automatically_derived]
    impl __private::HandleEvent<Closed> for Connections
    where
        Opened: __private::MetricEvent,
        Closed: __private::MetricEvent,
        Traffic: __private::Fields,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &Closed) -> __private::primitive::bool {
            if !{
                let __condition: __private::primitive::bool = Closed::is_regular(__e);
                __condition
            } {
                return false;
            }
            let mut __accepted = false;
            __accepted
                |= {
                    let __handled: __private::primitive::bool = Self::closed(self, __e);
                    __handled
                };
            __accepted |= __private::Sub::sub(&mut self.open, 1u64);
            __accepted
        }
    }
    #[automatically_derived]
    impl __private::Metric for Connections
    where
        Opened: __private::MetricEvent,
        Closed: __private::MetricEvent,
        Traffic: __private::Fields,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "connections"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const {
                &[
                    __private::EventHandler::of::<Opened>(),
                    __private::EventHandler::of::<Closed>(),
                ]
            }
        }
        #[inline]
        fn snapshot(&self) -> __private::MetricSnapshot {
            __private::snapshot_in_units("connections", self)
        }
        #[inline]
        fn descriptor(&self) -> __private::MetricDescriptor {
            __private::descriptor::<Self>("connections", "")
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
    impl __private::per_label::PerLabel for Connections
    where
        Opened: __private::MetricEvent,
        Closed: __private::MetricEvent,
        Traffic: __private::Fields,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl __private::TypedMetric for Connections
    where
        Opened: __private::MetricEvent,
        Closed: __private::MetricEvent,
        Traffic: __private::Fields,
    {
        type Snapshot = ConnectionsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            ConnectionsSnapshot {
                open: __private::Dimension::read(&self.open),
                by_host: __private::Dimension::read(&self.by_host),
                longest: __private::Dimension::read(&self.longest),
                traffic: __private::flattened(&self.traffic),
                invalid: __private::Fields::invalid(self),
                __times,
            }
        }
        const NAME: &'static __private::primitive::str = "connections";
        #[inline]
        fn restore(
            __snapshot: &__private::MetricSnapshot,
            __taken_at: __private::Timestamp,
        ) -> __private::Option<Self::Snapshot> {
            __private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    const _: () = __private::assert_distinct(&<Connections as __private::Fields>::NAMES);
    #[automatically_derived]
    impl __private::Fields for Connections
    where
        Opened: __private::MetricEvent,
        Closed: __private::MetricEvent,
        Traffic: __private::Fields,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[
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
                Breakdown<(String, u16), Counter>,
            >(
                "by_host",
                __private::None,
                "",
                const {
                    &[__private::label_name("host"), __private::label_name("service")]
                },
                __private::limit::<
                    <Breakdown<(String, u16), Counter> as __private::HasLabel>::Label,
                >(100),
                __private::None,
                __private::None,
            ),
            __private::describe::<
                Max<Duration>,
            >(
                "longest",
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
        )] = &[
            ("Self::closed", __private::NeedsOrder::Handler),
            ("started", __private::NeedsOrder::Skipped),
        ];
        const NAMES: __private::Names = __private::Names {
            own: <Self as __private::Fields>::DIMENSIONS,
            names: &[],
            flattened: &[("traffic_", <Traffic as __private::Fields>::NAMES)],
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
                &<Self as __private::Fields>::DIMENSIONS[0usize..3usize],
                __dimensions,
            );
            <Traffic as __private::Fields>::describe(
                &__private::prefixed(__prefix, "traffic_"),
                __dimensions,
            );
            __private::describe_all(
                __prefix,
                &<Self as __private::Fields>::DIMENSIONS[3usize..],
                __dimensions,
            );
        }
        #[inline]
        fn values(
            &self,
            __prefix: &__private::primitive::str,
            __dimensions: &mut __private::Dimensions,
        ) {
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
                "longest",
                __private::Dimension::read_value(&self.longest),
            );
            __private::Fields::values(
                &self.traffic,
                &__private::prefixed(__prefix, "traffic_"),
                __dimensions,
            );
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(
                &[
                    __private::Dimension::invalid(&self.open),
                    __private::Dimension::invalid(&self.by_host),
                    __private::Dimension::invalid(&self.longest),
                    __private::Fields::invalid(&self.traffic),
                ],
            )
        }
    }
    #[automatically_derived]
    impl __private::Clone for ConnectionsSnapshot
    where
        Traffic: __private::Fields,
    {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                open: __private::Clone::clone(&self.open),
                by_host: __private::Clone::clone(&self.by_host),
                longest: __private::Clone::clone(&self.longest),
                traffic: __private::Clone::clone(&self.traffic),
                invalid: __private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl ConnectionsSnapshot
    where
        Traffic: __private::Fields,
    {
        /// What [`Connections`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
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
    impl __private::Merge for ConnectionsSnapshot
    where
        Traffic: __private::Fields,
    {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            __private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl __private::Debug for ConnectionsSnapshot
    where
        Traffic: __private::Fields,
    {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut __private::Formatter<'_>,
        ) -> __private::FmtResult {
            __private::debug(
                __formatter,
                "ConnectionsSnapshot",
                &["open", "by_host", "longest", "traffic", "invalid"],
                &[&self.open, &self.by_host, &self.longest, &self.traffic, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl __private::PartialEq for ConnectionsSnapshot
    where
        Traffic: __private::Fields,
    {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.open == __other.open && self.by_host == __other.by_host
                && self.longest == __other.longest && self.traffic == __other.traffic
                && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl __private::Serialize for ConnectionsSnapshot
    where
        Traffic: __private::Fields,
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
    impl<'de> __private::Deserialize<'de> for ConnectionsSnapshot
    where
        Traffic: __private::Fields,
    {
        fn deserialize<__D: __private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> __private::Result<Self, __D::Error> {
            __private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl __private::SnapshotFields for ConnectionsSnapshot
    where
        Traffic: __private::Fields,
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
                &["open", "by_host", "longest", "traffic_"],
                &[
                    &self.open,
                    &self.by_host,
                    &self.longest,
                    &__private::AllFields(&self.traffic),
                ],
            )
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                "open" => {
                    __private::read::<
                        __private::Output<InFlight>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "by_host" => {
                    __private::read::<
                        __private::Output<Breakdown<(String, u16), Counter>>,
                        __A,
                    >(__partial, 1usize, __map)
                }
                "longest" => {
                    __private::read::<
                        __private::Output<Max<Duration>>,
                        __A,
                    >(__partial, 2usize, __map)
                }
                _ => {
                    if let __private::Some(__rest) = __private::primitive::str::strip_prefix(
                        __name,
                        "traffic_",
                    ) {
                        if <__private::Flattened<
                            Traffic,
                        > as __private::SnapshotFields>::read(
                            __partial.nested(3usize, "traffic_"),
                            __rest,
                            __map,
                        )? {
                            return __private::Ok(true);
                        }
                    }
                    __private::Ok(false)
                }
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
            __partial
                .require(&[(0usize, "open"), (1usize, "by_host"), (2usize, "longest")]);
            <__private::Flattened<
                Traffic,
            > as __private::SnapshotFields>::require(
                __partial.nested(3usize, "traffic_"),
            );
        }
        #[inline]
        fn finish(
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                open: __private::take(__partial, 0usize),
                by_host: __private::take(__partial, 1usize),
                longest: __private::take(__partial, 2usize),
                traffic: __private::SnapshotFields::finish(
                    __partial.nested(3usize, "traffic_"),
                    0,
                ),
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
            <InFlight as __private::Dimension>::merge_outputs(
                &mut self.open,
                &__other.open,
                __private::None,
            );
            <Breakdown<
                (String, u16),
                Counter,
            > as __private::Dimension>::merge_outputs(
                &mut self.by_host,
                &__other.by_host,
                __private::None,
            );
            <Max<
                Duration,
            > as __private::Dimension>::merge_outputs(
                &mut self.longest,
                &__other.longest,
                __private::None,
            );
            __private::SnapshotFields::merge_fields(&mut self.traffic, &__other.traffic);
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.open = <InFlight as __private::Dimension>::since(
                &self.open,
                &__earlier.open,
            );
            self.by_host = <Breakdown<
                (String, u16),
                Counter,
            > as __private::Dimension>::since(&self.by_host, &__earlier.by_host);
            self.longest = <Max<
                Duration,
            > as __private::Dimension>::since(&self.longest, &__earlier.longest);
            __private::SnapshotFields::subtract_fields(
                &mut self.traffic,
                &__earlier.traffic,
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
                    InFlight,
                >(&self.open, &__earlier.open, __is_gone)
                || __private::has_fallen::<
                    Breakdown<(String, u16), Counter>,
                >(&self.by_host, &__earlier.by_host, __is_gone)
                || __private::has_fallen::<
                    Max<Duration>,
                >(&self.longest, &__earlier.longest, __is_gone)
                || __private::SnapshotFields::has_fallen(
                    &self.traffic,
                    &__earlier.traffic,
                    __is_gone,
                )
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
    /**Only a `with` handler changes the field.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod manual {}
};
#[cfg(miri)]
const _: () = {
    /**The field is a metric; its dimensions become part of this one.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod flatten {}
};
#[cfg(miri)]
const _: () = {
    /**The text in front of the names of the flattened dimensions.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod prefix {}
};
#[cfg(miri)]
const _: () = {
    /**The field listens to this event, and not to those of the struct; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The field is not a dimension.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod skip {}
};
