/// The state of [`Requests`] at one moment.
pub struct RequestsSnapshot
where
    HostStats: ::mvx_metrics::__private::per_label::PerLabel,
    HostStats: ::mvx_metrics::__private::Default,
{
    /// What one host did.
    pub per_host: ::mvx_metrics::__private::per_label::OutputPerLabel<String, HostStats>,
    /// How many values could not be recorded because they were not finite.
    pub invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    pub __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<Request> for Requests
    where
        Request: ::mvx_metrics::__private::MetricEvent,
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
        ::mvx_metrics::__private::per_label::Listener<
            HostStats,
        >: ::mvx_metrics::__private::HandleEvent<Request>,
        ::mvx_metrics::__private::per_label::CountedAlone<
            HostStats,
        >: ::mvx_metrics::__private::Count,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &Request,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            __accepted
                |= ::mvx_metrics::__private::ByLabel::update_within(
                    &mut self.per_host,
                    &__event.host,
                    100,
                    |__each| ::mvx_metrics::__private::per_label::feed::<
                        HostStats,
                        Request,
                    >(__each, __event),
                );
            __accepted
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Metric for Requests
    where
        Request: ::mvx_metrics::__private::MetricEvent,
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
        ::mvx_metrics::__private::per_label::Listener<
            HostStats,
        >: ::mvx_metrics::__private::HandleEvent<Request>,
        ::mvx_metrics::__private::per_label::CountedAlone<
            HostStats,
        >: ::mvx_metrics::__private::Count,
    {
        #[inline]
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "requests"
        }
        #[inline]
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const { &[::mvx_metrics::__private::EventHandler::of::<Request>()] }
        }
        #[inline]
        fn snapshot(&self) -> ::mvx_metrics::__private::MetricSnapshot {
            ::mvx_metrics::__private::snapshot("requests", self)
        }
        #[inline]
        fn descriptor(&self) -> ::mvx_metrics::__private::MetricDescriptor {
            ::mvx_metrics::__private::descriptor::<
                Self,
            >("requests", "Requests of each host.")
        }
        #[inline]
        fn is_derived() -> ::mvx_metrics::__private::primitive::bool {
            true
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::per_label::PerLabel for Requests
    where
        Request: ::mvx_metrics::__private::MetricEvent,
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
        ::mvx_metrics::__private::per_label::Listener<
            HostStats,
        >: ::mvx_metrics::__private::HandleEvent<Request>,
        ::mvx_metrics::__private::per_label::CountedAlone<
            HostStats,
        >: ::mvx_metrics::__private::Count,
    {
        type Way = ::mvx_metrics::__private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::TypedMetric for Requests
    where
        Request: ::mvx_metrics::__private::MetricEvent,
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
        ::mvx_metrics::__private::per_label::Listener<
            HostStats,
        >: ::mvx_metrics::__private::HandleEvent<Request>,
        ::mvx_metrics::__private::per_label::CountedAlone<
            HostStats,
        >: ::mvx_metrics::__private::Count,
    {
        type Snapshot = RequestsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            RequestsSnapshot {
                per_host: ::mvx_metrics::__private::per_label::read::<
                    String,
                    HostStats,
                >(&self.per_host, true),
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
        const NAME: &'static ::mvx_metrics::__private::primitive::str = "requests";
        #[inline]
        fn restore(
            __snapshot: &::mvx_metrics::__private::MetricSnapshot,
            __taken_at: ::mvx_metrics::__private::Timestamp,
        ) -> ::mvx_metrics::__private::Option<Self::Snapshot> {
            ::mvx_metrics::__private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    const _: () = ::mvx_metrics::__private::assert_distinct(
        &::mvx_metrics::__private::Names {
            own: &[],
            names: &[],
            flattened: &[
                ("per_host", ::mvx_metrics::__private::per_label::names::<HostStats>()),
            ],
            by_label: false,
        },
    );
    const _: ::mvx_metrics::__private::DimensionDescriptor = ::mvx_metrics::__private::per_label::declare::<
        String,
        HostStats,
    >(
        "per_host",
        "What one host did.",
        const { &[::mvx_metrics::__private::label_name("host")] },
        ::mvx_metrics::__private::limit::<String>(100),
    );
    #[automatically_derived]
    impl ::mvx_metrics::__private::Fields for Requests
    where
        Request: ::mvx_metrics::__private::MetricEvent,
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
        ::mvx_metrics::__private::per_label::Listener<
            HostStats,
        >: ::mvx_metrics::__private::HandleEvent<Request>,
        ::mvx_metrics::__private::per_label::CountedAlone<
            HostStats,
        >: ::mvx_metrics::__private::Count,
    {
        const DIMENSIONS: &'static [::mvx_metrics::__private::DimensionDescriptor] = &[];
        const NAMES: ::mvx_metrics::__private::Names = ::mvx_metrics::__private::Names {
            own: <Self as ::mvx_metrics::__private::Fields>::DIMENSIONS,
            names: &[],
            flattened: &[
                ("per_host", ::mvx_metrics::__private::per_label::names::<HostStats>()),
            ],
            by_label: false,
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
                &<Self as ::mvx_metrics::__private::Fields>::DIMENSIONS[0usize..0usize],
                __dimensions,
            );
            ::mvx_metrics::__private::per_label::describe::<
                HostStats,
            >(
                const {
                    ::mvx_metrics::__private::per_label::declare::<
                        String,
                        HostStats,
                    >(
                        "per_host",
                        "What one host did.",
                        const { &[::mvx_metrics::__private::label_name("host")] },
                        ::mvx_metrics::__private::limit::<String>(100),
                    )
                },
                __prefix,
                __dimensions,
            );
            ::mvx_metrics::__private::describe_all(
                __prefix,
                &<Self as ::mvx_metrics::__private::Fields>::DIMENSIONS[0usize..],
                __dimensions,
            );
        }
        #[inline]
        fn values(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __dimensions: &mut ::mvx_metrics::__private::Dimensions,
        ) {
            ::mvx_metrics::__private::per_label::values::<
                String,
                HostStats,
            >(&self.per_host, __prefix, "per_host", true, __dimensions);
        }
        #[inline]
        fn invalid(&self) -> ::mvx_metrics::__private::primitive::u64 {
            ::mvx_metrics::__private::sum(
                &[
                    ::mvx_metrics::__private::per_label::invalid::<
                        String,
                        HostStats,
                    >(&self.per_host),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Clone for RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
    {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                per_host: ::mvx_metrics::__private::Clone::clone(&self.per_host),
                invalid: ::mvx_metrics::__private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
    {
        /// What [`Requests`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
        /// When counting began anew meanwhile, the interval counts from 0.
        #[must_use]
        #[inline]
        pub fn since(&self, earlier: &Self) -> Self {
            ::mvx_metrics::__private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        #[inline]
        pub fn restarted_since(
            &self,
            earlier: &Self,
        ) -> ::mvx_metrics::__private::primitive::bool {
            ::mvx_metrics::__private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        #[inline]
        pub fn taken_at(
            &self,
        ) -> ::mvx_metrics::__private::Option<::mvx_metrics::__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        #[inline]
        pub fn counting_since(
            &self,
        ) -> ::mvx_metrics::__private::Option<::mvx_metrics::__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Merge for RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
    {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            ::mvx_metrics::__private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Debug for RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
    {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut ::mvx_metrics::__private::Formatter<'_>,
        ) -> ::mvx_metrics::__private::FmtResult {
            ::mvx_metrics::__private::debug(
                __formatter,
                "RequestsSnapshot",
                &["per_host", "invalid"],
                &[&self.per_host, &self.invalid],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
    {
        #[inline]
        fn eq(&self, __other: &Self) -> ::mvx_metrics::__private::primitive::bool {
            self.per_host == __other.per_host && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Serialize for RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
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
    impl<'de> ::mvx_metrics::__private::Deserialize<'de> for RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
    {
        fn deserialize<__D: ::mvx_metrics::__private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> ::mvx_metrics::__private::Result<Self, __D::Error> {
            ::mvx_metrics::__private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::SnapshotFields for RequestsSnapshot
    where
        HostStats: ::mvx_metrics::__private::per_label::PerLabel,
        HostStats: ::mvx_metrics::__private::Default,
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
                &["per_host"],
                &[
                    &::mvx_metrics::__private::per_label::Written::<
                        String,
                        HostStats,
                    >(&self.per_host),
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
                _ => {
                    if ::mvx_metrics::__private::per_label::read_field::<
                        String,
                        HostStats,
                        _,
                    >(__partial, (0usize, "per_host"), __name, __map)? {
                        return ::mvx_metrics::__private::Ok(true);
                    }
                    ::mvx_metrics::__private::Ok(false)
                }
            }
        }
        #[inline]
        fn require(__partial: &mut ::mvx_metrics::__private::PartialSnapshot) {
            __partial.require(&[]);
            ::mvx_metrics::__private::per_label::require::<
                String,
                HostStats,
            >(__partial, (0usize, "per_host"));
        }
        #[inline]
        fn finish(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> Self {
            Self {
                per_host: ::mvx_metrics::__private::per_label::take::<
                    String,
                    HostStats,
                >(__partial, 0usize),
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
            ::mvx_metrics::__private::per_label::merge::<
                String,
                HostStats,
            >(&mut self.per_host, &__other.per_host);
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.per_host = ::mvx_metrics::__private::per_label::since::<
                String,
                HostStats,
            >(&self.per_host, &__earlier.per_host);
        }
        #[inline]
        fn has_fallen(
            &self,
            __earlier: &Self,
            __is_gone: ::mvx_metrics::__private::primitive::bool,
        ) -> ::mvx_metrics::__private::primitive::bool {
            false
                || ::mvx_metrics::__private::per_label::has_fallen::<
                    String,
                    HostStats,
                >(&self.per_host, &__earlier.per_host, __is_gone)
        }
    }
};
