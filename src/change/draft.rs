//! A set under change: each change alters the view and is noted.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Change, Field, In};
use crate::statefulset::probe::{Probe, Slot};
use crate::statefulset::set::{Claim, ClaimSpec, Container, Resources, Set, VolumeMount};
use crate::statefulset::view::{IntOrString, Text};

/// A set under change.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    set: Set<'a>,
    changes: Vec<Change>,
}

impl<'a> Draft<'a> {
    /// A set that nothing has been done to.
    #[must_use]
    pub fn new(set: Set<'a>) -> Self {
        Self {
            set,
            changes: Vec::new(),
        }
    }

    /// The set as it stands after the changes so far.
    #[must_use]
    pub fn set(&self) -> &Set<'a> {
        &self.set
    }

    /// The changes so far, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The set and the changes that led to it.
    #[must_use]
    pub fn finish(self) -> (Set<'a>, Vec<Change>) {
        (self.set, self.changes)
    }

    /// Sets `spec.serviceName`.
    pub fn set_service_name(&mut self, name: &str) {
        self.set.spec.service_name = Text::from(name.to_owned());
        self.changes.push(Change::SetServiceName(name.to_owned()));
    }

    /// Sets a probe of a container; an index without a container changes nothing.
    pub fn set_probe(&mut self, container: usize, slot: Slot, probe: Probe<'a>) {
        let Ok(value) = serde_json::to_value(&probe) else {
            return;
        };
        let Some((container, target)) = self.container_mut(container) else {
            return;
        };
        *slot.of_mut(target) = Some(probe);
        self.changes.push(Change::SetProbe {
            container,
            slot,
            probe: value,
        });
    }

    /// Removes a probe of a container that has one.
    pub fn remove_probe(&mut self, container: usize, slot: Slot) {
        let Some((container, target)) = self.container_mut(container) else {
            return;
        };
        if slot.of_mut(target).take().is_some() {
            self.changes.push(Change::RemoveProbe { container, slot });
        }
    }

    /// Removes a field of a container's probe, where it is there.
    pub fn remove_from_probe(&mut self, container: usize, slot: Slot, field: ProbeField) {
        let Some((container, target)) = self.container_mut(container) else {
            return;
        };
        let probe = slot.of_mut(target).as_mut();
        if probe.is_some_and(|probe| field.take(probe)) {
            self.changes.push(Change::RemoveFromProbe {
                container,
                slot,
                field,
            });
        }
    }

    /// Inserts a claim before the one at `index`, or at the end where `index` is the length of the list or above it.
    ///
    /// # Errors
    ///
    /// If `value` is not a claim.
    pub fn insert_claim(&mut self, index: usize, value: Value) -> Result<(), serde_json::Error> {
        let claim = Claim::deserialize(value.clone())?;
        let claims = &mut self.set.spec.volume_claim_templates;
        let place = In::list(index, claims.len());
        claims.insert(place.index(), claim);
        self.changes.push(Change::AddClaim {
            place,
            claim: value,
        });
        Ok(())
    }

    /// Fills in the access modes and the size of a claim, each where the claim has none.
    pub fn complete_claim(&mut self, index: usize, access_modes: &[String], storage: &str) {
        let Some(claim) = self.set.spec.volume_claim_templates.get_mut(index) else {
            return;
        };
        let (lacks_modes, lacks_storage) =
            (!claim.has_access_modes(), !claim.has_storage_request());
        let mut added = Vec::new();
        let spec = claim.spec.get_or_insert_with(|| {
            added.push((Field::Spec, json!({})));
            ClaimSpec::default()
        });
        if lacks_modes {
            spec.access_modes = access_modes.iter().cloned().map(Text::from).collect();
            added.push((Field::AccessModes, json!(access_modes)));
        }
        if lacks_storage {
            let resources = spec.resources.get_or_insert_with(|| {
                added.push((Field::Resources, json!({})));
                Resources::default()
            });
            let requests = resources.requests.get_or_insert_with(|| {
                added.push((Field::Requests, json!({})));
                std::collections::BTreeMap::new()
            });
            requests.insert(
                Text::from("storage"),
                IntOrString::String(Text::from(storage.to_owned())),
            );
            added.push((Field::Storage, json!(storage)));
        }
        if !added.is_empty() {
            self.changes.push(Change::CompleteClaim { index, added });
        }
    }

    /// Mounts a volume in a container before the mount at `index`, or at the end where `index` is the length of the list or
    /// above it; an index without a container changes nothing.
    pub fn insert_mount(&mut self, container: usize, index: usize, volume: &str, path: &str) {
        let Some((container, target)) = self.container_mut(container) else {
            return;
        };
        let place = In::list(index, target.volume_mounts.len());
        let mount = VolumeMount {
            name: Text::from(volume.to_owned()),
            mount_path: Text::from(path.to_owned()),
            ..VolumeMount::default()
        };
        target.volume_mounts.insert(place.index(), mount);
        self.changes.push(Change::AddMount {
            container,
            place,
            volume: volume.to_owned(),
            path: path.to_owned(),
        });
    }

    /// Removes a mount from a container.
    pub fn remove_mount(&mut self, container: usize, mount: usize) {
        let Some((container, target)) = self.container_mut(container) else {
            return;
        };
        if mount < target.volume_mounts.len() {
            let removed = target.volume_mounts.remove(mount);
            self.changes.push(Change::RemoveMount {
                container,
                index: mount,
                path: removed.mount_path.to_string(),
            });
        }
    }

    /// Removes `spec.updateStrategy.rollingUpdate` where it is there.
    pub fn remove_rolling_update(&mut self) {
        let strategy = &mut self.set.spec.update_strategy;
        if strategy.rolling_update.take().is_some() {
            self.changes.push(Change::RemoveRollingUpdate);
        }
    }

    /// Sets one of our annotations.
    pub fn annotate(&mut self, key: &str, value: &str) {
        let annotations = &mut self.set.metadata.annotations;
        let first = !annotations.present;
        annotations.present = true;
        let (key, value) = (key.to_owned(), value.to_owned());
        annotations
            .ours
            .insert(Text::from(key.clone()), Text::from(value.clone()));
        self.changes.push(Change::Annotate { first, key, value });
    }

    fn container_mut(&mut self, index: usize) -> Option<(super::Container, &mut Container<'a>)> {
        let found = self.set.spec.template.spec.containers.get_mut(index)?;
        let name = found.name.to_string();
        Some((super::Container { index, name }, found))
    }
}

/// The parts of a probe that can be taken back one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeField {
    /// The handler `exec`.
    Exec,
    /// The handler `httpGet`.
    HttpGet,
    /// The handler `tcpSocket`.
    TcpSocket,
    /// The handler `grpc`.
    Grpc,
    /// `initialDelaySeconds`.
    InitialDelaySeconds,
    /// `periodSeconds`.
    PeriodSeconds,
    /// `timeoutSeconds`.
    TimeoutSeconds,
    /// `successThreshold`.
    SuccessThreshold,
    /// `failureThreshold`.
    FailureThreshold,
}

impl ProbeField {
    /// The handlers, of which a probe has one.
    pub(super) const HANDLERS: [Self; 4] = [Self::Exec, Self::HttpGet, Self::TcpSocket, Self::Grpc];

    /// Its JSON name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::HttpGet => "httpGet",
            Self::TcpSocket => "tcpSocket",
            Self::Grpc => "grpc",
            Self::InitialDelaySeconds => "initialDelaySeconds",
            Self::PeriodSeconds => "periodSeconds",
            Self::TimeoutSeconds => "timeoutSeconds",
            Self::SuccessThreshold => "successThreshold",
            Self::FailureThreshold => "failureThreshold",
        }
    }

    /// Takes it out of a probe, and says whether it was there.
    fn take(self, probe: &mut Probe<'_>) -> bool {
        match self {
            Self::Exec => probe.exec.take().is_some(),
            Self::HttpGet => probe.http_get.take().is_some(),
            Self::TcpSocket => probe.tcp_socket.take().is_some(),
            Self::Grpc => probe.grpc.take().is_some(),
            Self::InitialDelaySeconds => probe.initial_delay_seconds.take().is_some(),
            Self::PeriodSeconds => probe.period_seconds.take().is_some(),
            Self::TimeoutSeconds => probe.timeout_seconds.take().is_some(),
            Self::SuccessThreshold => probe.success_threshold.take().is_some(),
            Self::FailureThreshold => probe.failure_threshold.take().is_some(),
        }
    }
}
