//! How a container runs and stops: its user, and what is done before it is stopped (`k8s.io/api/core/v1`).

use super::probe::Exec;
use super::view::view;

view! {
    /// `PodSecurityContext` and `SecurityContext`, as far as they say who owns files. Numbers are `None` where absent.
    #[derive(PartialEq, Eq)]
    pub struct SecurityContext {
        /// The user's id.
        "runAsUser" => run_as_user: Option<i64>,
        /// Whether the kubelet refuses to run it as root.
        "runAsNonRoot" => run_as_non_root: Option<bool>,
        /// The group that volumes are given to; of a pod alone.
        "fsGroup" => fs_group: Option<i64>,
    }
}

view! {
    /// `Lifecycle`, as far as it is about the stop.
    #[derive(PartialEq)]
    pub struct Lifecycle<'a> {
        /// Done before the container gets SIGTERM.
        "preStop" => pre_stop: Hook<'a>,
    }
}

view! {
    /// `LifecycleHandler`
    #[derive(PartialEq)]
    pub struct Hook<'a> {
        /// A program of the container.
        "exec" => exec: Option<Exec<'a>>,
        /// A pause.
        "sleep" => sleep: Option<Pause>,
    }
}

view! {
    /// `SleepAction`
    #[derive(PartialEq, Eq)]
    pub struct Pause {
        /// How long.
        "seconds" => seconds: i64,
    }
}
