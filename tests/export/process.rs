//! Covers ED7: the metrics of the whole process. On other systems than Linux there are none.

use mvx_metrics::export::{ExpositionOptions, Format};
use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};

use crate::fixtures::{FORMATS, SCOPES, assert_grouped, running};

fn text(runtime: &MetricsRuntime, options: &ExpositionOptions) -> String {
    let exposition = runtime.exposition_with(options).expect("the runtime runs");
    assert_grouped(&exposition.text);
    exposition.text
}

fn shown() -> ExpositionOptions {
    ExpositionOptions::new().process(true)
}

#[test]
fn ed7_the_process_is_shown_on_request_only_and_not_with_totals_that_were_read_before() {
    let runtime = running("shop");
    for (scope, format) in SCOPES.iter().flat_map(|scope| FORMATS.map(|format| (*scope, format))) {
        let options = ExpositionOptions::new().scope(scope).format(format);
        assert!(!text(&runtime, &options).contains("\nprocess_"));
        let totals = runtime.totals(scope).expect("the runtime runs");
        let before = totals.exposition_with(&options.process(true)).expect("the options are valid");
        assert!(!before.text.contains("\nprocess_"), "{}", before.text);
    }
}

#[cfg(not(target_os = "linux"))]
#[test]
fn ed7_a_system_without_support_shows_nothing() {
    assert!(!text(&running("shop"), &shown()).contains("\nprocess_"));
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::sync::Barrier;
    use std::thread;
    use std::time::{SystemTime, UNIX_EPOCH};

    use mvx_metrics_tests::{bounded, eventually};

    use super::*;
    use crate::fixtures::value;

    #[test]
    fn ed7_names_types_and_units_are_the_conventional_ones() {
        let runtime = running("shop");
        let heads = |text: &str, head: &str| {
            let lines = text.lines().filter(|line| line.starts_with(head) && line.contains(" process_"));
            lines.map(|line| line[head.len()..].to_owned()).collect::<Vec<_>>()
        };
        let types = [
            "process_cpu_seconds_total counter",
            "process_max_fds gauge",
            "process_open_fds gauge",
            "process_resident_memory_bytes gauge",
            "process_start_time_seconds gauge",
            "process_threads gauge",
            "process_virtual_memory_bytes gauge",
        ];
        let prometheus = text(&runtime, &shown());
        assert_eq!(heads(&prometheus, "# TYPE "), types);
        assert_eq!(heads(&prometheus, "# HELP ").len(), types.len());
        let openmetrics = text(&runtime, &shown().format(Format::OpenMetrics));
        let types = types.map(|line| line.replace("cpu_seconds_total", "cpu_seconds"));
        assert_eq!(heads(&openmetrics, "# TYPE "), types);
        let units = [
            "process_cpu_seconds seconds",
            "process_resident_memory_bytes bytes",
            "process_start_time_seconds seconds",
            "process_virtual_memory_bytes bytes",
        ];
        assert_eq!(heads(&openmetrics, "# UNIT "), units);
        for name in ["process_cpu_seconds_total", "process_open_fds", "process_threads"] {
            assert!(value(&openmetrics, name) >= 0.0);
            assert!(value(&prometheus, name) >= 0.0);
        }
    }

    #[test]
    fn ed7_the_process_has_the_labels_of_the_process_and_stands_once_for_several_runtimes() {
        let labelled = |region| {
            let runtime = MetricsRuntime::builder("shop").label("host", "h1").label("region", region).build();
            let runtime = runtime.expect("valid choices");
            runtime.start().expect("a thread can be started");
            runtime
        };
        let (north, south) = (labelled("north"), labelled("south"));
        let threads = |runtimes: &[&MetricsRuntime], options: &ExpositionOptions| {
            let exposition = MetricsRuntime::exposition_of(runtimes, options).expect("they run");
            assert_grouped(&exposition.text);
            let lines = exposition.text.lines().filter(|line| line.starts_with("process_threads"));
            let series: Vec<_> =
                lines.map(|line| line.rsplit_once(' ').expect("a value").0.to_owned()).collect();
            series.join(" ")
        };
        assert_eq!(threads(&[&north], &shown()), "process_threads{host=\"h1\",region=\"north\"}");
        assert_eq!(threads(&[&north, &south], &shown()), "process_threads{host=\"h1\"}");
        let labelled = shown().label("stage", "test");
        assert_eq!(threads(&[&north, &south], &labelled), "process_threads{host=\"h1\",stage=\"test\"}");
        assert_eq!(threads(&[&north, &south], &shown().target_info(true)), "process_threads");
    }

    #[metric_event]
    struct Opened;

    #[derive(Metric, Default)]
    #[metric(name = "process", on(Opened))]
    struct Files {
        open_fds: Counter,
        closed: Counter,
        #[dimension(value = |_| 4_i64)]
        threads: mvx_metrics::Gauge<i64>,
    }

    #[test]
    fn ed7_no_metric_has_the_names_of_the_process() {
        let runtime = running("shop");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.metric::<Files>().expect("the recorder runs");
        recorder.emit(Opened);
        let exposition = runtime.exposition_with(&shown()).expect("the runtime runs");
        assert_grouped(&exposition.text);
        let skipped: Vec<_> = exposition.skipped.iter().map(|skipped| skipped.family.as_str()).collect();
        assert_eq!(skipped, ["process_open_fds", "process_threads"]);
        assert!(exposition.text.contains("\nprocess_closed_total{namespace=\"shop\"} 1\n"));
    }

    /// The number behind a key of a file below `/proc`.
    fn proc(file: &str, key: &str) -> f64 {
        let text = fs::read_to_string(format!("/proc/{file}")).expect("a file of the kernel");
        let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("the key is there");
        line.split_whitespace().next().expect("a number").parse().expect("a number")
    }

    #[test]
    fn ed7_memory_is_what_the_kernel_says() {
        const TOUCHED: usize = 64 << 20;
        /// The kernel counts pages in batches for each processor.
        const SLACK: f64 = 32.0 * 1024.0 * 1024.0;
        let runtime = running("shop");
        let touched = std::hint::black_box(vec![1_u8; TOUCHED]);
        let text = text(&runtime, &shown());
        let resident = value(&text, "process_resident_memory_bytes");
        let least = f64::from(u32::try_from(touched.len()).expect("it is small"));
        assert!(resident >= least, "{resident} bytes, of which {least} were just written");
        let most = proc("self/status", "VmHWM:") * 1024.0;
        assert!(resident <= most + SLACK, "{resident} bytes, and never more than {most}");
        let (virtual_memory, peak) =
            (value(&text, "process_virtual_memory_bytes"), proc("self/status", "VmPeak:") * 1024.0);
        assert!((resident..=peak).contains(&virtual_memory), "{resident} to {peak}: {virtual_memory}");
    }

    #[test]
    fn ed7_cpu_time_grows_with_work_and_never_falls() {
        bounded(|| {
            let runtime = running("shop");
            let cpu = || value(&text(&runtime, &shown()), "process_cpu_seconds_total");
            let first = cpu();
            let mut last = first;
            eventually("the work has taken 50 ms of CPU time", || {
                let now = cpu();
                assert!(now >= last, "{now} after {last}");
                last = now;
                now >= first + 0.05
            });
            let elapsed = proc("uptime", "");
            let cores = thread::available_parallelism().expect("a number").get();
            assert!(last <= elapsed * f64::from(u32::try_from(cores).expect("few cores")));
        });
    }

    #[test]
    fn ed7_the_process_started_before_now_and_after_the_system_and_always_at_the_same_time() {
        let runtime = running("shop");
        let start = || value(&text(&runtime, &shown()), "process_start_time_seconds");
        let started = start();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
        let boot = proc("stat", "btime ");
        // The kernel knows the start of the system to the second.
        assert!((boot - 1.0..=now + 1.0).contains(&started), "{boot} to {now}: {started}");
        // The whole suite takes no hour.
        assert!(started >= now - 3_600.0, "{started} at {now}");
        assert_eq!(start().to_bits(), started.to_bits());
        let created = text(&runtime, &shown().format(Format::OpenMetrics));
        assert_eq!(value(&created, "process_cpu_seconds_created").to_bits(), started.to_bits());
    }

    #[test]
    fn ed7_files_and_threads_are_counted() {
        let runtime = running("shop");
        let files: Vec<File> =
            (0..200).map(|_| File::open("/proc/self/stat").expect("it is there")).collect();
        let opened = text(&runtime, &shown());
        let limit = proc("self/limits", "Max open files");
        assert!((200.0..=limit).contains(&value(&opened, "process_open_fds")), "{opened}");
        assert_eq!(value(&opened, "process_max_fds").to_bits(), limit.to_bits());
        drop(files);

        let all = Barrier::new(31);
        thread::scope(|threads| {
            for _ in 0..30 {
                threads.spawn(|| {
                    all.wait();
                    all.wait();
                });
            }
            all.wait();
            let running = value(&text(&runtime, &shown()), "process_threads");
            all.wait();
            assert!((31.0..10_000.0).contains(&running), "{running} threads");
        });
    }
}
