/// The state of [`DocumentSaveAttempts`] at one moment.
pub struct DocumentSaveAttemptsSnapshot {
    /// All attempts.
    pub total: ::mvx_metrics::__private::Output<Counter>,
    /// The dimension `success_total`.
    pub success_total: ::mvx_metrics::__private::Output<Counter>,
    /// The dimension `elapsed`.
    pub elapsed: ::mvx_metrics::__private::Output<Histogram<Duration>>,
    /// The dimension `users`.
    pub users: ::mvx_metrics::__private::Output<Distinct>,
    /// How many values could not be recorded because they were not finite.
    pub invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    pub __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    #[automatically_derived]
    impl ::mvx_metrics::__private::HandleEvent<DocumentSaveAttempt>
    for DocumentSaveAttempts
    where
        DocumentSaveAttempt: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline(always)]
        fn handle(
            &mut self,
            __event: &DocumentSaveAttempt,
        ) -> ::mvx_metrics::__private::primitive::bool {
            let mut __accepted = false;
            __accepted |= ::mvx_metrics::__private::Count::count(&mut self.total);
            if ::mvx_metrics::__private::when(
                __event,
                |e| e.outcome == SaveOutcome::Success,
            ) {
                __accepted
                    |= ::mvx_metrics::__private::Count::count(&mut self.success_total);
            }
            __accepted
                |= ::mvx_metrics::__private::Record::record(
                    &mut self.elapsed,
                    __event.elapsed,
                );
            __accepted
                |= ::mvx_metrics::__private::Record::record(
                    &mut self.users,
                    &__event.user,
                );
            __accepted
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Metric for DocumentSaveAttempts
    where
        DocumentSaveAttempt: ::mvx_metrics::__private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &::mvx_metrics::__private::primitive::str {
            "document_storage.save.attempts"
        }
        #[inline]
        fn handlers() -> &'static [::mvx_metrics::__private::EventHandler<Self>] {
            const {
                &[::mvx_metrics::__private::EventHandler::of::<DocumentSaveAttempt>()]
            }
        }
        #[inline]
        fn snapshot(&self) -> ::mvx_metrics::__private::MetricSnapshot {
            ::mvx_metrics::__private::snapshot("document_storage.save.attempts", self)
        }
        #[inline]
        fn descriptor(&self) -> ::mvx_metrics::__private::MetricDescriptor {
            ::mvx_metrics::__private::own_descriptor::<
                Self,
            >("document_storage.save.attempts", "Attempts to save a document.")
        }
        #[inline]
        fn is_derived() -> ::mvx_metrics::__private::primitive::bool {
            true
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::TypedMetric for DocumentSaveAttempts
    where
        DocumentSaveAttempt: ::mvx_metrics::__private::MetricEvent,
    {
        type Snapshot = DocumentSaveAttemptsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            DocumentSaveAttemptsSnapshot {
                total: ::mvx_metrics::__private::Dimension::read(&self.total),
                success_total: ::mvx_metrics::__private::Dimension::read(
                    &self.success_total,
                ),
                elapsed: ::mvx_metrics::__private::Dimension::read(&self.elapsed),
                users: ::mvx_metrics::__private::Dimension::read(&self.users),
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
        const NAME: &'static ::mvx_metrics::__private::primitive::str = "document_storage.save.attempts";
        #[inline]
        fn restore(
            __snapshot: &::mvx_metrics::__private::MetricSnapshot,
            __taken_at: ::mvx_metrics::__private::Timestamp,
        ) -> ::mvx_metrics::__private::Option<Self::Snapshot> {
            ::mvx_metrics::__private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Fields for DocumentSaveAttempts
    where
        DocumentSaveAttempt: ::mvx_metrics::__private::MetricEvent,
    {
        const DIMENSIONS: &'static [::mvx_metrics::__private::DimensionDescriptor] = &[
            ::mvx_metrics::__private::describe::<
                Counter,
            >(
                "total",
                ::mvx_metrics::__private::None,
                "All attempts.",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
            ::mvx_metrics::__private::describe::<
                Counter,
            >(
                "success_total",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
            ::mvx_metrics::__private::describe::<
                Histogram<Duration>,
            >(
                "elapsed",
                ::mvx_metrics::__private::None,
                "",
                const { &[] },
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
                ::mvx_metrics::__private::None,
            ),
            ::mvx_metrics::__private::describe::<
                Distinct,
            >(
                "users",
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
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "success_total",
                ::mvx_metrics::__private::Dimension::read_value(&self.success_total),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "elapsed",
                ::mvx_metrics::__private::Dimension::read_value(&self.elapsed),
            );
            ::mvx_metrics::__private::push(
                __dimensions,
                __prefix,
                "users",
                ::mvx_metrics::__private::Dimension::read_value(&self.users),
            );
        }
        #[inline]
        fn invalid(&self) -> ::mvx_metrics::__private::primitive::u64 {
            ::mvx_metrics::__private::sum(
                &[
                    ::mvx_metrics::__private::Dimension::invalid(&self.total),
                    ::mvx_metrics::__private::Dimension::invalid(&self.success_total),
                    ::mvx_metrics::__private::Dimension::invalid(&self.elapsed),
                    ::mvx_metrics::__private::Dimension::invalid(&self.users),
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Clone for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                total: ::mvx_metrics::__private::Clone::clone(&self.total),
                success_total: ::mvx_metrics::__private::Clone::clone(
                    &self.success_total,
                ),
                elapsed: ::mvx_metrics::__private::Clone::clone(&self.elapsed),
                users: ::mvx_metrics::__private::Clone::clone(&self.users),
                invalid: ::mvx_metrics::__private::Clone::clone(&self.invalid),
                __times: self.__times,
            }
        }
    }
    impl DocumentSaveAttemptsSnapshot {
        /// What [`DocumentSaveAttempts`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown.
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
    impl ::mvx_metrics::__private::Merge for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            ::mvx_metrics::__private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Debug for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut ::mvx_metrics::__private::Formatter<'_>,
        ) -> ::mvx_metrics::__private::FmtResult {
            ::mvx_metrics::__private::debug(
                __formatter,
                "DocumentSaveAttemptsSnapshot",
                &["total", "success_total", "elapsed", "users", "invalid"],
                &[
                    &self.total,
                    &self.success_total,
                    &self.elapsed,
                    &self.users,
                    &self.invalid,
                ],
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::PartialEq for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> ::mvx_metrics::__private::primitive::bool {
            self.total == __other.total && self.success_total == __other.success_total
                && self.elapsed == __other.elapsed && self.users == __other.users
                && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::Serialize for DocumentSaveAttemptsSnapshot {
        fn serialize<__S: ::mvx_metrics::__private::Serializer>(
            &self,
            __serializer: __S,
        ) -> ::mvx_metrics::__private::Result<__S::Ok, __S::Error> {
            ::mvx_metrics::__private::serialize(
                &::mvx_metrics::__private::AllFields(self),
                4usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de> ::mvx_metrics::__private::Deserialize<'de>
    for DocumentSaveAttemptsSnapshot {
        fn deserialize<__D: ::mvx_metrics::__private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> ::mvx_metrics::__private::Result<Self, __D::Error> {
            ::mvx_metrics::__private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::SnapshotFields for DocumentSaveAttemptsSnapshot {
        const INVALID: &'static ::mvx_metrics::__private::primitive::str = "invalid";
        fn write<__M: ::mvx_metrics::__private::SerializeMap>(
            &self,
            __prefix: &::mvx_metrics::__private::primitive::str,
            __map: &mut __M,
        ) -> ::mvx_metrics::__private::Result<(), __M::Error> {
            ::mvx_metrics::__private::write(
                __map,
                __prefix,
                &["total", "success_total", "elapsed", "users"],
                &[&self.total, &self.success_total, &self.elapsed, &self.users],
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
                "total" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Counter>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "success_total" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Counter>,
                        __A,
                    >(__partial, 1usize, __map)
                }
                "elapsed" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Histogram<Duration>>,
                        __A,
                    >(__partial, 2usize, __map)
                }
                "users" => {
                    ::mvx_metrics::__private::read::<
                        ::mvx_metrics::__private::Output<Distinct>,
                        __A,
                    >(__partial, 3usize, __map)
                }
                _ => ::mvx_metrics::__private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut ::mvx_metrics::__private::PartialSnapshot) {
            __partial
                .require(
                    &[
                        (0usize, "total"),
                        (1usize, "success_total"),
                        (2usize, "elapsed"),
                        (3usize, "users"),
                    ],
                );
        }
        #[inline]
        fn finish(
            __partial: &mut ::mvx_metrics::__private::PartialSnapshot,
            __invalid: ::mvx_metrics::__private::primitive::u64,
        ) -> Self {
            Self {
                total: ::mvx_metrics::__private::take(__partial, 0usize),
                success_total: ::mvx_metrics::__private::take(__partial, 1usize),
                elapsed: ::mvx_metrics::__private::take(__partial, 2usize),
                users: ::mvx_metrics::__private::take(__partial, 3usize),
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
            <Counter as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.success_total,
                &__other.success_total,
                ::mvx_metrics::__private::None,
            );
            <Histogram<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.elapsed,
                &__other.elapsed,
                ::mvx_metrics::__private::None,
            );
            <Distinct as ::mvx_metrics::__private::Dimension>::merge_outputs(
                &mut self.users,
                &__other.users,
                ::mvx_metrics::__private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.total = <Counter as ::mvx_metrics::__private::Dimension>::since(
                &self.total,
                &__earlier.total,
            );
            self.success_total = <Counter as ::mvx_metrics::__private::Dimension>::since(
                &self.success_total,
                &__earlier.success_total,
            );
            self.elapsed = <Histogram<
                Duration,
            > as ::mvx_metrics::__private::Dimension>::since(
                &self.elapsed,
                &__earlier.elapsed,
            );
            self.users = <Distinct as ::mvx_metrics::__private::Dimension>::since(
                &self.users,
                &__earlier.users,
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
                || <Counter as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.success_total,
                    &__earlier.success_total,
                )
                || <Histogram<
                    Duration,
                > as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.elapsed,
                    &__earlier.elapsed,
                )
                || <Distinct as ::mvx_metrics::__private::Dimension>::has_fallen(
                    &self.users,
                    &__earlier.users,
                )
        }
    }
};
