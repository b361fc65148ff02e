//! The series that there are, and what counts where.

use super::*;

#[test]
fn every_series_of_the_request_path_is_there_before_the_first_request() {
    let text = Metrics::new().encode().unwrap();
    let series = text
        .lines()
        .filter(|line| line.starts_with("steadyset_admission_requests_total{"))
        .count();
    assert_eq!(
        series,
        Endpoint::ALL.len() * Operation::ALL.len() * Verdict::ALL.len() * 2
    );
    assert!(text.contains("steadyset_build_info{version="), "{text}");
}

#[test]
fn a_bundle_that_nobody_looks_at_is_neither_in_sync_nor_out_of_it() {
    let metrics = Metrics::new();
    assert!(!metrics.encode().unwrap().contains("ca_bundle_in_sync"));
    for (fits, sample) in [(false, "in_sync 0\n"), (true, "in_sync 1\n")] {
        metrics.set_ca_bundle_in_sync(fits);
        assert!(metrics.encode().unwrap().contains(sample));
    }
}

#[test]
fn a_request_is_counted_under_its_own_labels() {
    let metrics = Metrics::new();
    let labels = RequestLabels {
        endpoint: Endpoint::Validate,
        operation: Operation::Update,
        verdict: Verdict::Denied,
        dry_run: true,
    };
    metrics.count_request(labels);
    let text = metrics.encode().unwrap();
    let counted: Vec<_> = text
        .lines()
        .filter(|line| line.contains("requests_total{") && !line.ends_with(" 0"))
        .collect();
    let expected = "steadyset_admission_requests_total{endpoint=\"validate\",operation=\"update\",\
                    verdict=\"denied\",dry_run=\"true\"} 1";
    assert_eq!(counted, [expected]);
}
