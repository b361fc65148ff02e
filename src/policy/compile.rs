//! From what was written to what is asked: a policy whose every name is known and whose every pattern is compiled.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::schema::{self, Fault};
use super::spec::constraints::MAX_GLOBS;
use super::spec::{
    ExemptionsSpec, InjectSpec, LabelOperator, LabelRequirementSpec, LabelSelectorSpec, MatchSpec,
    PolicySpec, TrustedControllerSpec,
};
use super::trust::is_of_kubernetes;
use super::{
    Enforcement, Exemptions, Glob, Inject, Matcher, Policy, ProbeMode, RuleAction, ServiceNameMode,
    TrustedController, VolumeClaims,
};
use crate::model::name::is_dns_label;
use crate::model::quantity::is_size;
use crate::model::rules::{self, RuleId};
use crate::model::text::quoted;
use crate::policy::ClaimMode;
use crate::statefulset::set::{MatchExpression, Selector};
use crate::statefulset::view::Text;

mod image;

/// A policy that cannot be compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// Everything that is wrong with it.
    pub faults: Vec<Fault>,
    /// What stands in for it where no earlier form of it is known: for every set that it could be for, nothing is injected
    /// and findings warn at most.
    pub stand_in: Box<Policy>,
}

/// Compiles the `spec` of a policy.
///
/// # Errors
///
/// Everything that is wrong with it at once.
pub fn compile(name: &str, spec: &Value) -> Result<Policy, Rejected> {
    let mut faults = schema::faults(spec);
    if faults.is_empty() {
        match serde_json::from_value::<PolicySpec>(without_nulls(spec.clone())) {
            Ok(spec) => {
                let policy = Compiler(&mut faults).policy(name, &spec);
                if faults.is_empty() {
                    return Ok(policy);
                }
            }
            Err(error) => faults.push(Fault::new("spec", error.to_string())),
        }
    } else {
        // Compiled for its faults alone, so that all are named at once.
        Compiler(&mut faults).policy(name, &readable(spec));
    }
    Err(Rejected {
        faults,
        stand_in: Box::new(stand_in(name, spec)),
    })
}

/// The careful policy in place of one that cannot be compiled. What can be read of its `match` holds; where it cannot be
/// read the policy could be for any set, and where its priority cannot, it could be the highest.
fn stand_in(name: &str, spec: &Value) -> Policy {
    let mut inject = Inject::default();
    inject.readiness_probe.mode = ProbeMode::Never;
    inject.liveness_probe.mode = ProbeMode::Never;
    inject.service_name.mode = ServiceNameMode::Never;
    inject.volume_claims.mode = ClaimMode::Never;
    Policy {
        name: name.to_owned(),
        priority: part(spec, "priority").unwrap_or(i32::MAX),
        matches: readable_match(spec),
        enforcement: Enforcement::Warn,
        inject,
        ..Policy::default()
    }
}

/// The careful policy while it is not known which policies there are.
#[must_use]
pub fn unknown_policy() -> Policy {
    stand_in("", &Value::String(String::new()))
}

fn part<T: DeserializeOwned + Default>(spec: &Value, field: &str) -> Option<T> {
    let Value::Object(members) = spec else {
        return None;
    };
    let Some(value) = members.get(field).filter(|value| !value.is_null()) else {
        return Some(T::default());
    };
    serde_json::from_value(without_nulls(value.clone())).ok()
}

/// What can be read of a policy, a part that cannot as if it were absent.
fn readable(spec: &Value) -> PolicySpec {
    PolicySpec {
        matches: part(spec, "match").unwrap_or_default(),
        rules: part(spec, "rules").unwrap_or_default(),
        exemptions: part(spec, "exemptions").unwrap_or_default(),
        inject: part(spec, "inject").unwrap_or_default(),
        trusted_controllers: part(spec, "trustedControllers").unwrap_or_default(),
        ..PolicySpec::default()
    }
}

fn readable_match(spec: &Value) -> Matcher {
    let of_match = |fault: &Fault| fault.path.starts_with("spec.match");
    let mut faults: Vec<Fault> = schema::faults(spec);
    faults.retain(of_match);
    let written: Option<MatchSpec> = part(spec, "match");
    let compiled = written.map(|written| Compiler(&mut faults).matcher(&written));
    compiled.filter(|_| faults.is_empty()).unwrap_or_default()
}

/// The API server drops a null where the schema allows none; an optional field that is null is absent.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

/// Whether a text is the name of an object such as a class (RFC 1123, `IsDNS1123Subdomain` in kubernetes/apimachinery).
fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// Collects what is wrong while it goes on.
struct Compiler<'f>(&'f mut Vec<Fault>);

impl Compiler<'_> {
    fn fault(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault::new(path, message));
    }

    fn policy(&mut self, name: &str, spec: &PolicySpec) -> Policy {
        Policy {
            name: name.to_owned(),
            priority: spec.priority,
            matches: self.matcher(&spec.matches),
            enforcement: spec.enforcement,
            profile: spec.profile,
            rules: self.rules(&spec.rules),
            exemptions: self.exemptions(&spec.exemptions),
            inject: self.inject(&spec.inject),
            trusted_controllers: self.trusted_controllers(&spec.trusted_controllers),
        }
    }

    fn trusted_controllers(&mut self, specs: &[TrustedControllerSpec]) -> Vec<TrustedController> {
        let mut trusted = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let path = format!("spec.trustedControllers[{index}]");
            if is_of_kubernetes(&spec.group) {
                let message = format!(
                    "{:?} is no group of custom resources: kinds of Kubernetes itself are never believed",
                    spec.group
                );
                self.fault(format!("{path}.group"), message);
            }
            trusted.push(TrustedController {
                group: spec.group.clone(),
                kind: spec.kind.clone(),
                users: self.globs(&format!("{path}.users"), &spec.users),
            });
        }
        trusted
    }

    fn matcher(&mut self, spec: &MatchSpec) -> Matcher {
        let names = &spec.namespaces;
        Matcher {
            include: self.globs("spec.match.namespaces.include", &names.include),
            exclude: self.globs("spec.match.namespaces.exclude", &names.exclude),
            namespaces: self.selector("spec.match.namespaceSelector", &spec.namespace_selector),
            objects: self.selector("spec.match.objectSelector", &spec.object_selector),
        }
    }

    fn globs(&mut self, path: &str, patterns: &[String]) -> Vec<Glob> {
        let mut globs = Vec::new();
        // more are a fault already
        for (index, pattern) in patterns.iter().take(MAX_GLOBS).enumerate() {
            globs.extend(self.glob(&format!("{path}[{index}]"), pattern));
        }
        globs
    }

    fn glob(&mut self, path: &str, pattern: &str) -> Option<Glob> {
        if pattern.chars().count() > Glob::LONGEST {
            return None; // a fault of the schema already
        }
        let glob = Glob::new(pattern);
        glob.map_err(|reason| {
            let message = format!("{} is no pattern: {reason}", quoted(pattern));
            self.fault(path, message);
        })
        .ok()
    }

    fn selector(&mut self, path: &str, spec: &LabelSelectorSpec) -> Selector<'static> {
        for (index, requirement) in spec.match_expressions.iter().enumerate() {
            if let Some(message) = requirement.fault() {
                self.fault(format!("{path}.matchExpressions[{index}].values"), message);
            }
        }
        let text = |text: &String| Text::from(text.clone());
        let labels = spec.match_labels.iter();
        let expressions = spec.match_expressions.iter();
        Selector {
            match_labels: labels
                .map(|(key, value)| (text(key), text(value)))
                .collect(),
            match_expressions: expressions
                .map(|requirement| MatchExpression {
                    key: text(&requirement.key),
                    operator: Text::from(format!("{:?}", requirement.operator)),
                    values: requirement.values.iter().map(text).collect(),
                })
                .collect(),
        }
    }

    fn rules(
        &mut self,
        written: &BTreeMap<String, RuleAction>,
    ) -> BTreeMap<&'static str, RuleAction> {
        let mut actions = BTreeMap::new();
        for (id, action) in written {
            let path = format!("spec.rules.{id}");
            let Some(rule) = self.rule(&path, id) else {
                continue;
            };
            if *action == RuleAction::Deny && !rule.may_deny {
                self.fault(
                    path,
                    "never denies: the API server's own answer is what tools act on; write Warn, Audit or Ignore",
                );
            }
            actions.insert(rule.id, *action);
        }
        actions
    }

    fn rule(&mut self, path: &str, id: &str) -> Option<&'static RuleId> {
        rules::find(id)
            .map_err(|unknown| self.fault(path, unknown.to_string()))
            .ok()
    }

    fn exemptions(&mut self, spec: &ExemptionsSpec) -> Exemptions {
        let forbidden = spec.forbid_rules.iter().enumerate();
        let forbid_rules = forbidden.filter_map(|(index, id)| {
            let rule = self.rule(&format!("spec.exemptions.forbidRules[{index}]"), id);
            rule.map(|rule| rule.id)
        });
        Exemptions {
            forbid_rules: forbid_rules.collect(),
            allow: spec.allow,
            require_verb: spec.require_verb,
        }
    }

    /// What the API server would refuse in the sets that the claims are injected into, or no volume could be made for.
    fn volume_claims(&mut self, claims: &VolumeClaims) {
        let path = |field: &str| format!("spec.inject.volumeClaims.{field}");
        if !is_size(&claims.storage) {
            let message = format!("{:?} is no size; write one such as 1Gi", claims.storage);
            self.fault(path("storage"), message);
        }
        let class = claims.storage_class_name.as_deref();
        if let Some(class) = class.filter(|class| !class.is_empty() && !is_dns_subdomain(class)) {
            let message = format!(
                "{class:?} is no name of a class: lower-case letters, digits, \"-\" and \".\""
            );
            self.fault(path("storageClassName"), message);
        }
        let alone = "ReadWriteOncePod";
        let modes = &claims.access_modes;
        if modes.len() > 1 && modes.iter().any(|mode| mode == alone) {
            self.fault(path("accessModes"), format!("{alone} stands alone"));
        }
    }

    fn inject(&mut self, spec: &InjectSpec) -> Inject {
        self.volume_claims(&spec.volume_claims);
        let images = spec.image_probes.iter().take(MAX_GLOBS).enumerate();
        let image_probes = images.filter_map(|(index, image)| {
            self.image_probe(&format!("spec.inject.imageProbes[{index}]"), image)
        });
        Inject {
            image_probes: image_probes.collect(),
            readiness_probe: spec.readiness_probe.clone(),
            liveness_probe: spec.liveness_probe.clone(),
            startup_probe: spec.startup_probe.clone(),
            service_name: spec.service_name.clone(),
            volume_claims: spec.volume_claims.clone(),
            controller_owned: spec.controller_owned,
        }
    }
}

impl LabelRequirementSpec {
    /// What is wrong with the values, as `ValidateLabelSelectorRequirement` in kubernetes/apimachinery says it.
    fn fault(&self) -> Option<&'static str> {
        let takes_values = matches!(self.operator, LabelOperator::In | LabelOperator::NotIn);
        match (takes_values, self.values.is_empty()) {
            (true, true) => Some("must be given with In and NotIn"),
            (false, false) => Some("must not be given with Exists and DoesNotExist"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
