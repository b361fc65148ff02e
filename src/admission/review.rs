//! One review: from the bytes of the body to the bytes of the answer.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use super::{Envelope, Refusal, response};
use crate::cluster::Cluster;
use crate::cluster::policies::SharedPolicies;
use crate::cluster_view::{NoCluster, Overlay};
use crate::metrics::{Endpoint, Metrics, Operation, RequestLabels, Verdict};
use crate::model::finding::Phase;
use crate::model::text::clipped;
use crate::review::{self, review};
use crate::statefulset::Undecodable;
use crate::strict::Subject;
use crate::telemetry::REVIEWS;
use jiff::Timestamp;

/// What reviews are judged by.
pub struct Reviewer {
    /// Swapped as a whole, so that a review never sees half of a change.
    pub policies: SharedPolicies,
    /// The cluster that is watched, and asked where the watch may be late; without one nobody is asked.
    pub cluster: Option<Arc<Cluster>>,
    /// What is known without a cluster.
    pub nothing: NoCluster,
}

/// A review that has been answered, and what is written down about it.
#[derive(Debug)]
pub struct Reviewed<'a> {
    pub(super) answer: Vec<u8>,
    envelope: Envelope<'a>,
    verdict: review::Verdict,
    labels: RequestLabels,
}

/// What was found out about the object of a review.
enum Judgement {
    /// Nothing that we judge: another kind, a subresource, DELETE, a write that leaves the spec as it is, a set that no policy is
    /// for.
    Ignored,
    Judged(review::Verdict),
    Undecodable(Undecodable),
}

impl Reviewer {
    /// Answers one review, before `deadline` unless the work itself takes longer.
    ///
    /// # Errors
    ///
    /// [`Refusal::Malformed`] if the body is no review.
    pub async fn review<'a>(
        &self,
        endpoint: Endpoint,
        body: &'a [u8],
        deadline: Instant,
    ) -> Result<Reviewed<'a>, Refusal> {
        let mut envelope = Envelope::read(body)?;
        let judgement = self.judge(endpoint, &mut envelope, deadline).await;
        let outcome = judgement.label();
        let answer = judgement.answer(&envelope).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written");
            Refusal::Failed
        })?;
        let labels = RequestLabels {
            endpoint,
            operation: envelope.operation,
            verdict: outcome,
            dry_run: envelope.dry_run,
        };
        let verdict = if let Judgement::Judged(verdict) = judgement {
            verdict
        } else {
            review::Verdict::default()
        };
        Ok(Reviewed {
            answer,
            envelope,
            verdict,
            labels,
        })
    }

    async fn judge(
        &self,
        endpoint: Endpoint,
        envelope: &mut Envelope<'_>,
        deadline: Instant,
    ) -> Judgement {
        let (object, old_object) = (envelope.object.take(), envelope.old_object.take());
        let (Some(object), true) = (object, envelope.is_stateful_set) else {
            return Judgement::Ignored;
        };
        // An UPDATE that does not say of what must not be taken for a CREATE: that may inject what can never change.
        let old_object = match (envelope.operation, old_object) {
            (Operation::Create, _) => None,
            (Operation::Update, Some(old_object)) => Some(old_object),
            _ => return Judgement::Ignored,
        };
        match Subject::of(&envelope.namespace, object, old_object) {
            Ok(None) => Judgement::Ignored,
            Ok(Some(subject)) => {
                let verdict = self.verdict(subject, envelope, phase(endpoint), deadline.into());
                // the decoded set is large, and every request would carry it along
                let verdict = Box::pin(verdict).await;
                verdict.map_or(Judgement::Ignored, Judgement::Judged)
            }
            Err(error) => Judgement::Undecodable(error),
        }
    }

    async fn verdict(
        &self,
        subject: Subject<'_>,
        envelope: &Envelope<'_>,
        phase: Phase,
        deadline: tokio::time::Instant,
    ) -> Option<review::Verdict> {
        let policies = self.policies.load_full();
        let Some(cluster) = &self.cluster else {
            let mut view = Overlay::new(&self.nothing);
            view.set_author(&envelope.user);
            return review(&policies, subject, &view, phase, Timestamp::now());
        };
        let user = envelope.user_info;
        let mut view = cluster.look_up(&policies, &subject, user, deadline).await;
        view.set_author(&envelope.user);
        let now = Timestamp::now();
        let mut verdict = review(&policies, subject.clone(), &view, phase, now)?;
        // each question is asked once, so this comes to an end
        while cluster
            .look_further(&mut view, &subject, &verdict, deadline)
            .await
        {
            verdict = review(&policies, subject.clone(), &view, phase, now)?;
        }
        Some(verdict)
    }
}

fn phase(endpoint: Endpoint) -> Phase {
    match endpoint {
        Endpoint::Mutate => Phase::Mutate,
        Endpoint::Validate => Phase::Validate,
    }
}

impl Judgement {
    fn label(&self) -> Verdict {
        match self {
            Self::Ignored => Verdict::Ignored,
            Self::Undecodable(_) => Verdict::Undecodable,
            Self::Judged(verdict) if verdict.denies() => Verdict::Denied,
            Self::Judged(verdict) if !verdict.patches() => Verdict::Allowed,
            Self::Judged(_) => Verdict::Mutated,
        }
    }

    fn answer(&self, envelope: &Envelope<'_>) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Ignored => response::allowed(&envelope.uid, None),
            Self::Judged(verdict) => response::verdict(&envelope.uid, &envelope.name, verdict),
            Self::Undecodable(error) => {
                let text = format!("steadyset: not checked: {error}");
                response::allowed(&envelope.uid, Some((&text, "undecodable")))
            }
        }
    }
}

impl Reviewed<'_> {
    /// The answer as it is sent, an `AdmissionReview` in JSON.
    #[must_use]
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }

    /// Counts the review and writes its line into the log.
    pub(super) fn note(&self, metrics: &Metrics, started: Instant) {
        metrics.count_request(self.labels);
        if !self.labels.dry_run {
            self.count(metrics);
        }
        tracing::info!(
            target: REVIEWS,
            endpoint = self.labels.endpoint.as_str(),
            operation = self.labels.operation.as_str(),
            namespace = &*self.envelope.namespace,
            // not validated yet: it may be as long as the object
            name = clipped(&self.envelope.name, response::NAME),
            user = &*self.envelope.user,
            uid = &*self.envelope.uid,
            dry_run = self.labels.dry_run,
            verdict = self.labels.verdict.as_str(),
            findings = self.findings(),
            injections = self.injections(),
            spared = self.verdict.spared.as_ref().map(ToString::to_string),
            micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "reviewed"
        );
    }

    fn count(&self, metrics: &Metrics) {
        for finding in &self.verdict.findings {
            metrics.count_finding(finding.rule, finding.action);
        }
        for injection in &self.verdict.injections {
            metrics.count_injection(injection.kind, injection.origin);
        }
        for rule in &self.verdict.exempted {
            metrics.count_exemption(rule);
        }
        for rule in self.verdict.spared.iter().flat_map(|spared| &spared.rules) {
            metrics.count_spared(rule);
        }
    }

    fn findings(&self) -> String {
        let mut text = String::new();
        for finding in &self.verdict.findings {
            let _ = write!(
                text,
                "{}{}={}",
                comma(&text),
                finding.rule,
                crate::metrics::action(finding.action)
            );
        }
        text
    }

    fn injections(&self) -> String {
        let mut text = String::new();
        for injection in &self.verdict.injections {
            let _ = write!(text, "{}{}", comma(&text), injection.key);
        }
        text
    }
}

fn comma(text: &str) -> &'static str {
    if text.is_empty() { "" } else { "," }
}
