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
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    pub invalid: ::mvx_metrics::__private::primitive::u64,
    #[doc(hidden)]
    pub __times: ::mvx_metrics::__private::Times,
}
const _: () = {
    use ::mvx_metrics::__private;
    #[automatically_derived]
    impl __private::HandleEvent<DocumentSaveAttempt> for DocumentSaveAttempts
    where
        DocumentSaveAttempt: __private::MetricEvent,
    {
        #[inline(always)]
        fn handle(&mut self, __e: &DocumentSaveAttempt) -> __private::primitive::bool {
            let mut __accepted = false;
            __accepted |= __private::Count::count(&mut self.total);
            if __private::when(__e, |e| e.outcome == SaveOutcome::Success) {
                __accepted |= __private::Count::count(&mut self.success_total);
            }
            __accepted |= __private::Record::record(&mut self.elapsed, __e.elapsed);
            __accepted |= __private::Record::record(&mut self.users, &__e.user);
            __accepted
        }
    }
    #[automatically_derived]
    impl __private::Metric for DocumentSaveAttempts
    where
        DocumentSaveAttempt: __private::MetricEvent,
    {
        #[inline]
        fn metric_name(&self) -> &__private::primitive::str {
            "document_storage.save.attempts"
        }
        #[inline]
        fn handlers() -> &'static [__private::EventHandler<Self>] {
            const { &[__private::EventHandler::of::<DocumentSaveAttempt>()] }
        }
        #[inline]
        fn snapshot(&self) -> __private::MetricSnapshot {
            __private::snapshot("document_storage.save.attempts", self)
        }
        #[inline]
        fn descriptor(&self) -> __private::MetricDescriptor {
            __private::own_descriptor::<
                Self,
            >("document_storage.save.attempts", "Attempts to save a document.")
        }
        #[inline]
        fn is_derived() -> __private::primitive::bool {
            true
        }
        #[inline]
        fn order_problem() -> __private::Option<__private::String> {
            __private::order_problem(const { &<Self as __private::Fields>::NAMES })
        }
        #[inline]
        fn empty_shard(&self) -> Self {
            Self {
                total: __private::shard_of(&self.total),
                success_total: __private::shard_of(&self.success_total),
                elapsed: __private::shard_of(&self.elapsed),
                users: __private::shard_of(&self.users),
            }
        }
        #[inline]
        fn absorb_shard(&mut self, __shard: &mut Self) {
            __private::Dimension::absorb_shard(&mut self.total, &mut __shard.total);
            __private::Dimension::absorb_shard(
                &mut self.success_total,
                &mut __shard.success_total,
            );
            __private::Dimension::absorb_shard(&mut self.elapsed, &mut __shard.elapsed);
            __private::Dimension::absorb_shard(&mut self.users, &mut __shard.users);
        }
    }
    #[automatically_derived]
    impl __private::per_label::PerLabel for DocumentSaveAttempts
    where
        DocumentSaveAttempt: __private::MetricEvent,
    {
        type Way = __private::per_label::OfMetric;
    }
    #[automatically_derived]
    impl __private::TypedMetric for DocumentSaveAttempts
    where
        DocumentSaveAttempt: __private::MetricEvent,
    {
        type Snapshot = DocumentSaveAttemptsSnapshot;
        #[inline]
        fn typed_snapshot(&self) -> Self::Snapshot {
            __private::TypedMetric::typed_snapshot_at(self, __private::Times::default())
        }
        #[inline]
        fn typed_snapshot_at(&self, __times: __private::Times) -> Self::Snapshot {
            DocumentSaveAttemptsSnapshot {
                total: __private::Dimension::read(&self.total),
                success_total: __private::Dimension::read(&self.success_total),
                elapsed: __private::Dimension::read(&self.elapsed),
                users: __private::Dimension::read(&self.users),
                invalid: __private::Fields::invalid(self),
                __times,
            }
        }
        const NAME: &'static __private::primitive::str = "document_storage.save.attempts";
        #[inline]
        fn restore(
            __snapshot: &__private::MetricSnapshot,
            __taken_at: __private::Timestamp,
        ) -> __private::Option<Self::Snapshot> {
            __private::restore::<Self>(__snapshot, __taken_at)
        }
    }
    #[automatically_derived]
    impl __private::Fields for DocumentSaveAttempts
    where
        DocumentSaveAttempt: __private::MetricEvent,
    {
        const DIMENSIONS: &'static [__private::DimensionDescriptor] = &[
            __private::describe::<
                Counter,
            >(
                "total",
                __private::None,
                "All attempts.",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
            __private::describe::<
                Counter,
            >(
                "success_total",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
            __private::describe::<
                Histogram<Duration>,
            >(
                "elapsed",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
            __private::describe::<
                Distinct,
            >(
                "users",
                __private::None,
                "",
                const { &[] },
                __private::None,
                __private::None,
                __private::None,
            ),
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
                "total",
                __private::Dimension::read_value(&self.total),
            );
            __private::push(
                __dimensions,
                __prefix,
                "success_total",
                __private::Dimension::read_value(&self.success_total),
            );
            __private::push(
                __dimensions,
                __prefix,
                "elapsed",
                __private::Dimension::read_value(&self.elapsed),
            );
            __private::push(
                __dimensions,
                __prefix,
                "users",
                __private::Dimension::read_value(&self.users),
            );
        }
        #[inline]
        fn invalid(&self) -> __private::primitive::u64 {
            __private::sum(
                &[
                    __private::Dimension::invalid(&self.total),
                    __private::Dimension::invalid(&self.success_total),
                    __private::Dimension::invalid(&self.elapsed),
                    __private::Dimension::invalid(&self.users),
                ],
            )
        }
    }
    #[automatically_derived]
    impl __private::Clone for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn clone(&self) -> Self {
            Self {
                total: __private::Clone::clone(&self.total),
                success_total: __private::Clone::clone(&self.success_total),
                elapsed: __private::Clone::clone(&self.elapsed),
                users: __private::Clone::clone(&self.users),
                invalid: __private::Clone::clone(&self.invalid),
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
            __private::since(self, earlier)
        }
        /// Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted.
        #[must_use]
        #[inline]
        pub fn restarted_since(&self, earlier: &Self) -> __private::primitive::bool {
            __private::restarted_since(self, earlier)
        }
        /// When a recorder took the snapshot; `None` when none did, or when the snapshot was read back.
        #[must_use]
        #[inline]
        pub fn taken_at(&self) -> __private::Option<__private::SystemTime> {
            self.__times.taken_at()
        }
        /// Since when the metric counts; `None` as for `taken_at`.
        #[must_use]
        #[inline]
        pub fn counting_since(&self) -> __private::Option<__private::SystemTime> {
            self.__times.counting_since()
        }
    }
    #[automatically_derived]
    impl __private::Merge for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn merge(&mut self, __other: &Self) {
            __private::merge(self, __other);
        }
    }
    #[automatically_derived]
    impl __private::Debug for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn fmt(
            &self,
            __formatter: &mut __private::Formatter<'_>,
        ) -> __private::FmtResult {
            __private::debug(
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
    impl __private::PartialEq for DocumentSaveAttemptsSnapshot {
        #[inline]
        fn eq(&self, __other: &Self) -> __private::primitive::bool {
            self.total == __other.total && self.success_total == __other.success_total
                && self.elapsed == __other.elapsed && self.users == __other.users
                && self.invalid == __other.invalid
        }
    }
    #[automatically_derived]
    impl __private::Serialize for DocumentSaveAttemptsSnapshot {
        fn serialize<__S: __private::Serializer>(
            &self,
            __serializer: __S,
        ) -> __private::Result<__S::Ok, __S::Error> {
            __private::serialize(
                &__private::AllFields(self),
                4usize,
                ("invalid", self.invalid),
                __serializer,
            )
        }
    }
    #[automatically_derived]
    impl<'de> __private::Deserialize<'de> for DocumentSaveAttemptsSnapshot {
        fn deserialize<__D: __private::Deserializer<'de>>(
            __deserializer: __D,
        ) -> __private::Result<Self, __D::Error> {
            __private::deserialize(__deserializer)
        }
    }
    #[automatically_derived]
    impl __private::SnapshotFields for DocumentSaveAttemptsSnapshot {
        const INVALID: &'static __private::primitive::str = "invalid";
        fn write<__M: __private::SerializeMap>(
            &self,
            __prefix: __private::Prefix<'_>,
            __map: &mut __M,
        ) -> __private::Result<(), __M::Error> {
            __private::write(
                __map,
                __prefix,
                &["total", "success_total", "elapsed", "users"],
                &[&self.total, &self.success_total, &self.elapsed, &self.users],
            )
        }
        fn read<'de, __A: __private::MapAccess<'de>>(
            __partial: &mut __private::PartialSnapshot,
            __name: &__private::primitive::str,
            __map: &mut __A,
        ) -> __private::Result<__private::primitive::bool, __A::Error> {
            match __name {
                "total" => {
                    __private::read::<
                        __private::Output<Counter>,
                        __A,
                    >(__partial, 0usize, __map)
                }
                "success_total" => {
                    __private::read::<
                        __private::Output<Counter>,
                        __A,
                    >(__partial, 1usize, __map)
                }
                "elapsed" => {
                    __private::read::<
                        __private::Output<Histogram<Duration>>,
                        __A,
                    >(__partial, 2usize, __map)
                }
                "users" => {
                    __private::read::<
                        __private::Output<Distinct>,
                        __A,
                    >(__partial, 3usize, __map)
                }
                _ => __private::Ok(false),
            }
        }
        #[inline]
        fn require(__partial: &mut __private::PartialSnapshot) {
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
            __partial: &mut __private::PartialSnapshot,
            __invalid: __private::primitive::u64,
        ) -> Self {
            Self {
                total: __private::take(__partial, 0usize),
                success_total: __private::take(__partial, 1usize),
                elapsed: __private::take(__partial, 2usize),
                users: __private::take(__partial, 3usize),
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
                &mut self.total,
                &__other.total,
                __private::None,
            );
            <Counter as __private::Dimension>::merge_outputs(
                &mut self.success_total,
                &__other.success_total,
                __private::None,
            );
            <Histogram<
                Duration,
            > as __private::Dimension>::merge_outputs(
                &mut self.elapsed,
                &__other.elapsed,
                __private::None,
            );
            <Distinct as __private::Dimension>::merge_outputs(
                &mut self.users,
                &__other.users,
                __private::None,
            );
        }
        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            self.total = <Counter as __private::Dimension>::since(
                &self.total,
                &__earlier.total,
            );
            self.success_total = <Counter as __private::Dimension>::since(
                &self.success_total,
                &__earlier.success_total,
            );
            self.elapsed = <Histogram<
                Duration,
            > as __private::Dimension>::since(&self.elapsed, &__earlier.elapsed);
            self.users = <Distinct as __private::Dimension>::since(
                &self.users,
                &__earlier.users,
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
                    Counter,
                >(&self.total, &__earlier.total, __is_gone)
                || __private::has_fallen::<
                    Counter,
                >(&self.success_total, &__earlier.success_total, __is_gone)
                || __private::has_fallen::<
                    Histogram<Duration>,
                >(&self.elapsed, &__earlier.elapsed, __is_gone)
                || __private::has_fallen::<
                    Distinct,
                >(&self.users, &__earlier.users, __is_gone)
        }
    }
};
#[cfg(miri)]
const _: () = {
    /**The name of the metric; by default the type's name in snake case.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod name {}
};
#[cfg(miri)]
const _: () = {
    /**An event that the fields listen to; may be repeated.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod on {}
};
#[cfg(miri)]
const _: () = {
    /**The field ignores an event unless the condition holds.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod when {}
};
#[cfg(miri)]
const _: () = {
    /**The value to record.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod value {}
};
#[cfg(miri)]
const _: () = {
    /**The value to record.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod value {}
};
