/// The state of [`Connections`] at one moment.
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
}
const _: () = {
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Opened> for Connections
    where
        Opened: ::mvx_metrics::__private::MetricEvent,
        Closed: ::mvx_metrics::__private::MetricEvent,
        Traffic: ::mvx_metrics::__private::Fields,
    {
        #[inline]
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
        #[inline]
        fn handle(
            &mut self,
            __event: &Closed,
        ) -> ::mvx_metrics::__private::primitive::bool {
            if !::mvx_metrics::__private::when(__event, Closed::is_regular) {
                return false;
            }
            let mut __accepted = false;
            __accepted
                |= ::mvx_metrics::__private::handle_with(self, __event, Self::closed);
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
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "connections"
        }
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const {
                &[
                    ::mvx_metrics::__private::EventHandler::of::<Opened>(),
                    ::mvx_metrics::__private::EventHandler::of::<Closed>(),
                ]
            }
        }
        fn snapshot(&self) -> ::mvx_metrics::__private::MetricSnapshot {
            ::mvx_metrics::__private::snapshot("connections", self)
        }
        fn descriptor(&self) -> ::mvx_metrics::__private::MetricDescriptor {
            ::mvx_metrics::__private::descriptor::<Self>("connections", "")
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
        fn typed_snapshot(&self) -> Self::Snapshot {
            ConnectionsSnapshot {
                open: ::mvx_metrics::__private::Dimension::read(&self.open),
                by_host: ::mvx_metrics::__private::Dimension::read(&self.by_host),
                longest: ::mvx_metrics::__private::Dimension::read(&self.longest),
                traffic: ::mvx_metrics::__private::flattened(&self.traffic),
                invalid: ::mvx_metrics::__private::Fields::invalid(self),
            }
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
            ::mvx_metrics::__private::describe(
                "open",
                <InFlight as ::mvx_metrics::__private::Dimension>::KIND,
                <InFlight as ::mvx_metrics::__private::Dimension>::UNIT,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::MergeRule::Sum,
            ),
            ::mvx_metrics::__private::describe(
                "by_host",
                <Breakdown<
                    (String, u16),
                    Counter,
                > as ::mvx_metrics::__private::Dimension>::KIND,
                <Breakdown<
                    (String, u16),
                    Counter,
                > as ::mvx_metrics::__private::Dimension>::UNIT,
                "",
                const {
                    &[
                        ::mvx_metrics::__private::label_name("host"),
                        ::mvx_metrics::__private::label_name("port"),
                    ]
                },
                ::mvx_metrics::__private::limit::<
                    <Breakdown<
                        (String, u16),
                        Counter,
                    > as ::mvx_metrics::__private::HasLabel>::Label,
                >(100),
                ::mvx_metrics::__private::MergeRule::Sum,
            ),
            ::mvx_metrics::__private::describe(
                "longest",
                <Max<Duration> as ::mvx_metrics::__private::Dimension>::KIND,
                <Max<Duration> as ::mvx_metrics::__private::Dimension>::UNIT,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::MergeRule::Sum,
            ),
        ];
        const NAMES: ::mvx_metrics::__private::Names = ::mvx_metrics::__private::Names {
            own: <Self as ::mvx_metrics::__private::Fields>::DIMENSIONS,
            flattened: &[
                ("traffic_", <Traffic as ::mvx_metrics::__private::Fields>::NAMES),
            ],
        };
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
        fn values(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __dimensions: &mut ::mvx_metrics::__private::Dimensions,
        ) {
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "open",
                ::mvx_metrics::__private::Dimension::value(&self.open),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "by_host",
                ::mvx_metrics::__private::Dimension::value(&self.by_host),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "longest",
                ::mvx_metrics::__private::Dimension::value(&self.longest),
            );
            ::mvx_metrics::__private::Fields::values(
                &self.traffic,
                &::mvx_metrics::__private::prefixed(__prefix, "traffic_"),
                __dimensions,
            );
        }
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
        fn clone(&self) -> Self {
            Self {
                open: ::mvx_metrics::__private::Clone::clone(&self.open),
                by_host: ::mvx_metrics::__private::Clone::clone(&self.by_host),
                longest: ::mvx_metrics::__private::Clone::clone(&self.longest),
                traffic: ::mvx_metrics::__private::Clone::clone(&self.traffic),
                invalid: ::mvx_metrics::__private::Clone::clone(&self.invalid),
            }
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Debug for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
        fn fmt(
            &self,
            __formatter: &mut ::mvx_metrics::__private::Formatter<'_>,
        ) -> ::mvx_metrics::__private::FmtResult {
            ::mvx_metrics::__private::debug(
                __formatter,
                "ConnectionsSnapshot",
                &[
                    ("open", &self.open),
                    ("by_host", &self.by_host),
                    ("longest", &self.longest),
                    ("traffic", &self.traffic),
                    ("invalid", &self.invalid),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for ConnectionsSnapshot
    where
        Traffic: ::mvx_metrics::__private::Fields,
    {
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
            ::mvx_metrics::__private::serialize(self, 0usize, self.invalid, __serializer)
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
            ::mvx_metrics::__private::write(__map, __prefix, "open", &self.open)?;
            ::mvx_metrics::__private::write(__map, __prefix, "by_host", &self.by_host)?;
            ::mvx_metrics::__private::write(__map, __prefix, "longest", &self.longest)?;
            ::mvx_metrics::__private::SnapshotFields::write(
                &self.traffic,
                &::mvx_metrics::__private::prefixed(__prefix, "traffic_"),
                __map,
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
                            __partial.nested(3usize),
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
        fn finish<__E: ::mvx_metrics::__private::DeserializeError>(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> ::mvx_metrics::__private::Result<Self, __E> {
            ::mvx_metrics::__private::Ok(Self {
                open: ::mvx_metrics::__private::finish(__partial, 0usize, "open")?,
                by_host: ::mvx_metrics::__private::finish(__partial, 1usize, "by_host")?,
                longest: ::mvx_metrics::__private::finish(__partial, 2usize, "longest")?,
                traffic: ::mvx_metrics::__private::SnapshotFields::finish(
                    __partial.nested(3usize),
                    0,
                )?,
                invalid: __invalid,
            })
        }
        fn invalid(&mut self) -> &mut ::mvx_metrics::__private::primitive::u64 {
            &mut self.invalid
        }
    }
};
