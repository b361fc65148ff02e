//! Changes to a set: each one alters the view and notes the JSON Patch operation that does the same to the object.
//!
//! Operations are explicit and never the difference of two serialised objects, so fields that we do not know, odd
//! quantities and nulls survive. A parent that the view knows to be missing is created first; `add` on a key that is
//! there, even as null, replaces its value (RFC 6902, and the API server's implementation).

use json_patch::{AddOperation, PatchOperation, RemoveOperation};
use jsonptr::PointerBuf;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::pointer::{container_field, escape};
use crate::statefulset::probe::{Probe, Slot};
use crate::statefulset::set::{Claim, ClaimSpec, Container, Resources, Set, VolumeMount};
use crate::statefulset::view::{IntOrString, Text};

/// A set under change.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    set: Set<'a>,
    operations: Vec<PatchOperation>,
}

impl<'a> Draft<'a> {
    /// A set that nothing has been done to.
    #[must_use]
    pub fn new(set: Set<'a>) -> Self {
        Self {
            set,
            operations: Vec::new(),
        }
    }

    /// The set as it stands after the changes so far.
    #[must_use]
    pub fn set(&self) -> &Set<'a> {
        &self.set
    }

    /// The operations so far, in order.
    #[must_use]
    pub fn operations(&self) -> &[PatchOperation] {
        &self.operations
    }

    /// The set and the operations that led to it.
    #[must_use]
    pub fn finish(self) -> (Set<'a>, Vec<PatchOperation>) {
        (self.set, self.operations)
    }

    /// Sets `spec.serviceName`.
    pub fn set_service_name(&mut self, name: &str) {
        self.add("/spec/serviceName".into(), json!(name));
        self.set.spec.service_name = Text::from(name.to_owned());
    }

    /// Sets a probe of a container; an index without a container changes nothing.
    pub fn set_probe(&mut self, container: usize, slot: Slot, probe: Probe<'a>) {
        let Ok(value) = serde_json::to_value(&probe) else {
            return;
        };
        if let Some(target) = self.container_mut(container) {
            *slot.of_mut(target) = Some(probe);
            self.add(container_field(container, slot.field()), value);
        }
    }

    /// Removes a probe of a container that has one.
    pub fn remove_probe(&mut self, container: usize, slot: Slot) {
        let target = self.container_mut(container);
        if target.is_some_and(|target| slot.of_mut(target).take().is_some()) {
            self.remove(container_field(container, slot.field()));
        }
    }

    /// Removes a field of a container's probe, where it is there.
    pub fn remove_from_probe(&mut self, container: usize, slot: Slot, field: ProbeField) {
        let target = self.container_mut(container);
        let Some(probe) = target.and_then(|target| slot.of_mut(target).as_mut()) else {
            return;
        };
        if field.take(probe) {
            self.remove(container_field(
                container,
                &format!("{}/{}", slot.field(), field.name()),
            ));
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
        let index = index.min(claims.len());
        let empty = claims.is_empty();
        claims.insert(index, claim);
        if empty {
            self.add("/spec/volumeClaimTemplates".into(), json!([value]));
        } else {
            self.add(format!("/spec/volumeClaimTemplates/{index}"), value);
        }
        Ok(())
    }

    /// Fills in the access modes and the size of a claim, each where the claim has none.
    pub fn complete_claim(&mut self, index: usize, access_modes: &[String], storage: &str) {
        let Some(claim) = self.set.spec.volume_claim_templates.get_mut(index) else {
            return;
        };
        let (lacks_modes, lacks_storage) =
            (!claim.has_access_modes(), !claim.has_storage_request());
        let base = format!("/spec/volumeClaimTemplates/{index}/spec");
        let mut additions = Vec::new();
        let spec = claim.spec.get_or_insert_with(|| {
            additions.push((base.clone(), json!({})));
            ClaimSpec::default()
        });
        if lacks_modes {
            spec.access_modes = access_modes.iter().cloned().map(Text::from).collect();
            additions.push((format!("{base}/accessModes"), json!(access_modes)));
        }
        if lacks_storage {
            let resources = spec.resources.get_or_insert_with(|| {
                additions.push((format!("{base}/resources"), json!({})));
                Resources::default()
            });
            let requests = resources.requests.get_or_insert_with(|| {
                additions.push((format!("{base}/resources/requests"), json!({})));
                std::collections::BTreeMap::new()
            });
            requests.insert(
                Text::from("storage"),
                IntOrString::String(Text::from(storage.to_owned())),
            );
            additions.push((format!("{base}/resources/requests/storage"), json!(storage)));
        }
        for (pointer, value) in additions {
            self.add(pointer, value);
        }
    }

    /// Mounts a volume in a container before the mount at `index`, or at the end where `index` is the length of the list or
    /// above it; an index without a container changes nothing.
    pub fn insert_mount(&mut self, container: usize, index: usize, volume: &str, path: &str) {
        let Some(target) = self.container_mut(container) else {
            return;
        };
        let empty = target.volume_mounts.is_empty();
        let index = index.min(target.volume_mounts.len());
        let mount = VolumeMount {
            name: Text::from(volume.to_owned()),
            mount_path: Text::from(path.to_owned()),
            ..VolumeMount::default()
        };
        target.volume_mounts.insert(index, mount);
        let value = json!({"name": volume, "mountPath": path});
        let mounts = container_field(container, "volumeMounts");
        if empty {
            self.add(mounts, json!([value]));
        } else {
            self.add(format!("{mounts}/{index}"), value);
        }
    }

    /// Removes a mount from a container.
    pub fn remove_mount(&mut self, container: usize, mount: usize) {
        let Some(target) = self.container_mut(container) else {
            return;
        };
        if mount < target.volume_mounts.len() {
            target.volume_mounts.remove(mount);
            self.remove(container_field(container, &format!("volumeMounts/{mount}")));
        }
    }

    /// Removes `spec.updateStrategy.rollingUpdate` where it is there.
    pub fn remove_rolling_update(&mut self) {
        if self
            .set
            .spec
            .update_strategy
            .rolling_update
            .take()
            .is_some()
        {
            self.remove("/spec/updateStrategy/rollingUpdate".into());
        }
    }

    /// Sets one of our annotations.
    pub fn annotate(&mut self, key: &str, value: &str) {
        if !self.set.metadata.annotations.present {
            self.add("/metadata/annotations".into(), json!({}));
            self.set.metadata.annotations.present = true;
        }
        self.add(
            format!("/metadata/annotations/{}", escape(key)),
            json!(value),
        );
        self.set
            .metadata
            .annotations
            .ours
            .insert(Text::from(key.to_owned()), Text::from(value.to_owned()));
    }

    fn container_mut(&mut self, index: usize) -> Option<&mut Container<'a>> {
        self.set.spec.template.spec.containers.get_mut(index)
    }

    fn add(&mut self, pointer: String, value: Value) {
        if let Ok(path) = PointerBuf::parse(pointer) {
            self.operations
                .push(PatchOperation::Add(AddOperation { path, value }));
        }
    }

    fn remove(&mut self, pointer: String) {
        if let Ok(path) = PointerBuf::parse(pointer) {
            self.operations
                .push(PatchOperation::Remove(RemoveOperation { path }));
        }
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
