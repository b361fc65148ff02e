//! The API server, asked by dry run where no webhook is in force, and where ours is.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::api::Api;
use crate::support::Cluster;

/// One who asks, over a connection of its own.
pub struct Server<'n> {
    api: Api,
    plain: &'n str,
    guarded: &'n str,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    message: String,
    causes: Vec<Cause>,
}

/// One thing that the server finds wrong.
#[derive(Debug)]
pub struct Cause {
    /// Where, in the server's dotted form.
    pub field: String,
    /// Which kind of error: `FieldValueInvalid`, `FieldValueRequired`, ...
    pub reason: String,
    /// Its text.
    pub message: String,
}

impl<'n> Server<'n> {
    /// Opens a connection; the namespaces are one without and one with the webhook.
    pub fn open(cluster: &Cluster, plain: &'n str, guarded: &'n str) -> Result<Self> {
        Ok(Self {
            api: Api::new(cluster)?,
            plain,
            guarded,
        })
    }

    /// Creates a set where no webhook is in force.
    pub fn create(&mut self, set: &Value) -> Result<Answer> {
        self.create_in(self.plain, set)
    }

    /// Creates a set where the webhook is in force.
    pub fn create_guarded(&mut self, set: &Value) -> Result<Answer> {
        self.create_in(self.guarded, set)
    }

    /// Creates a set for good where no webhook is in force; as it is stored, if it was accepted.
    pub fn store(&mut self, set: &Value) -> Result<Option<Value>> {
        let path = format!("/apis/apps/v1/namespaces/{}/statefulsets", self.plain);
        let answer = self.api.create(&path, set)?;
        Ok((answer.code == 201).then_some(answer.body))
    }

    /// Writes a stored set anew where no webhook is in force.
    pub fn replace(&mut self, set: &Value) -> Result<Answer> {
        let name = set["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!(
            "/apis/apps/v1/namespaces/{}/statefulsets/{name}?dryRun=All",
            self.plain
        );
        let answer = self.api.replace(&path, set)?;
        ensure!(
            matches!(answer.code, 200 | 422),
            "the server answers {}",
            answer.body
        );
        Ok(Answer::new(answer.code, &answer.body))
    }

    fn create_in(&mut self, namespace: &str, set: &Value) -> Result<Answer> {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets?dryRun=All");
        let answer = self.api.create(&path, set)?;
        ensure!(
            matches!(answer.code, 201 | 403 | 422),
            "the server answers {}",
            answer.body
        );
        Ok(Answer::new(answer.code, &answer.body))
    }
}

impl Answer {
    fn new(status: u16, body: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let causes = body["details"]["causes"].as_array();
        let causes = causes.into_iter().flatten().map(|cause| Cause {
            field: text(&cause["field"]),
            reason: text(&cause["reason"]),
            message: text(&cause["message"]),
        });
        Self {
            status,
            message: text(&body["message"]),
            causes: causes.collect(),
        }
    }

    /// Whether the set was created, or written anew.
    pub fn is_accepted(&self) -> bool {
        matches!(self.status, 200 | 201)
    }

    /// What the server itself finds wrong.
    pub fn causes(&self) -> &[Cause] {
        if self.status == 422 {
            &self.causes
        } else {
            &[]
        }
    }

    /// What the webhook says, where it is the one that refuses.
    pub fn webhooks_message(&self) -> Option<&str> {
        (self.status == 403).then_some(&*self.message)
    }
}
