//! steadyset: admission control for Kubernetes StatefulSets.
