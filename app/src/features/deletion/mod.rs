//! The end of a workspace: what goes, the file that is taken away first, the request, the word on every page until then, and
//! the certificate of what went.

pub mod api;
mod certificate;
mod content;
mod forms;
mod leaving;

pub use certificate::CertificateContent;
pub use content::DeletionContent;
pub use forms::{Forms, use_forms};
pub use leaving::Leaving;
