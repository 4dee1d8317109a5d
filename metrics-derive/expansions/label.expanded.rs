const _: () = {
    use ::mvx_metrics::__private;
    const __TEXTS: &[&__private::primitive::str] = &["success", "not-found", "5xx"];
    #[automatically_derived]
    impl __private::Label for Outcome {
        const CARDINALITY: __private::Option<__private::primitive::usize> = __private::Some(
            3usize,
        );
        #[inline]
        fn push_parts_of_index(
            __index: __private::primitive::usize,
            __parts: &mut __private::Vec<__private::LabelPart>,
        ) {
            __private::push_fixed(__parts, __TEXTS, __index);
        }
    }
    #[automatically_derived]
    impl __private::BoundedLabel for Outcome {}
    #[automatically_derived]
    impl __private::DistinctValue for Outcome {
        #[inline]
        fn distinct_hash(&self) -> __private::Option<__private::DistinctHash> {
            __private::hash_of_label(__TEXTS, __private::ToLabel::<Self>::index(self))
        }
    }
    #[automatically_derived]
    impl __private::ToLabel<Self> for Outcome {
        #[inline]
        fn index(&self) -> __private::primitive::usize {
            match self {
                Self::Success { .. } => 0usize,
                Self::NotFound { .. } => 1usize,
                Self::ServerError { .. } => 2usize,
            }
        }
        fn hash_label<__H: __private::Hasher>(&self, __hasher: &mut __H) {
            __hasher.write_usize(__private::ToLabel::<Self>::index(self));
        }
        #[inline]
        fn matches(
            &self,
            __parts: &[__private::LabelPart],
        ) -> __private::primitive::bool {
            __private::is_fixed(
                __parts,
                __TEXTS,
                __private::ToLabel::<Self>::index(self),
            )
        }
        #[inline]
        fn push_parts(&self, __parts: &mut __private::Vec<__private::LabelPart>) {
            __private::push_fixed(
                __parts,
                __TEXTS,
                __private::ToLabel::<Self>::index(self),
            );
        }
    }
};
#[cfg(miri)]
const _: () = {
    /**Of the enum: another case for all texts without a `name`.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod rename_all {}
};
#[cfg(miri)]
const _: () = {
    /**Of a variant: the text of the label; by default the variant's name in snake case.

[All options, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).*/
    mod name {}
};
