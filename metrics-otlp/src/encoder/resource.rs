//! The resource of all points: who sends them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use mvx_metrics::Totals;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;

/// The name of this program, the runtime's namespace unless the options say otherwise.
const SERVICE_NAME: &str = "service.name";
/// Tells apart the processes of one name: <https://opentelemetry.io/docs/specs/semconv/registry/attributes/service/>.
const SERVICE_INSTANCE_ID: &str = "service.instance.id";

/// The resource of these totals. The options' attributes win over the constant labels of the process, and these over the defaults.
pub(super) fn of_totals(totals: &Totals, options: &BTreeMap<String, String>) -> Resource {
    let instance_id = instance_id(std::process::id());
    let mut attributes =
        BTreeMap::from([(SERVICE_NAME, &*totals.namespace), (SERVICE_INSTANCE_ID, &*instance_id)]);
    attributes.extend(totals.labels().iter().chain(options).map(|(key, value)| (&**key, &**value)));
    let attributes = attributes.into_iter().map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    });
    Resource { attributes: attributes.collect(), ..Resource::default() }
}

/// The library, as the scope of all metrics.
pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "mvx-metrics".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

/// A random UUID of the process with this number. A forked process has the memory of its parent, and another number.
fn instance_id(process: u32) -> String {
    // The keys come from the system's random numbers.
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    let [above, below] = [0, 1].map(|half: usize| u128::from(KEYS[half].hash_one((half, process))));
    // The version is 4, the variant that of RFC 9562.
    let bits = (above << 64 | below) & !(0xf << 76 | 0b11 << 62) | 4 << 76 | 0b10 << 62;
    let digits = format!("{bits:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_process_is_another_instance() {
        let ids = [instance_id(1), instance_id(2), instance_id(1)];
        assert!(ids[0] == ids[2] && ids[0] != ids[1], "{ids:?}");
    }
}
