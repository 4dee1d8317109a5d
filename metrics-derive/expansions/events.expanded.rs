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
    /// How many values could not be recorded because they were not finite.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Opened> for Connections
    where
        Opened: ::mvx_metrics::__private::MetricEvent,
        Closed: ::mvx_metrics::__private::MetricEvent,
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Opened,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            __accepted |= ::mvx_metrics::__private::Add::add(&mut self.open, 1u64);
            __accepted
                |= ::mvx_metrics::__private::ByLabel::update_within(
                    &mut self.by_host,
                    (&__event.host, &__event.port),
                    100,
                    |__each| ::mvx_metrics::__private::Count::count(__each),
                );
            __accepted
                |= ::mvx_metrics::__private::HandleEvent::<
                    Opened,
                >::handle(&mut self.traffic, __event);
            __accepted
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Closed> for Connections
    where
        Opened: ::mvx_metrics::__private::MetricEvent,
        Closed: ::mvx_metrics::__private::MetricEvent,
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Closed,
        ) -> ::mvx_metrics::__private::primitive::bool {
            if !{
                let __condition: ::mvx_metrics::__private::primitive::bool = Closed::is_regular(
                    __event,
                );
                __condition
            } {
                return false;
            }
            let mut __accepted = false;
            __accepted
                |= {
                    let __handled: ::mvx_metrics::__private::primitive::bool = Self::closed(
                        self,
                        __event,
                    );
                    __handled
                };
            __accepted |= ::mvx_metrics::__private::Sub::sub(&mut self.open, 1u64);
            __accepted
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Metric for Connections
    where
        Opened: ::mvx_metrics::__private::MetricEvent,
        Closed: ::mvx_metrics::__private::MetricEvent,
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline]
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "connections"
        }
        #[inline]
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const {
                &[
                    ::mvx_metrics::__private::EventHandler::of::<Opened>(),
                    ::mvx_metrics::__private::EventHandler::of::<Closed>(),
                ]
            }
        }
        #[inline]
        fn snapshot(&self) -> ::mvx_metrics::__private::MetricSnapshot {
            ::mvx_metrics::__private::snapshot("connections", self)
        }
        #[inline]
        fn descriptor(&self) -> ::mvx_metrics::__private::MetricDescriptor {
            ::mvx_metrics::__private::descriptor::<Self>("connections", "")
        }
        #[inline]
        fn is_derived() -> ::mvx_metrics::__private::primitive::bool {
            true
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::TypedMetric for Connections
    where
        Opened: ::mvx_metrics::__private::MetricEvent,
        Closed: ::mvx_metrics::__private::MetricEvent,
        Traffic: ::mvx_metrics::__private::Fields,
    {
        type Snapshot = ConnectionsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            ConnectionsSnapshot {
                open: ::mvx_metrics::__private::Dimension::read(&self.open),
                by_host: ::mvx_metrics::__private::Dimension::read(&self.by_host),
                longest: ::mvx_metrics::__private::Dimension::read(&self.longest),
                traffic: ::mvx_metrics::__private::flattened(&self.traffic),
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
        const NAME: &'static ::mvx_metrics::__private::primitive::str = "connections";
        #[inline]
        fn restore(
            __snapshot: &::mvx_metrics::__private::MetricSnapshot,
            __taken_at: ::mvx_metrics::__private::Timestamp,
        ) -> ::mvx_metrics::__private::Option<Self::Snapshot> {
            ::mvx_metrics::__private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    const _: () = ::mvx_metrics::__private::assert_distinct(
        &<Connections as ::mvx_metrics::__private::Fields>::NAMES,
    );
    #[automatically_derived]
    impl ::mvx_metrics::__private::Fields for Connections
    where
        Opened: ::mvx_metrics::__private::MetricEvent,
        Closed: ::mvx_metrics::__private::MetricEvent,
        Traffic: ::mvx_metrics::__private::Fields,
    {
        const DIMENSIONS: &'static [::mvx_metrics::__private::DimensionDescriptor] = &[
            ::mvx_metrics::__private::describe::<
                InFlight,
            >(
                "open",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
            ::mvx_metrics::__private::describe::<
                Breakdown<(String, u16), Counter>,
            >(
                "by_host",
                ::mvx_metrics::__private::None,
                "",
                const {
                    &[
                        ::mvx_metrics::__private::label_name("host"),
                        ::mvx_metrics::__private::label_name("service"),
                    ]
                },
                ::mvx_metrics::__private::limit::<
                    <Breakdown<
                        (String, u16),
                        Counter,
                    > as ::mvx_metrics::__private::HasLabel>::Label,
                >(100),
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
            ::mvx_metrics::__private::describe::<
                Max<Duration>,
            >(
                "longest",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
        ];
        const NAMES: ::mvx_metrics::__private::Names = ::mvx_metrics::__private::Names {
            own: <Self as ::mvx_metrics::__private::Fields>::DIMENSIONS,
            flattened: &[
                ("traffic_", <Traffic as ::mvx_metrics::__private::Fields>::NAMES),
            ],
        };
        #[inline]
        fn describe(
            __prefix: &::mvx_metrics::__private::primitive::str,
            __dimensions: &mut ::mvx_metrics::__private::Vec<
                ::mvx_metrics::__private::DimensionDescriptor,
            >,
        ) {
            ::mvx_metrics::__private::describe_all(
                __prefix,
                &<Self as ::mvx_metrics::__private::Fields>::DIMENSIONS[0usize..3usize],
                __dimensions,
            );
            <Traffic as ::mvx_metrics::__private::Fields>::describe(
                &::mvx_metrics::__private::prefixed(__prefix, "traffic_"),
                __dimensions,
            );
            ::mvx_metrics::__private::describe_all(
                __prefix,
                &<Self as ::mvx_metrics::__private::Fields>::DIMENSIONS[3usize..],
                __dimensions,
            );
        }
        #[inline]
        fn values(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __dimensions: &mut ::mvx_metrics::__private::Dimensions,
        ) {
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "open",
                ::mvx_metrics::__private::Dimension::read_value(&self.open),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "by_host",
                ::mvx_metrics::__private::Dimension::read_value(&self.by_host),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "longest",
                ::mvx_metrics::__private::Dimension::read_value(&self.longest),
            );
            ::mvx_metrics::__private::Fields::values(
                &self.traffic,
                &::mvx_metrics::__private::prefixed(__prefix, "traffic_"),
                __dimensions,
            );
        }
        #[inline]
        fn invalid(&self) -> ::mvx_metrics::__private::primitive::u64 {
            ::mvx_metrics::__private::sum(
                &[
                    ::mvx_metrics::__private::Dimension::invalid(&self.open),
                    ::mvx_metrics::__private::Dimension::invalid(&self.by_host),
                    ::mvx_metrics::__private::Dimension::invalid(&self.longest),
                    ::mvx_metrics::__private::Fields::invalid(&self.traffic),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Clone for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                open: ::mvx_metrics::__private::Clone::clone(&self.open),
                by_host: ::mvx_metrics::__private::Clone::clone(&self.by_host),
                longest: ::mvx_metrics::__private::Clone::clone(&self.longest),
                traffic: ::mvx_metrics::__private::Clone::clone(&self.traffic),
                invalid: ::mvx_metrics::__private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        /// What [`Connections`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
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
    impl ::mvx_metrics::__private::Merge for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            ::mvx_metrics::__private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Debug for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut ::mvx_metrics::__private::Formatter<'_>,
        ) -> ::mvx_metrics::__private::FmtResult {
            ::mvx_metrics::__private::debug(
                __formatter,
                "ConnectionsSnapshot",
                &["open", "by_host", "longest", "traffic", "invalid"],
                &[&self.open, &self.by_host, &self.longest, &self.traffic, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline]
        fn eq(&self, __other: &Self) -> ::mvx_metrics::__private::primitive::bool {
            self.open == __other.open && self.by_host == __other.by_host
                && self.longest == __other.longest && self.traffic == __other.traffic
                && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Serialize for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        fn serialize<__S: ::mvx_metrics::__private::Serializer>(
            &self,
            __serializer: __S,
        ) -> ::mvx_metrics::__private::Result<__S::Ok, __S::Error> {
            ::mvx_metrics::__private::serialize(
                &::mvx_metrics::__private::AllFields(self),
                0usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de> ::mvx_metrics::__private::Deserialize<'de> for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        fn deserialize<__D: ::mvx_metrics::__private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> ::mvx_metrics::__private::Result<Self, __D::Error> {
            ::mvx_metrics::__private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::SnapshotFields for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        const INVALID: &'static ::mvx_metrics::__private::primitive::str = "invalid";
        fn write<__M: ::mvx_metrics::__private::SerializeMap>(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __map: &mut __M,
        ) -> ::mvx_metrics::__private::Result<(), __M::Error> {
            ::mvx_metrics::__private::write(
                __map,
                __prefix,
                &["open", "by_host", "longest", "traffic_"],
                &[
                    &self.open,
                    &self.by_host,
                    &self.longest,
                    &::mvx_metrics::__private::AllFields(&self.traffic),
                ],
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
                "open" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<InFlight>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "by_host" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<
                            Breakdown<(String, u16), Counter>,
                        >,
                        __A,
                    >(__partial, 1usize, __map)
                }
                "longest" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Max<Duration>>,
                        __A,
                    >(__partial, 2usize, __map)
                }
                _ => {
                    if let ::mvx_metrics::__private::Some(__rest) = ::mvx_metrics::__private::primitive::str::strip_prefix(
                        __name,
                        "traffic_",
                    ) {
                        if <::mvx_metrics::__private::Flattened<
                            Traffic,
                        > as ::mvx_metrics::__private::SnapshotFields>::read(
                            __partial.nested(3usize, "traffic_"),
                            __rest,
                            __map,
                        )? {
                            return ::mvx_metrics::__private::Ok(true);
                        }
                    }
                    ::mvx_metrics::__private::Ok(false)
                }
            }
        }
        #[inline]
        fn require(__partial: &mut ::mvx_metrics::__private::PartialSnapshot) {
            __partial
                .require(&[(0usize, "open"), (1usize, "by_host"), (2usize, "longest")]);
            <::mvx_metrics::__private::Flattened<
                Traffic,
            > as ::mvx_metrics::__private::SnapshotFields>::require(
                __partial.nested(3usize, "traffic_"),
            );
        }
        #[inline]
        fn finish(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> Self {
            Self {
                open: ::mvx_metrics::__private::take(__partial, 0usize),
                by_host: ::mvx_metrics::__private::take(__partial, 1usize),
                longest: ::mvx_metrics::__private::take(__partial, 2usize),
                traffic: ::mvx_metrics::__private::SnapshotFields::finish(
                    __partial.nested(3usize, "traffic_"),
                    0,
                ),
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
            <InFlight as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.open,
                &__other.open,
                ::mvx_metrics::__private::None,
            );
            <Breakdown<
                (String, u16),
                Counter,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.by_host,
                &__other.by_host,
                ::mvx_metrics::__private::None,
            );
            <Max<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.longest,
                &__other.longest,
                ::mvx_metrics::__private::None,
            );
            ::mvx_metrics::__private::SnapshotFields::merge_fields(
                &mut self.traffic,
                &__other.traffic,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.open = <InFlight as ::mvx_metrics::__private::Dimension>::since(
                &self.open,
                &__earlier.open,
            );
            self.by_host = <Breakdown<
                (String, u16),
                Counter,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.by_host,
                &__earlier.by_host,
            );
            self.longest = <Max<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.longest,
                &__earlier.longest,
            );
            ::mvx_metrics::__private::SnapshotFields::subtract_fields(
                &mut self.traffic,
                &__earlier.traffic,
            );
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            false
                || <InFlight as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.open,
                    &__earlier.open,
                )
                || <Breakdown<
                    (String, u16),
                    Counter,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.by_host,
                    &__earlier.by_host,
                )
                || <Max<
                    Duration,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.longest,
                    &__earlier.longest,
                )
                || ::mvx_metrics::__private::SnapshotFields::has_fallen(
                    &self.traffic,
                    &__earlier.traffic,
                )
        }
    }
};
