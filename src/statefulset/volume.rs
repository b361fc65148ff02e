//! The volumes of a pod template, and the objects that they are filled from.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::view::{Text, view};

/// A volume of the pod template: its name and the field that says where it comes from (`configMap`, `emptyDir`, ...).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volume<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// The field names beside `name` whose value is not null; usually one.
    pub sources: Vec<Text<'a>>,
    /// The `ConfigMap` that it shows.
    pub config_map: Option<Named<'a>>,
    /// The `Secret` that it shows.
    pub secret: Option<NamedSecret<'a>>,
    /// The claim that it is.
    pub claim: Option<ClaimSource<'a>>,
    /// The objects that it shows together.
    pub projected: Projected<'a>,
}

view! {
    /// An object by name (`ConfigMapVolumeSource`, `ConfigMapProjection`, `SecretProjection`).
    #[derive(PartialEq)]
    pub struct Named<'a> {
        /// Its name.
        "name" => name: Text<'a>,
        /// Whether pods start without it.
        "optional" => optional: bool,
    }
}

view! {
    /// `SecretVolumeSource`
    #[derive(PartialEq)]
    pub struct NamedSecret<'a> {
        /// The Secret's name.
        "secretName" => name: Text<'a>,
        /// Whether pods start without it.
        "optional" => optional: bool,
    }
}

view! {
    /// `PersistentVolumeClaimVolumeSource`
    #[derive(PartialEq)]
    pub struct ClaimSource<'a> {
        /// The claim's name.
        "claimName" => name: Text<'a>,
        /// Whether it is mounted to be read only.
        "readOnly" => read_only: bool,
    }
}

view! {
    /// `ProjectedVolumeSource`
    #[derive(PartialEq)]
    pub struct Projected<'a> {
        /// What it shows.
        "sources" => sources: Vec<Projection<'a>>,
    }
}

view! {
    /// `VolumeProjection`
    #[derive(PartialEq)]
    pub struct Projection<'a> {
        /// A `ConfigMap`.
        "configMap" => config_map: Option<Named<'a>>,
        /// A `Secret`.
        "secret" => secret: Option<Named<'a>>,
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Volume<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VolumeVisitor(PhantomData))
    }
}

struct VolumeVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for VolumeVisitor<'a> {
    type Value = Volume<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a volume")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut volume = Volume::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key == "name" {
                volume.name = map.next_value::<Option<Text<'a>>>()?.unwrap_or_default();
                continue;
            }
            volume.sources.retain(|source| *source != key);
            if volume.take(&key, &mut map)? {
                volume.sources.push(key);
            }
        }
        Ok(volume)
    }
}

impl<'a> Volume<'a> {
    /// Reads the value of a source, and says whether there is one.
    fn take<'de: 'a, M: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut M,
    ) -> Result<bool, M::Error> {
        match key {
            "configMap" => {
                self.config_map = map.next_value()?;
                Ok(self.config_map.is_some())
            }
            "secret" => {
                self.secret = map.next_value()?;
                Ok(self.secret.is_some())
            }
            "persistentVolumeClaim" => {
                self.claim = map.next_value()?;
                Ok(self.claim.is_some())
            }
            "projected" => {
                let projected: Option<Projected<'a>> = map.next_value()?;
                let is_there = projected.is_some();
                self.projected = projected.unwrap_or_default();
                Ok(is_there)
            }
            _ => Ok(map.next_value::<Option<IgnoredAny>>()?.is_some()),
        }
    }
}
