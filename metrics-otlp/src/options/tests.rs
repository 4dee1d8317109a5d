//! What the options accept, and what their errors say.

use super::*;

fn from(variables: &[(&str, &str)]) -> Result<OtlpOptions, OtlpError> {
    OtlpOptions::from_variables(|name| {
        variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.into())
    })
}

fn message(options: &OtlpOptions) -> String {
    options.check().expect_err("a wrong value").to_string()
}

#[test]
fn ot3_wrong_values_are_errors_that_name_option_and_value() {
    let options = OtlpOptions::new;
    let cases = [
        (options().interval(Duration::ZERO), "invalid interval `0ns`: must be from 10 ms to 24 h"),
        (
            options().interval(Duration::MAX),
            "invalid interval `18446744073709551615.999999999s`: must be from 10 ms to 24 h",
        ),
        (options().timeout(Duration::ZERO), "invalid timeout `0ns`: must be from 1 ms to 1 h"),
        (options().max_request_size(0), "invalid max_request_size `0`: must be from 1 KiB to 64 MiB"),
        (
            options().max_request_size((64 << 20) + 1),
            "invalid max_request_size `67108865`: must be from 1 KiB to 64 MiB",
        ),
        (
            options().header("a b", "c"),
            "invalid header `a..`: a name of a header has letters, digits and `-`",
        ),
        (options().header("", "c"), "invalid header ``: a name of a header has letters, digits and `-`"),
        (
            options().header("key", "se\ncret"),
            "invalid header `key`: a value of a header has no control characters",
        ),
        (
            options().header("Content-Length", "1"),
            "invalid header `Content-Length`: the pusher writes this header itself",
        ),
        (options().resource_attribute("", "c"), "invalid resource_attribute ``: must have a name"),
        (options().endpoint("nowhere"), "invalid endpoint `nowhere`: must begin with http:// or https://"),
        (
            options().metrics_endpoint("nowhere"),
            "invalid metrics_endpoint `nowhere`: must begin with http:// or https://",
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(message(&options), expected);
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn ot3_https_without_the_feature_is_an_error_that_names_it() {
    let expected =
        "invalid endpoint `https://a:443/v1/metrics`: https needs the feature `tls` of mvx-metrics-otlp";
    assert_eq!(message(&OtlpOptions::new().endpoint("https://a")), expected);
}

#[test]
fn the_variables_of_the_specification_set_options() {
    let options = from(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1/base"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "general=1"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "api-key=a%20b%3D, x = y ,"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", ""),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,host.name=h%C3%A9"),
    ])
    .expect("variables of the specification");
    let (endpoint, headers) = options.check().expect("checked options");
    assert_eq!(endpoint.url(), "http://a:1/base/v1/metrics");
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!((header("api-key"), header("x"), header("general")), (Some("a b="), Some("y"), None));
    assert_eq!((options.timeout, options.interval), (Duration::from_secs(2), Duration::from_millis(500)));
    assert_eq!((options.gzip, options.temporality), (false, Temporality::Delta));
    assert_eq!(options.resource.get("service.name").map(String::as_str), Some("shop"));
    assert_eq!(options.resource.get("host.name").map(String::as_str), Some("hé"));
}

#[test]
fn the_endpoint_of_metrics_is_used_as_it_is() {
    let options = from(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://b:2/push"),
    ]);
    let (endpoint, _) = options.and_then(|options| options.check()).expect("two URLs");
    assert_eq!(endpoint.url(), "http://b:2/push");
}

#[test]
fn ot3_wrong_variables_are_errors_that_name_variable_and_value() {
    let cases = [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "localhost:4317",
            "`localhost:4317`: must begin with http:// or https://",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "x", "`x`: must begin with http:// or https://"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "`..`: must be `name=value,..`, percent-encoded"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=secret", "`a..`: a name of a header has letters, digits and `-`"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "`10s`: must be milliseconds, from 1 to 3600000"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "-1", "`-1`: must be milliseconds, from 1 to 3600000"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "`zstd`: must be `gzip` or `none`"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "`grpc`: must be `http/protobuf`, the only one that mvx-metrics-otlp has",
        ),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "both",
            "`both`: must be `cumulative`, `delta` or `lowmemory`",
        ),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "`0`: must be milliseconds, from 10 to 86400000"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c", "`a=b,c`: must be `name=value,..`, percent-encoded"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%f", "`a=%f`: must be `name=value,..`, percent-encoded"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%+1", "`a=%+1`: must be `name=value,..`, percent-encoded"),
    ];
    for (variable, value, expected) in cases {
        let error = from(&[(variable, value)]).expect_err(value).to_string();
        assert_eq!(error, format!("invalid {variable} {expected}"));
    }
}

#[test]
fn ot3_secrets_in_the_wrong_place_are_not_shown() {
    let name = "Authorization: Basic c2VjcmV0";
    let options = OtlpOptions::new().header(name, "");
    assert_eq!(
        message(&options),
        "invalid header `Authorization..`: a name of a header has letters, digits and `-`"
    );
    let from_env = from(&[("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Basic c2VjcmV0=")]);
    let error = from_env.expect_err("a colon in place of `=`").to_string();
    assert!(error.contains("`Authorization..`") && !error.contains("c2VjcmV0"), "{error}");
    for options in [
        options,
        OtlpOptions::new().endpoint("http://user:c2VjcmV0@host"),
        OtlpOptions::new().metrics_endpoint("http://user:c2VjcmV0@host"),
    ] {
        let shown = format!("{options:?}");
        assert!(!shown.contains("c2VjcmV0"), "{shown}");
    }
}

#[test]
fn ot3_an_endpoint_that_is_called_wins_over_both_variables() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://one/metrics"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://two"),
    ];
    let url = |options: OtlpOptions| options.check().expect("valid options").0.url();
    let options = || from(&variables).expect("valid variables");
    assert_eq!(url(options()), "http://one:80/metrics");
    assert_eq!(url(options().endpoint("http://three")), "http://three:80/v1/metrics");
    assert_eq!(url(options().endpoint("http://three").metrics_endpoint("http://four")), "http://four:80/");
}

#[test]
fn ot3_variables_have_the_ranges_of_their_options() {
    let variables =
        [("OTEL_METRIC_EXPORT_INTERVAL", "86400000"), ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "1")];
    let options = from(&variables).expect("the limits");
    assert_eq!((options.interval, options.timeout), (*INTERVALS.end(), *TIMEOUTS.start()));
    assert!(options.check().is_ok());
}
