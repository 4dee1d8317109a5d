const _: () = {
    const __TEXTS: &[&::mvx_metrics::__private::primitive::str] = &[
        "success",
        "not-found",
        "5xx",
    ];
    #[automatically_derived]
    impl ::mvx_metrics::__private::Label for Outcome {
        const CARDINALITY: ::mvx_metrics::__private::Option<
            ::mvx_metrics::__private::primitive::usize,
        > = ::mvx_metrics::__private::Some(3usize);
        #[inline]
        fn push_parts_of_index(
            __index: ::mvx_metrics::__private::primitive::usize,
            __parts: &mut ::mvx_metrics::__private::Vec<
                ::mvx_metrics::__private::LabelPart,
            >,
        ) {
            ::mvx_metrics::__private::push_fixed(__parts, __TEXTS, __index);
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::BoundedLabel for Outcome {}
    #[automatically_derived]
    impl ::mvx_metrics::__private::DistinctValue for Outcome {
        #[inline]
        fn distinct_hash(
            &self,
        ) -> ::mvx_metrics::__private::Option<::mvx_metrics::__private::DistinctHash> {
            ::mvx_metrics::__private::hash_of_label(
                __TEXTS,
                ::mvx_metrics::__private::ToLabel::<Self>::index(self),
            )
        }
    }
    #[automatically_derived]
    impl ::mvx_metrics::__private::ToLabel<Self> for Outcome {
        #[inline]
        fn index(&self) -> ::mvx_metrics::__private::primitive::usize {
            match self {
                Self::Success { .. } => 0usize,
                Self::NotFound { .. } => 1usize,
                Self::ServerError { .. } => 2usize,
            }
        }
        fn hash_label<__H: ::mvx_metrics::__private::Hasher>(&self, __hasher: &mut __H) {
            __hasher.write_usize(::mvx_metrics::__private::ToLabel::<Self>::index(self));
        }
        #[inline]
        fn matches(
            &self,
            __parts: &[::mvx_metrics::__private::LabelPart],
        ) -> ::mvx_metrics::__private::primitive::bool {
            ::mvx_metrics::__private::is_fixed(
                __parts,
                __TEXTS,
                ::mvx_metrics::__private::ToLabel::<Self>::index(self),
            )
        }
        #[inline]
        fn push_parts(
            &self,
            __parts: &mut ::mvx_metrics::__private::Vec<
                ::mvx_metrics::__private::LabelPart,
            >,
        ) {
            ::mvx_metrics::__private::push_fixed(
                __parts,
                __TEXTS,
                ::mvx_metrics::__private::ToLabel::<Self>::index(self),
            );
        }
    }
};
