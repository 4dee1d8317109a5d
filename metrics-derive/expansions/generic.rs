#[derive(Metric)]
#[metric(on(Finished<K>), crate = metrics)]
pub(crate) struct Finishes<K: Label, Unused> {
    #[dimension(by = kind, limit = 3)]
    by_kind: Breakdown<K, Counter>,
    #[dimension(skip)]
    unused: Unused,
}
