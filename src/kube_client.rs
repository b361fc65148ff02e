//! The connection to the API server, found as kubectl finds it.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use kube::runtime::watcher;
use kube::{Client, Config};
use thiserror::Error;

/// How long the API server may be silent on a connection in use: longer than any watch, which the server ends after
/// 290 s and the watcher begins again, so that only a dead peer is given up.
const SILENCE: Duration = Duration::from_mins(5);

/// Which cluster is meant; by default the one that kubectl would ask, or the one that the process runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The kubeconfig; `KUBECONFIG`, then `~/.kube/config`, then the pod's own account where it is not said.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; its current one where it is not said.
    pub context: Option<String>,
}

/// Why no API server can be asked.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The kubeconfig that was named cannot be used.
    #[error("the kubeconfig {0} cannot be used")]
    Named(PathBuf, #[source] KubeconfigError),
    /// The context was named, and the kubeconfig has no such one, or cannot be used.
    #[error("the context `{0}` cannot be used")]
    Context(String, #[source] KubeconfigError),
    /// Nothing was named, and nothing was found.
    #[error("no cluster was found; name one by --kubeconfig or KUBECONFIG, or run in a pod")]
    Nowhere(#[source] Box<InferConfigError>),
    /// The configuration was read, but no client can be made of it.
    #[error("the connection to the API server cannot be set up")]
    Client(#[source] Box<kube::Error>),
}

impl Target {
    /// A client of that cluster's API server. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] when the configuration cannot be found, read or used.
    pub async fn connect(&self) -> Result<Client, ConnectError> {
        let mut config = self.config().await?;
        config.read_timeout = Some(SILENCE);
        config.reset_reader_on_write = true;
        Client::try_from(config).map_err(|error| ConnectError::Client(Box::new(error)))
    }

    async fn config(&self) -> Result<Config, ConnectError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        match (&self.kubeconfig, &self.context) {
            (Some(path), _) => {
                let unusable = |error| ConnectError::Named(path.clone(), error);
                let kubeconfig = Kubeconfig::read_from(path).map_err(unusable)?;
                Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .map_err(unusable)
            }
            (None, Some(context)) => Config::from_kubeconfig(&options)
                .await
                .map_err(|error| ConnectError::Context(context.clone(), error)),
            (None, None) => Config::infer()
                .await
                .map_err(|error| ConnectError::Nowhere(Box::new(error))),
        }
    }
}

/// Why a question was not answered, as the API server says it: kube's own words repeat everything in Rust's.
pub(crate) fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// What the API server says where it refuses a watch.
pub(crate) fn refusal(error: &watcher::Error) -> Option<&Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs;

    use super::*;

    const KUBECONFIG: &str = r"
apiVersion: v1
kind: Config
current-context: near
clusters:
- {name: near, cluster: {server: 'https://near.example:6443'}}
- {name: far, cluster: {server: 'https://far.example:6443'}}
contexts:
- {name: near, context: {cluster: near, user: me}}
- {name: far, context: {cluster: far, user: me}}
users:
- {name: me, user: {token: secret}}
";

    async fn url(text: &str, context: Option<&str>) -> Result<String, ConnectError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, text).unwrap();
        let target = Target {
            kubeconfig: Some(path),
            context: context.map(str::to_owned),
        };
        Ok(target.config().await?.cluster_url.to_string())
    }

    #[tokio::test]
    async fn the_context_chooses_the_cluster() {
        let near = url(KUBECONFIG, None).await.unwrap();
        assert_eq!(near, "https://near.example:6443/");
        let far = url(KUBECONFIG, Some("far")).await.unwrap();
        assert_eq!(far, "https://far.example:6443/");
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_kubeconfig_is_said() {
        let error = url(KUBECONFIG, Some("elsewhere")).await.unwrap_err();
        let source = error.source().unwrap().to_string();
        assert!(source.contains("elsewhere"), "{source}");
        let missing = Target {
            kubeconfig: Some("/nonexistent/kubeconfig".into()),
            context: None,
        };
        let error = missing.config().await.unwrap_err().to_string();
        assert_eq!(
            error,
            "the kubeconfig /nonexistent/kubeconfig cannot be used"
        );
    }
}
