//! The end of a workspace: what goes, the file that is taken away first, the request, and
//! the certificate of what went.

pub mod api;
mod certificate;
mod content;
mod forms;

pub use certificate::CertificateContent;
pub use content::DeletionContent;
pub use forms::Forms;
