//! Certificates of the webhook port: made here, read from files, renewed without a restart.
//!
//! Where they come from, [`Serving`] alone turns them into what the next handshake shows. With `--self-signed` they are
//! kept in a Secret that all replicas share ([`Keeper`]); what is done about it is decided by [`plan::plan`], which is pure.

mod authority;
mod certificate;
mod clients;
mod files;
mod keeper;
mod kept;
mod pace;
mod pair;
pub mod plan;
mod serving;
mod sync;
mod watch;
mod webhooks;

pub use authority::{Authority, AuthorityError, Issued, Leaf, issue};
pub use certificate::{Certificate, CertificateError, bundle, verifies};
pub use clients::{ClientFile, Clients, ClientsError};
pub use files::{Files, FilesError, Followed, write};
pub use keeper::{Keeper, Settings, Told};
pub use kept::{Data, Kept, KeptError, Wish};
pub use pair::{Pair, PairError};
pub use serving::Serving;
pub use sync::{Checker, Sync};
pub use webhooks::{Entry, InvalidName, ObjectName, entries};
