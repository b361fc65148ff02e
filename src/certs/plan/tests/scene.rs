use super::*;

/// What a replica sees, in a form that tests can change.
pub(super) struct Scene {
    pub(super) secret: Found,
    pub(super) known: Option<Kept>,
    pub(super) shown: Option<Kept>,
    pub(super) mutating: Option<Vec<Entry>>,
    pub(super) validating: Option<Vec<Entry>>,
    pub(super) sightings: Sightings,
    pub(super) wish: Wish,
    pub(super) now: i64,
    pub(super) uptime: u64,
}

impl Scene {
    /// All is well: one authority, in both bundles, its leaf shown.
    pub(super) fn settled(kept: &Kept) -> Self {
        let bundles = Some(vec![entry("one", &[kept.authority()])]);
        Self {
            secret: Found::Good,
            known: Some(kept.clone()),
            shown: Some(kept.clone()),
            mutating: bundles.clone(),
            validating: bundles,
            sightings: Sightings::default(),
            wish: wish(),
            now: 60,
            uptime: 0,
        }
    }

    pub(super) fn plan(&mut self) -> Plan {
        let entries: Vec<_> = self
            .mutating
            .iter()
            .chain(&self.validating)
            .flatten()
            .collect();
        let uptime = Duration::from_secs(self.uptime);
        self.sightings.note(&entries, uptime);
        plan(&Seen {
            secret: self.secret,
            known: self.known.as_ref(),
            shown: self.shown.as_ref(),
            configurations: [self.mutating.as_deref(), self.validating.as_deref()],
            sightings: &self.sightings,
            wish: &self.wish,
            clock: Clock {
                now: at(self.now),
                uptime,
            },
        })
    }

    /// The API server takes what is published.
    pub(super) fn publish(&mut self, plan: &Plan) {
        let bundles = [&mut self.mutating, &mut self.validating];
        for (entries, publications) in bundles.into_iter().zip(&plan.publish) {
            for publication in publications {
                for entry in entries.iter_mut().flatten() {
                    if entry.name == publication.webhook {
                        entry.bundle.clone_from(&publication.bundle);
                        entry.readable = true;
                    }
                }
            }
        }
    }

    pub(super) fn bundle(&self) -> &[Certificate] {
        &self.mutating.as_ref().unwrap()[0].bundle
    }
}
