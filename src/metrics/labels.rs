//! The values that labels may have; never free text.

use std::io;

use prometheus_client::encoding::EncodeLabelValue;
use rustls::AlertDescription;

use crate::inject::Origin;
use crate::model::finding::Action;

/// Declares a label: its enum, all its values, and each value's text.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)* }

        impl $name {
            /// Every value, in the order of the discriminants.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$value),*];

            /// The text of the value.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(
                &self,
                encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>,
            ) -> Result<(), std::fmt::Error> {
                self.as_str().encode(encoder)
            }
        }
    };
}

label! {
    /// The endpoint that was called.
    Endpoint {
        /// `/mutate`.
        Mutate = "mutate",
        /// `/validate`.
        Validate = "validate",
    }
}

label! {
    /// What the user does with the object.
    Operation {
        /// CREATE.
        Create = "create",
        /// UPDATE, every PATCH included.
        Update = "update",
        /// DELETE.
        Delete = "delete",
        /// CONNECT.
        Connect = "connect",
        /// Not said, or nothing that we know.
        Unknown = "unknown",
    }
}

label! {
    /// What became of a review.
    Verdict {
        /// Allowed, unchanged.
        Allowed = "allowed",
        /// Allowed with a patch.
        Mutated = "mutated",
        /// Denied.
        Denied = "denied",
        /// Nothing that we judge: another kind, a subresource, DELETE.
        Ignored = "ignored",
        /// A StatefulSet that could not be read: allowed with a warning.
        Undecodable = "undecodable",
        /// HTTP 400, 413 or 415: not a review.
        Malformed = "malformed",
        /// HTTP 503: over capacity.
        Overloaded = "overloaded",
        /// HTTP 504: past the deadline.
        Late = "late",
        /// HTTP 500: our fault.
        Failed = "failed",
    }
}

label! {
    /// What a server under load gives up.
    Shed {
        /// A review that found no place, or had to leave it to that of another namespace: HTTP 503.
        Review = "review",
        /// A peer too slow with its body or its answer while others waited for its memory.
        Peer = "peer",
        /// An idle connection closed for a new one.
        Connection = "connection",
    }
}

label! {
    /// Why a TLS handshake came to nothing.
    HandshakeFailure {
        /// The peer fell silent.
        Timeout = "timeout",
        /// The peer went away.
        Closed = "closed",
        /// The peer does not trust our certificate: the caBundle or the DNS name is wrong.
        Untrusted = "untrusted",
        /// The peer shows no certificate that `--client-ca` lets in.
        Unauthenticated = "unauthenticated",
        /// No common version, cipher or protocol.
        Incompatible = "incompatible",
        /// What came was not TLS.
        Malformed = "malformed",
        /// Anything else.
        Other = "other",
    }
}

label! {
    /// A kind of object that the process watches.
    CacheKind {
        /// Services.
        Services = "services",
        /// StatefulSets, for the controller.
        StatefulSets = "statefulsets",
        /// Classes of storage.
        StorageClasses = "storageclasses",
        /// Disruption budgets.
        PodDisruptionBudgets = "poddisruptionbudgets",
        /// Namespaces.
        Namespaces = "namespaces",
    }
}

label! {
    /// A certificate that will end some day.
    CertificateKind {
        /// The one that the webhook port shows.
        Serving = "serving",
        /// The authority that signed it, where we know it.
        Authority = "ca",
    }
}

/// The text of an action.
pub(crate) fn action(action: Action) -> &'static str {
    match action {
        Action::Deny => "deny",
        Action::Warn => "warn",
        Action::Audit => "audit",
    }
}

/// All origins of an injection.
pub(super) const ORIGINS: [Origin; 6] = [
    Origin::Policy,
    Origin::Catalogue,
    Origin::Port,
    Origin::Service,
    Origin::Annotation,
    Origin::Record,
];

/// The text of an origin.
pub(super) fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Policy => "policy",
        Origin::Catalogue => "catalogue",
        Origin::Port => "port",
        Origin::Service => "service",
        Origin::Annotation => "annotation",
        Origin::Record => "record",
    }
}

impl HandshakeFailure {
    /// The kind of a failure as rustls reports it.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::AlertReceived(alert)) => Self::of_alert(*alert),
            Some(rustls::Error::NoCertificatesPresented | rustls::Error::InvalidCertificate(_)) => {
                Self::Unauthenticated
            }
            Some(rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol) => {
                Self::Incompatible
            }
            Some(rustls::Error::InvalidMessage(_) | rustls::Error::InappropriateMessage { .. }) => {
                Self::Malformed
            }
            Some(_) => Self::Other,
            None => Self::Closed,
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError => Self::Untrusted,
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => {
                Self::Incompatible
            }
            _ => Self::Other,
        }
    }
}
