//! The view of a `StatefulSet` (`apps/v1`): exactly the fields that rules and injections read.
//!
//! Field names and meaning are those of `k8s.io/api/apps/v1` and `k8s.io/api/core/v1`. A text that is absent is empty,
//! as in the API server's own structs.

use std::collections::BTreeMap;

use super::annotations::Annotations;
use super::probe::Probe;
pub use super::runtime::{Lifecycle, SecurityContext};
use super::scheduling::{Affinity, TopologySpreadConstraint};
use super::view::{IntOrString, Text, view};
pub use super::volume::Volume;

/// Labels, or the keys and values of a selector.
pub type Labels<'a> = BTreeMap<Text<'a>, Text<'a>>;

view! {
    /// A `StatefulSet`.
    #[derive(PartialEq)]
    pub struct Set<'a> {
        /// Name, labels, annotations and owners.
        "metadata" => metadata: Metadata<'a>,
        /// What the user wants.
        "spec" => spec: Spec<'a>,
        /// The revisions that the controller last reported.
        "status" => status: Status<'a>,
    }
}

view! {
    /// `ObjectMeta`, as far as it is read.
    #[derive(PartialEq)]
    pub struct Metadata<'a> {
        /// Empty on CREATE with `generateName`.
        "name" => name: Text<'a>,
        /// The prefix of a name that the server makes up.
        "generateName" => generate_name: Text<'a>,
        /// Empty in a file that leaves it to the command line.
        "namespace" => namespace: Text<'a>,
        /// Given by the server; empty on CREATE at `/mutate`.
        "uid" => uid: Text<'a>,
        /// The set's own labels.
        "labels" => labels: Labels<'a>,
        /// Only our own annotations; absent and empty are told apart.
        "annotations" => annotations: Annotations<'a>,
        /// Who owns the set.
        "ownerReferences" => owner_references: Vec<OwnerReference<'a>>,
        /// Present once the set is being deleted.
        "deletionTimestamp" => deletion_timestamp: Option<Text<'a>>,
    }
}

view! {
    /// An owner of the set.
    #[derive(PartialEq)]
    pub struct OwnerReference<'a> {
        /// The group and version of the owner's kind.
        "apiVersion" => api_version: Text<'a>,
        /// The owner's kind.
        "kind" => kind: Text<'a>,
        /// The owner's name.
        "name" => name: Text<'a>,
        /// Whether the owner manages the set.
        "controller" => controller: bool,
    }
}

view! {
    /// `StatefulSetSpec`.
    #[derive(PartialEq)]
    pub struct Spec<'a> {
        /// Absent means 1.
        "replicas" => replicas: Option<i64>,
        /// The governing Service; empty when unset.
        "serviceName" => service_name: Text<'a>,
        /// Empty means `OrderedReady`.
        "podManagementPolicy" => pod_management_policy: Text<'a>,
        /// Which pods belong to the set.
        "selector" => selector: Option<Selector<'a>>,
        /// How a new template reaches the pods.
        "updateStrategy" => update_strategy: UpdateStrategy<'a>,
        /// The pods.
        "template" => template: Template<'a>,
        /// The claims that each pod gets.
        "volumeClaimTemplates" => volume_claim_templates: Vec<Claim<'a>>,
        /// What happens to claims on scale-down and deletion.
        "persistentVolumeClaimRetentionPolicy" => retention_policy: RetentionPolicy<'a>,
        /// The first ordinal.
        "ordinals" => ordinals: Ordinals,
    }
}

view! {
    /// `status`, as the controller wrote it.
    #[derive(PartialEq)]
    pub struct Status<'a> {
        /// The revision that pods are being moved to.
        "updateRevision" => update_revision: Text<'a>,
        /// The revision that pods are moved from.
        "currentRevision" => current_revision: Text<'a>,
        /// How many pods run the template that pods are being moved to.
        "updatedReplicas" => updated_replicas: i64,
    }
}

view! {
    /// A label selector.
    #[derive(PartialEq)]
    pub struct Selector<'a> {
        /// Equality requirements.
        "matchLabels" => match_labels: Labels<'a>,
        /// Set-based requirements.
        "matchExpressions" => match_expressions: Vec<MatchExpression<'a>>,
    }
}

view! {
    /// One set-based requirement.
    #[derive(PartialEq)]
    pub struct MatchExpression<'a> {
        /// The label key.
        "key" => key: Text<'a>,
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        "operator" => operator: Text<'a>,
        /// The values of `In` and `NotIn`.
        "values" => values: Vec<Text<'a>>,
    }
}

view! {
    /// `spec.updateStrategy`.
    #[derive(PartialEq)]
    pub struct UpdateStrategy<'a> {
        /// Empty means `RollingUpdate`.
        "type" => kind: Text<'a>,
        /// Present only where the user or the server's defaulting wrote it.
        "rollingUpdate" => rolling_update: Option<RollingUpdate<'a>>,
    }
}

view! {
    /// `spec.updateStrategy.rollingUpdate`.
    #[derive(PartialEq)]
    pub struct RollingUpdate<'a> {
        /// Pods with an ordinal below it keep the old template.
        "partition" => partition: Option<i64>,
        /// How many pods may be down during an update.
        "maxUnavailable" => max_unavailable: Option<IntOrString<'a>>,
    }
}

view! {
    /// `spec.persistentVolumeClaimRetentionPolicy`.
    #[derive(PartialEq)]
    pub struct RetentionPolicy<'a> {
        /// `Retain` or `Delete`; empty means `Retain`.
        "whenDeleted" => when_deleted: Text<'a>,
        /// `Retain` or `Delete`; empty means `Retain`.
        "whenScaled" => when_scaled: Text<'a>,
    }
}

view! {
    /// `spec.ordinals`.
    #[derive(PartialEq)]
    pub struct Ordinals {
        /// The first ordinal; absent means 0.
        "start" => start: i64,
    }
}

view! {
    /// `spec.template`.
    #[derive(PartialEq)]
    pub struct Template<'a> {
        /// The pods' labels.
        "metadata" => metadata: TemplateMetadata<'a>,
        /// The pods' spec.
        "spec" => spec: PodSpec<'a>,
    }
}

view! {
    /// `spec.template.metadata`.
    #[derive(PartialEq)]
    pub struct TemplateMetadata<'a> {
        /// The pods' labels.
        "labels" => labels: Labels<'a>,
    }
}

view! {
    /// `spec.template.spec`.
    #[derive(PartialEq)]
    pub struct PodSpec<'a> {
        /// The pod's containers.
        "containers" => containers: Vec<Container<'a>>,
        /// Run before the containers; those with `restartPolicy: Always` keep running beside them.
        "initContainers" => init_containers: Vec<Container<'a>>,
        /// The pod's own volumes.
        "volumes" => volumes: Vec<Volume<'a>>,
        /// Whether the pod's hostname is its full DNS name.
        "setHostnameAsFQDN" => set_hostname_as_fqdn: bool,
        /// Seconds that a pod has to stop; absent means 30.
        "terminationGracePeriodSeconds" => termination_grace_period_seconds: Option<i64>,
        /// Near which other pods its own may run.
        "affinity" => affinity: Affinity<'a>,
        /// How its pods are spread.
        "topologySpreadConstraints" => topology_spread_constraints: Vec<TopologySpreadConstraint<'a>>,
        /// As whom the containers run, and to which group volumes belong.
        "securityContext" => security_context: SecurityContext,
        /// Whether Services of the namespace put variables into the containers; absent means they do.
        "enableServiceLinks" => enable_service_links: Option<bool>,
        /// The pods' account; empty means `default`.
        "serviceAccountName" => service_account_name: Text<'a>,
        /// The pods' priority class.
        "priorityClassName" => priority_class_name: Text<'a>,
    }
}

view! {
    /// A container.
    #[derive(PartialEq)]
    pub struct Container<'a> {
        /// Unique in the pod.
        "name" => name: Text<'a>,
        /// The image reference.
        "image" => image: Text<'a>,
        /// Replaces the image's entry point.
        "command" => command: Vec<Text<'a>>,
        /// Replaces the image's arguments.
        "args" => args: Vec<Text<'a>>,
        /// Environment variables.
        "env" => env: Vec<EnvVar<'a>>,
        /// Declared ports.
        "ports" => ports: Vec<ContainerPort<'a>>,
        /// When the pod counts as ready.
        "readinessProbe" => readiness_probe: Option<Probe<'a>>,
        /// When the container is restarted.
        "livenessProbe" => liveness_probe: Option<Probe<'a>>,
        /// Holds back the other probes until it passed.
        "startupProbe" => startup_probe: Option<Probe<'a>>,
        /// Where volumes appear as folders or files.
        "volumeMounts" => volume_mounts: Vec<VolumeMount<'a>>,
        /// Where volumes appear as block devices.
        "volumeDevices" => volume_devices: Vec<VolumeDevice<'a>>,
        /// `Always` makes an init container a side container.
        "restartPolicy" => restart_policy: Text<'a>,
        /// As whom the container runs, where it says otherwise than the pod.
        "securityContext" => security_context: SecurityContext,
        /// What is run before the container is stopped.
        "lifecycle" => lifecycle: Lifecycle<'a>,
    }
}

view! {
    /// An environment variable with a plain value.
    #[derive(PartialEq)]
    pub struct EnvVar<'a> {
        /// Its name.
        "name" => name: Text<'a>,
        /// Its value; empty where it comes from elsewhere.
        "value" => value: Text<'a>,
    }
}

view! {
    /// A declared port.
    #[derive(PartialEq)]
    pub struct ContainerPort<'a> {
        /// Its name; empty when it has none.
        "name" => name: Text<'a>,
        /// Its number.
        "containerPort" => container_port: i64,
        /// The node's port that leads to it; 0 when there is none.
        "hostPort" => host_port: i64,
        /// `TCP`, `UDP` or `SCTP`; empty means `TCP`.
        "protocol" => protocol: Text<'a>,
    }
}

view! {
    /// A volume mounted into a container.
    #[derive(PartialEq)]
    pub struct VolumeMount<'a> {
        /// The volume's or claim's name.
        "name" => name: Text<'a>,
        /// Where it appears.
        "mountPath" => mount_path: Text<'a>,
        /// The part of the volume that appears.
        "subPath" => sub_path: Text<'a>,
        /// The same, with environment variables expanded.
        "subPathExpr" => sub_path_expr: Text<'a>,
        /// Whether it can be written.
        "readOnly" => read_only: bool,
    }
}

view! {
    /// A claim that appears as a block device.
    #[derive(PartialEq)]
    pub struct VolumeDevice<'a> {
        /// The claim's name.
        "name" => name: Text<'a>,
        /// Where it appears.
        "devicePath" => device_path: Text<'a>,
    }
}

view! {
    /// An entry of `spec.volumeClaimTemplates`.
    #[derive(PartialEq)]
    pub struct Claim<'a> {
        /// The claim's name and labels.
        "metadata" => metadata: ClaimMetadata<'a>,
        /// Modes, size and class; `None` where it is absent or null.
        "spec" => spec: Option<ClaimSpec<'a>>,
    }
}

view! {
    /// `metadata` of a claim.
    #[derive(PartialEq)]
    pub struct ClaimMetadata<'a> {
        /// The volume's name in the pods.
        "name" => name: Text<'a>,
        /// The labels of the claims that are made.
        "labels" => labels: Labels<'a>,
    }
}

view! {
    /// `PersistentVolumeClaimSpec`.
    #[derive(PartialEq)]
    pub struct ClaimSpec<'a> {
        /// `ReadWriteOnce`, `ReadWriteMany`, `ReadOnlyMany`, `ReadWriteOncePod`.
        "accessModes" => access_modes: Vec<Text<'a>>,
        /// The size; `None` where it is absent or null.
        "resources" => resources: Option<Resources<'a>>,
        /// `None`: the default class; empty: none.
        "storageClassName" => storage_class_name: Option<Text<'a>>,
        /// `Filesystem` or `Block`; empty means `Filesystem`.
        "volumeMode" => volume_mode: Text<'a>,
        /// The one volume that the claim binds to; empty where any will do.
        "volumeName" => volume_name: Text<'a>,
    }
}

view! {
    /// `VolumeResourceRequirements`.
    #[derive(PartialEq)]
    pub struct Resources<'a> {
        /// Quantities as written; `None` where absent or null.
        "requests" => requests: Option<BTreeMap<Text<'a>, Quantity<'a>>>,
    }
}

/// A quantity as the user wrote it: `1Gi`, `1024Mi`, or a plain number (`k8s.io/apimachinery/pkg/api/resource`).
pub type Quantity<'a> = IntOrString<'a>;
