//! The numbers of the fields of `io.prometheus.client.MetricFamily`.
//!
//! They are those of `io/prometheus/client/metrics.proto` in <https://github.com/prometheus/client_model>, version 0.6.2, under
//! the Apache License 2.0. A module has the fields of the message of its name, as far as the writer uses them.

pub(super) mod metric_family {
    pub(in super::super) const NAME: u32 = 1;
    pub(in super::super) const HELP: u32 = 2;
    pub(in super::super) const TYPE: u32 = 3;
    pub(in super::super) const METRIC: u32 = 4;
    pub(in super::super) const UNIT: u32 = 5;
}

/// The values of the enumeration `MetricType`.
pub(super) mod metric_type {
    pub(in super::super) const COUNTER: u64 = 0;
    pub(in super::super) const GAUGE: u64 = 1;
    pub(in super::super) const SUMMARY: u64 = 2;
    pub(in super::super) const UNTYPED: u64 = 3;
    pub(in super::super) const HISTOGRAM: u64 = 4;
}

pub(super) mod metric {
    pub(in super::super) const LABEL: u32 = 1;
    pub(in super::super) const GAUGE: u32 = 2;
    pub(in super::super) const COUNTER: u32 = 3;
    pub(in super::super) const SUMMARY: u32 = 4;
    pub(in super::super) const UNTYPED: u32 = 5;
    pub(in super::super) const HISTOGRAM: u32 = 7;
}

pub(super) mod label_pair {
    pub(in super::super) const NAME: u32 = 1;
    pub(in super::super) const VALUE: u32 = 2;
}

/// The field that `Counter`, `Gauge` and `Untyped` have in common.
pub(super) const VALUE: u32 = 1;

pub(super) mod counter {
    pub(in super::super) const CREATED_TIMESTAMP: u32 = 3;
}

pub(super) mod summary {
    pub(in super::super) const SAMPLE_COUNT: u32 = 1;
    pub(in super::super) const SAMPLE_SUM: u32 = 2;
    pub(in super::super) const CREATED_TIMESTAMP: u32 = 4;
}

pub(super) mod histogram {
    pub(in super::super) const SAMPLE_COUNT: u32 = 1;
    pub(in super::super) const SAMPLE_SUM: u32 = 2;
    pub(in super::super) const BUCKET: u32 = 3;
    pub(in super::super) const SCHEMA: u32 = 5;
    pub(in super::super) const ZERO_THRESHOLD: u32 = 6;
    pub(in super::super) const ZERO_COUNT: u32 = 7;
    pub(in super::super) const NEGATIVE_SPAN: u32 = 9;
    pub(in super::super) const NEGATIVE_DELTA: u32 = 10;
    pub(in super::super) const POSITIVE_SPAN: u32 = 12;
    pub(in super::super) const POSITIVE_DELTA: u32 = 13;
    pub(in super::super) const CREATED_TIMESTAMP: u32 = 15;
}

pub(super) mod bucket {
    pub(in super::super) const CUMULATIVE_COUNT: u32 = 1;
    pub(in super::super) const UPPER_BOUND: u32 = 2;
}

pub(super) mod bucket_span {
    pub(in super::super) const OFFSET: u32 = 1;
    pub(in super::super) const LENGTH: u32 = 2;
}

/// The fields of `google.protobuf.Timestamp`.
pub(super) mod timestamp {
    pub(in super::super) const SECONDS: u32 = 1;
    pub(in super::super) const NANOS: u32 = 2;
}
