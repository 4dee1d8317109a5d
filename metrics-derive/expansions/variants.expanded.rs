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
    /// How many values could not be recorded because they were not finite.
    invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    type __EnumOfEvents0 = Request;
    #[automatically_derived]
    impl<T> ::mvx_metrics::__private::HandleEvent<Request> for Requests<T>
    where
        Requests<T>: ::mvx_metrics::__private::Send + 'static,
        Request: ::mvx_metrics::__private::MetricEvent,
        Job<T>: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Request,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            match __event {
                __EnumOfEvents0::Refused { .. } => {
                    if !::mvx_metrics::__private::when(__event, Request::is_final) {
                        return false;
                    }
                    __accepted
                        |= ::mvx_metrics::__private::handle_with(
                            self,
                            __event,
                            Self::refused,
                        );
                }
                __EnumOfEvents0::Started { .. } => {
                    __accepted
                        |= ::mvx_metrics::__private::Add::add(&mut self.open, 1u64);
                }
                __EnumOfEvents0::Ended {
                    peer: __field_peer,
                    bytes: __field_bytes,
                    ..
                } => {
                    __accepted
                        |= ::mvx_metrics::__private::Sub::sub(&mut self.open, 1u64);
                    __accepted
                        |= ::mvx_metrics::__private::ByLabel::update_within(
                            &mut self.by_host,
                            __field_peer,
                            10,
                            |__each| ::mvx_metrics::__private::Record::record(
                                __each,
                                *__field_bytes,
                            ),
                        );
                    if ::mvx_metrics::__private::when(__event, |e| e.is_large()) {
                        __accepted
                            |= ::mvx_metrics::__private::Record::record(
                                &mut self.large,
                                *__field_bytes,
                            );
                    }
                }
                _ => {}
            }
            __accepted |= ::mvx_metrics::__private::Count::count(&mut self.all);
            __accepted
        }
    }
    #[automatically_derived]
    impl<T> ::mvx_metrics::__private::HandleEvent<Job<T>> for Requests<T>
    where
        Requests<T>: ::mvx_metrics::__private::Send + 'static,
        Request: ::mvx_metrics::__private::MetricEvent,
        Job<T>: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Job<T>,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            match __event {
                Job::<T>::Ended { 0: __field_0, .. } => {
                    __accepted
                        |= ::mvx_metrics::__private::Record::record(
                            &mut self.steps,
                            *__field_0,
                        );
                }
                _ => {}
            }
            __accepted
        }
    }
    #[automatically_derived]
    impl<T> ::mvx_metrics::__private::Metric for Requests<T>
    where
        Requests<T>: ::mvx_metrics::__private::Send + 'static,
        Request: ::mvx_metrics::__private::MetricEvent,
        Job<T>: ::mvx_metrics::__private::MetricEvent,
    {
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "requests"
        }
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const {
                &[
                    ::mvx_metrics::__private::EventHandler::of::<Request>(),
                    ::mvx_metrics::__private::EventHandler::of::<Job<T>>(),
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
    impl<T> ::mvx_metrics::__private::TypedMetric for Requests<T>
    where
        Requests<T>: ::mvx_metrics::__private::Send + 'static,
        Request: ::mvx_metrics::__private::MetricEvent,
        Job<T>: ::mvx_metrics::__private::MetricEvent,
    {
        type Snapshot = RequestsSnapshot;
        fn typed_snapshot(&self) -> Self::Snapshot {
            RequestsSnapshot {
                all: ::mvx_metrics::__private::Dimension::read(&self.all),
                open: ::mvx_metrics::__private::Dimension::read(&self.open),
                by_host: ::mvx_metrics::__private::Dimension::read(&self.by_host),
                large: ::mvx_metrics::__private::Dimension::read(&self.large),
                steps: ::mvx_metrics::__private::Dimension::read(&self.steps),
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
    impl<T> ::mvx_metrics::__private::Fields for Requests<T>
    where
        Requests<T>: ::mvx_metrics::__private::Send + 'static,
        Request: ::mvx_metrics::__private::MetricEvent,
        Job<T>: ::mvx_metrics::__private::MetricEvent,
    {
        const DIMENSIONS: &'static [::mvx_metrics::__private::DimensionDescriptor] = &[
            ::mvx_metrics::__private::describe::<
                Counter,
            >(
                "all",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
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
                Breakdown<String, Sum<u64>>,
            >(
                "by_host",
                ::mvx_metrics::__private::None,
                "",
                const { &[::mvx_metrics::__private::label_name("host")] },
                ::mvx_metrics::__private::limit::<
                    <Breakdown<
                        String,
                        Sum<u64>,
                    > as ::mvx_metrics::__private::HasLabel>::Label,
                >(10),
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
            ::mvx_metrics::__private::describe::<
                Max<u64>,
            >(
                "large",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
            ::mvx_metrics::__private::describe::<
                Sum<u64>,
            >(
                "steps",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
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
                "all",
                ::mvx_metrics::__private::Dimension::read_value(&self.all),
            );
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
                "large",
                ::mvx_metrics::__private::Dimension::read_value(&self.large),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "steps",
                ::mvx_metrics::__private::Dimension::read_value(&self.steps),
            );
        }
        fn invalid(&self) -> ::mvx_metrics::__private::primitive::u64 {
            ::mvx_metrics::__private::sum(
                &[
                    ::mvx_metrics::__private::Dimension::invalid(&self.all),
                    ::mvx_metrics::__private::Dimension::invalid(&self.open),
                    ::mvx_metrics::__private::Dimension::invalid(&self.by_host),
                    ::mvx_metrics::__private::Dimension::invalid(&self.large),
                    ::mvx_metrics::__private::Dimension::invalid(&self.steps),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Clone for RequestsSnapshot {
        fn clone(&self) -> Self {
            Self {
                all: ::mvx_metrics::__private::Clone::clone(&self.all),
                open: ::mvx_metrics::__private::Clone::clone(&self.open),
                by_host: ::mvx_metrics::__private::Clone::clone(&self.by_host),
                large: ::mvx_metrics::__private::Clone::clone(&self.large),
                steps: ::mvx_metrics::__private::Clone::clone(&self.steps),
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
                    ("all", &self.all),
                    ("open", &self.open),
                    ("by_host", &self.by_host),
                    ("large", &self.large),
                    ("steps", &self.steps),
                    ("invalid", &self.invalid),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for RequestsSnapshot {
        fn eq(&self, __other: &Self) -> ::mvx_metrics::__private::primitive::bool {
            self.all == __other.all && self.open == __other.open
                && self.by_host == __other.by_host && self.large == __other.large
                && self.steps == __other.steps && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Serialize for RequestsSnapshot {
        fn serialize<__S: ::mvx_metrics::__private::Serializer>(
            &self,
            __serializer: __S,
        ) -> ::mvx_metrics::__private::Result<__S::Ok, __S::Error> {
            ::mvx_metrics::__private::serialize(self, 5usize, self.invalid, __serializer)
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
            ::mvx_metrics::__private::write(__map, __prefix, "all", &self.all)?;
            ::mvx_metrics::__private::write(__map, __prefix, "open", &self.open)?;
            ::mvx_metrics::__private::write(__map, __prefix, "by_host", &self.by_host)?;
            ::mvx_metrics::__private::write(__map, __prefix, "large", &self.large)?;
            ::mvx_metrics::__private::write(__map, __prefix, "steps", &self.steps)?;
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
                "all" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Counter>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "open" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<InFlight>,
                        __A,
                    >(__partial, 1usize, __map)
                }
                "by_host" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Breakdown<String, Sum<u64>>>,
                        __A,
                    >(__partial, 2usize, __map)
                }
                "large" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Max<u64>>,
                        __A,
                    >(__partial, 3usize, __map)
                }
                "steps" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Sum<u64>>,
                        __A,
                    >(__partial, 4usize, __map)
                }
                _ => ::mvx_metrics::__private::Ok(false),
            }
        }
        fn finish<__E: ::mvx_metrics::__private::DeserializeError>(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> ::mvx_metrics::__private::Result<Self, __E> {
            ::mvx_metrics::__private::Ok(Self {
                all: ::mvx_metrics::__private::finish(__partial, 0usize, "all")?,
                open: ::mvx_metrics::__private::finish(__partial, 1usize, "open")?,
                by_host: ::mvx_metrics::__private::finish(__partial, 2usize, "by_host")?,
                large: ::mvx_metrics::__private::finish(__partial, 3usize, "large")?,
                steps: ::mvx_metrics::__private::finish(__partial, 4usize, "steps")?,
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
            <Counter as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.all,
                &__other.all,
                ::mvx_metrics::__private::None,
            );
            <InFlight as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.open,
                &__other.open,
                ::mvx_metrics::__private::None,
            );
            <Breakdown<
                String,
                Sum<u64>,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.by_host,
                &__other.by_host,
                ::mvx_metrics::__private::None,
            );
            <Max<
                u64,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.large,
                &__other.large,
                ::mvx_metrics::__private::None,
            );
            <Sum<
                u64,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.steps,
                &__other.steps,
                ::mvx_metrics::__private::None,
            );
        }
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.all = <Counter as ::mvx_metrics::__private::Dimension>::since(
                &self.all,
                &__earlier.all,
            );
            self.open = <InFlight as ::mvx_metrics::__private::Dimension>::since(
                &self.open,
                &__earlier.open,
            );
            self.by_host = <Breakdown<
                String,
                Sum<u64>,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.by_host,
                &__earlier.by_host,
            );
            self.large = <Max<
                u64,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.large,
                &__earlier.large,
            );
            self.steps = <Sum<
                u64,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.steps,
                &__earlier.steps,
            );
        }
        fn has_fallen(
            &self,
            __earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            false
                || <Counter as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.all,
                    &__earlier.all,
                )
                || <InFlight as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.open,
                    &__earlier.open,
                )
                || <Breakdown<
                    String,
                    Sum<u64>,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.by_host,
                    &__earlier.by_host,
                )
                || <Max<
                    u64,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.large,
                    &__earlier.large,
                )
                || <Sum<
                    u64,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.steps,
                    &__earlier.steps,
                )
        }
    }
};
